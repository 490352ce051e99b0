# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is observed of cert-manager's ACME, from an API server and from a dump: what is asked for, what is kept, and that no secret is."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import observe
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import entry, obj, service_client, validating
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import FakeApiServer

NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
KEY = f"{TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
SERVER = "https://acme-v02.api.letsencrypt.org/directory"


def issuer(kind: str, name: str, namespace: str | None = None, **acme: Any) -> dict[str, Any]:
    condition = {"type": "Ready", "status": "False", "reason": "ErrRegisterACMEAccount", "message": "Failed to verify ACME account: context deadline exceeded"}
    spec = {"acme": {"server": SERVER, "solvers": [{"http01": {"ingress": {}}}], "privateKeySecretRef": {"name": "k"}, **acme}}
    return obj("cert-manager.io/v1", kind, name, namespace, spec=spec, status={"conditions": [condition], "acme": {}})


def challenge(name: str, state: str, created: str, reason: str | None = None) -> dict[str, Any]:
    made = obj(
        "acme.cert-manager.io/v1",
        "Challenge",
        name,
        "shop",
        spec={"type": "HTTP-01", "dnsName": "shop.example.com", "token": TOKEN, "key": KEY, "issuerRef": {"name": "letsencrypt", "kind": "ClusterIssuer"}},
        status={"state": state, "presented": True, "processing": True, "reason": reason},
    )
    made["metadata"]["creationTimestamp"] = created
    return made


def pod(name: str, component: str, image: str = "quay.io/jetstack/cert-manager-controller:v1.21.1", **container: Any) -> dict[str, Any]:
    spec = {
        "containers": [{"name": "main", "image": image, **container}],
        "dnsConfig": {"options": [{"name": "ndots", "value": "1"}], "searches": ["a.example"]},
    }
    made = obj("v1", "Pod", name, "cert-manager", {"app.kubernetes.io/name": component, "app.kubernetes.io/instance": "cm"}, spec=spec, status={})
    made["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "cert-manager-5d9f", "controller": True}]
    return made


ENVIRONMENT = [
    {"name": "https_proxy", "value": "http://user:planted-1f3a@proxy:3128"},
    {"name": "NO_PROXY", "value": ".svc"},
    {"name": "AWS_SECRET_ACCESS_KEY", "value": "planted-2b4c"},
    {"name": "HTTP_PROXY", "valueFrom": {"secretKeyRef": {"name": "p", "key": "k"}}},
]
ARGUMENTS = ["--v=2", "--dns01-recursive-nameservers=1.1.1.1:53", "--leader-election-namespace=cert-manager", "--some-token=planted-3d5e"]
OBJECTS = {
    ("cert-manager.io", "issuers"): [
        issuer("Issuer", "local", "shop", caBundle="QQ=="),
        obj("cert-manager.io/v1", "Issuer", "self", "shop", spec={"selfSigned": {}}),
    ],
    ("cert-manager.io", "clusterissuers"): [issuer("ClusterIssuer", "letsencrypt")],
    ("acme.cert-manager.io", "orders"): [],
    ("acme.cert-manager.io", "challenges"): [
        challenge("done", "valid", "2026-11-19T00:00:00Z"),
        challenge(
            "older",
            "pending",
            "2026-11-18T00:00:00Z",
            f"failed to perform self check GET request 'http://shop.example.com/.well-known/acme-challenge/{TOKEN}': x",
        ),
        challenge("newer", "pending", "2026-11-19T00:00:00Z", f'did not get expected response "{KEY}" when querying endpoint'),
    ],
    ("", "pods"): [
        pod("cert-manager-5d9f-x", "cert-manager", env=ENVIRONMENT, args=ARGUMENTS),
        pod("somebody-elses", "webhook", "registry.example.com/other:1"),
    ],
    ("", "services"): [obj("v1", "Service", "kubernetes", "default", spec={"clusterIPs": ["10.96.0.1"]})],
    ("coordination.k8s.io", "leases"): [
        obj("coordination.k8s.io/v1", "Lease", "cert-manager-controller", "cert-manager", spec={"holderIdentity": "a", "renewTime": "2026-11-19T23:59:30.5Z"})
    ],
}


def of_api(fake: FakeApiServer, **more: Any) -> dict[str, Any]:
    fake.objects = {**OBJECTS, ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): [validating("h", entry("h.x", service_client("a", "b")))]}
    return facts({"src": [], **more}, fake)


def facts(params: dict[str, Any], fake: FakeApiServer | None = None) -> dict[str, Any]:
    usual = {"kubeconfig": None, "host": fake.url if fake else None, "api_key": "t", "evidence": True, "access_review": False, "timeout": 5.0, "page_size": 500}
    return observe({**usual, "read_ca_secrets": False, **params}, NOW).facts


def of_dump(folder: Path) -> dict[str, Any]:
    kinds = {"issuers": "Issuer", "clusterissuers": "ClusterIssuer", "pods": "Pod", "challenges": "Challenge", "services": "Service", "leases": "Lease"}
    lists = [
        {"apiVersion": "v1", "kind": "List", "items": [{**item, "kind": kinds[plural]} for item in items]}
        for (group, plural), items in OBJECTS.items()
        if items
    ]
    (folder / "all.yaml").write_text(yaml.safe_dump_all(lists), encoding="utf-8")
    return facts({"src": [str(folder)]})


@pytest.fixture(params=["api", "dump"])
def observed(request: pytest.FixtureRequest, fake: FakeApiServer, tmp_path: Path) -> dict[str, Any]:
    return of_api(fake) if request.param == "api" else of_dump(tmp_path)


def test_what_is_kept(observed: dict[str, Any]) -> None:
    acme = observed["apps"]["acme"]
    assert [(one["kind"], one["namespace"], one["name"], one["ca_bundle"], one["solvers"]) for one in acme["issuers"]] == [
        ("ClusterIssuer", None, "letsencrypt", False, ["http01"]),
        ("Issuer", "shop", "local", True, ["http01"]),
    ]
    assert acme["issuers"][0]["ready"]["reason"] == "ErrRegisterACMEAccount"
    assert [one["name"] for one in acme["challenges"]["unfinished"]] == ["newer", "older"]
    assert acme["challenges"]["states"] == {"pending": 2, "valid": 1}
    (controller,) = acme["pods"]
    assert controller["proxy"] == {"HTTPS_PROXY": "http://***@proxy:3128", "HTTP_PROXY": None, "NO_PROXY": ".svc"}
    assert (controller["proxy_hidden"], controller["dns_options"], controller["dns_searches"]) == (["HTTP_PROXY"], {"ndots": "1"}, ["a.example"])
    assert controller["arguments"] == {"dns01-recursive-nameservers": "1.1.1.1:53", "leader-election-namespace": "cert-manager"}
    assert (controller["workload"], controller["component"]) == ("cert-manager", "controller")
    assert acme["api_addresses"] == ["10.96.0.1"]
    assert acme["leases"] == [{"namespace": "cert-manager", "holder": "a", "renewed": "2026-11-19T23:59:30.5Z"}]


def test_no_secret_is_kept(observed: dict[str, Any]) -> None:
    written = json.dumps(observed)
    assert not [word for word in ("planted", TOKEN, KEY, KEY.partition(".")[2]) if word in written]
    assert "acme-challenge/***" in written


def test_where_it_is_not_installed_nothing_is_asked(fake: FakeApiServer) -> None:
    fake.objects = {("admissionregistration.k8s.io", "validatingwebhookconfigurations"): []}
    found = facts({"src": []}, fake)
    assert "acme" not in found["apps"]
    assert not fake.asked("issuers") and not fake.asked("orders") and not fake.asked("leases")


def test_what_may_not_be_read_is_told(fake: FakeApiServer) -> None:
    fake.forbidden |= {"challenges", "clusterissuers"}
    found = of_api(fake)
    assert {("challenges", "forbidden"), ("clusterissuers", "forbidden")} <= {(one["what"], one["reason"]) for one in found["coverage"]}
    assert [one["name"] for one in found["apps"]["acme"]["issuers"]] == ["local"]


def test_a_flood_of_orders_is_bounded(fake: FakeApiServer) -> None:
    """The whole of the first 2000 is read; of the others, which the count of what fills etcd asks for, only the metadata (the fake has no such form)."""
    orders = [obj("acme.cert-manager.io/v1", "Order", f"o{number}", "shop", spec={}, status={"state": "errored"}) for number in range(2000)]
    orders += [obj("acme.cert-manager.io/v1", "Order", f"o{number}", "shop") for number in range(2000, 5000)]
    of_api(fake)
    fake.objects["acme.cert-manager.io", "orders"] = orders
    found = facts({"src": []}, fake)
    assert found["apps"]["acme"]["orders"]["total"] == 2000
    assert len(found["apps"]["acme"]["orders"]["unfinished"]) == 50
    assert ("orders", "Only the first 2000 were read.") in [(one["what"], one["message"]) for one in found["coverage"]]
