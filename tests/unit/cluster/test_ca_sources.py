# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where caBundles are meant to come from: which objects are asked for, what of them is kept, and that nothing else of a Secret is."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.ca_sources import claims_of, fingerprints
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import Observation, observe
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.certificate import Certificate
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.pem import blocks
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import entry, service_client, validating
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import FakeApiServer, status
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust import cast

TABLE = yaml.safe_load((Path(__file__).parent / "ca_sources.yml").read_text(encoding="utf-8"))
VALIDATING = ("admissionregistration.k8s.io", "validatingwebhookconfigurations")
CALLOUT = "validating/hook/hook.example.com"
SECRET = "hooks/one-ca"
FROM_SECRET = {"cert-manager.io/inject-ca-from-secret": SECRET}
FROM_CERTIFICATE = {"cert-manager.io/inject-ca-from": "hooks/one-cert"}
KEY = cast.private_key()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["name"])
def test_the_claim(row: dict[str, Any]) -> None:
    callout = {
        "object": {"name": row.get("config", "hook"), "annotations": row.get("annotations", {})},
        "webhook": row.get("webhook", "hook.example.com"),
        "client": {"service": {"namespace": "hooks", "name": "one", "port": 443, "path": "/"}, "url": None},
    }
    claims = list(claims_of(callout))
    assert [f"{claim.kind} {claim.namespace}/{claim.name}:{claim.key}" for claim in claims] == row["claims"]
    assert all(claim.binding is row.get("binding", True) for claim in claims)
    assert all(bool(claim.wrong) is row.get("wrong", False) for claim in claims)


def secret(annotations: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    encoded = {key.replace("_", "."): base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"metadata": {"namespace": "hooks", "name": "one-ca", "annotations": annotations or {}}, "data": encoded}


ALLOWED = {"cert-manager.io/allow-direct-injection": "true"}
GOOD = secret(ALLOWED, ca_crt=cast.pem("ca"), tls_crt=cast.pem("leaf"), tls_key=KEY)


def observed(fake: FakeApiServer, annotations: dict[str, str], read: bool = True) -> Observation:
    hook = validating("hook", entry("hook.example.com", service_client("hooks", "one")))
    hook["metadata"]["annotations"] = annotations
    fake.objects[VALIDATING] = [hook]
    params = {
        "kubeconfig": None,
        "host": fake.url,
        "api_key": "token",
        "src": [],
        "evidence": False,
        "access_review": False,
        "timeout": 5.0,
        "page_size": 500,
        "read_ca_secrets": read,
    }
    return observe(params, datetime(2026, 11, 20, tzinfo=timezone.utc))


def only(observation: Observation) -> dict[str, Any]:
    (source,) = observation.facts["ca_sources"]
    return source


def test_a_secret_is_not_read_unless_asked(fake: FakeApiServer) -> None:
    fake.add("", "secrets", GOOD)
    observation = observed(fake, FROM_SECRET, read=False)
    assert (only(observation)["state"], only(observation)["certificates"], observation.authorities) == ("not_asked", [], {})
    assert not fake.asked("secrets")


def test_of_a_secret_only_the_ca_is_kept(fake: FakeApiServer) -> None:
    fake.add("", "secrets", GOOD)
    observation = observed(fake, FROM_SECRET)
    source = only(observation)
    (block,) = blocks(cast.pem("ca").encode())
    assert (source["state"], source["certificates"]) == ("read", [Certificate(block.body).sha256])
    assert source["callouts"] == [CALLOUT]
    assert list(observation.authorities) == [source["id"]]
    assert fingerprints(observation.authorities[source["id"]]) == source["certificates"]
    written = json.dumps(observation.facts)
    assert "BEGIN" not in json.dumps(observation.facts["ca_sources"])
    assert not [line for line in KEY.splitlines()[1:-1] if line in written + repr(observation.authorities)]


def test_a_private_key_beside_the_ca_goes_no_further(fake: FakeApiServer) -> None:
    fake.add("", "secrets", secret(ALLOWED, ca_crt=KEY + cast.pem("ca") + KEY))
    observation = observed(fake, FROM_SECRET)
    assert only(observation)["state"] == "read"
    assert "PRIVATE" not in repr(observation.authorities) + json.dumps(observation.facts["ca_sources"])


@pytest.mark.parametrize(
    ("found", "state", "says"),
    [
        (secret(ca_crt=cast.pem("ca")), "unusable", "allow-direct-injection"),
        (secret(ALLOWED, tls_crt=cast.pem("leaf")), "unusable", "no key ca.crt"),
        (secret(ALLOWED, ca_crt="words"), "unusable", "no certificate in PEM"),
        ({"metadata": {"namespace": "hooks", "name": "one-ca", "annotations": ALLOWED}, "data": {"ca.crt": "%"}}, "unusable", "not base64"),
        (None, "missing", "not found"),
    ],
    ids=["not allowed", "no key", "no certificate", "no base64", "missing"],
)
def test_a_secret_that_cannot_be_used(fake: FakeApiServer, found: dict[str, Any] | None, state: str, says: str) -> None:
    if found:
        fake.add("", "secrets", found)
    source = only(observed(fake, FROM_SECRET))
    assert source["state"] == state
    assert says in source["message"]


@pytest.mark.parametrize(("named", "state"), [("one-cert", "read"), ("other-cert", "unusable")])
def test_a_certificate_leads_to_its_secret(fake: FakeApiServer, named: str, state: str) -> None:
    fake.add("cert-manager.io", "certificates", {"metadata": {"namespace": "hooks", "name": "one-cert"}, "spec": {"secretName": "one-ca"}})
    fake.add("", "secrets", secret({"cert-manager.io/certificate-name": named}, ca_crt=cast.pem("ca")))
    source = only(observed(fake, FROM_CERTIFICATE))
    assert (source["id"], source["via"], source["state"]) == ("Secret/hooks/one-ca:ca.crt", "Certificate hooks/one-cert", state)


def test_a_certificate_that_is_missing(fake: FakeApiServer) -> None:
    source = only(observed(fake, FROM_CERTIFICATE))
    assert (source["id"], source["state"]) == ("Certificate/hooks/one-cert:ca.crt", "missing")


def test_what_may_not_be_read_is_coverage(fake: FakeApiServer) -> None:
    fake.forbidden.add("secrets")
    observation = observed(fake, FROM_SECRET)
    assert only(observation)["state"] == "forbidden"
    assert ("Secret hooks/one-ca", "forbidden") in [(item["what"], item["reason"]) for item in observation.facts["coverage"]]


def test_an_odd_answer_is_coverage(fake: FakeApiServer) -> None:
    fake.answers["/api/v1/namespaces/hooks/secrets/one-ca"] = lambda handler, query: status(500, "InternalError", "etcd is on fire")
    assert (only(observed(fake, FROM_SECRET))["state"], only(observed(fake, FROM_SECRET))["message"]) == ("error", "etcd is on fire")


def test_a_config_map_is_always_read(fake: FakeApiServer) -> None:
    fake.add("", "configmaps", {"metadata": {"namespace": "kube-system", "name": "openshift-service-ca.crt"}, "data": {"service-ca.crt": cast.pem("ca")}})
    source = only(observed(fake, {"service.beta.openshift.io/inject-cabundle": "true"}, read=False))
    assert (source["state"], len(source["certificates"])) == ("read", 1)


def test_a_dump_has_config_maps_and_no_secrets(tmp_path: Path) -> None:
    hook = validating("hook", entry("hook.example.com", service_client("hooks", "one")))
    hook["metadata"]["annotations"] = {"service.beta.openshift.io/inject-cabundle": "true", **FROM_SECRET}
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": "kube-system", "name": "openshift-service-ca.crt"},
        "data": {"service-ca.crt": cast.pem("ca"), "more": "text"},
    }
    (tmp_path / "all.yaml").write_text(
        yaml.safe_dump_all([{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", **hook}, config_map])
    )
    found = observe({"src": [str(tmp_path)]}, datetime(2026, 11, 20, tzinfo=timezone.utc)).facts["ca_sources"]
    assert [(source["kind"], source["state"]) for source in found] == [("ConfigMap", "read"), ("Secret", "not_asked")]
