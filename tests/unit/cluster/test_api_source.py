# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API over real HTTP: what is asked, what may fail, and what is said then."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.failures import ObservationError
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import observe
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.modules.webhook_facts import RETURN
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import endpoint, endpoint_slice, entry, pod, service, service_client, validating
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import FakeApiServer, status

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
VALIDATING = ("admissionregistration.k8s.io", "validatingwebhookconfigurations")
OPTIONS = {"src": [], "evidence": True, "access_review": True, "read_ca_secrets": False, "timeout": 5.0, "page_size": 500}
KINDS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations", "customresourcedefinitions", "apiservices")


def facts(fake: FakeApiServer, **options: Any) -> dict[str, Any]:
    return observe({**OPTIONS, "host": fake.url, "api_key": "t", **options}, NOW).facts


def coverage(found: dict[str, Any]) -> dict[str, str]:
    return {entry["what"]: entry["reason"] for entry in found["coverage"]}


def test_a_whole_cluster(fake: FakeApiServer) -> None:
    found = facts(fake)
    assert found["source"] == {
        "kind": "api",
        "cluster": f"127.0.0.1:{fake.port}",
        "server": fake.url,
        "observed_at": "2026-06-01T00:00:00Z",
        "paths": [],
        "access": {"port_forward": False, "service_proxy": False, "dry_run": False},
    }
    assert found["version"] == {"git_version": "v1.36.3", "go_version": "go1.26.3", "major": 1, "minor": 36}
    assert [callout["id"] for callout in found["callouts"]] == [
        "apiservice/v1beta1.metrics.k8s.io",
        "conversion/things.example.com",
        "mutating/mutate/two.example.com",
        "validating/check/gone.example.com",
        "validating/check/one.example.com",
    ]
    assert found["callouts"][-1]["object"]["api_version"] == "admissionregistration.k8s.io/v1"
    backends = {backend["id"]: backend for backend in found["backends"]}
    assert sorted(backends) == ["service/gone/gone:443", "service/hooks/one:443", "url/https://hooks.example.com:443"]
    gone, one = backends["service/gone/gone:443"], backends["service/hooks/one:443"]
    assert (gone["service"]["found"], gone["endpoints"], gone["pods"]) == (False, [], [])
    assert [(e["address"], e["ready"], e["pod"]) for e in one["endpoints"]] == [("10.0.0.1", True, "hooks/one-1"), ("10.0.0.2", False, "hooks/one-2")]
    assert [p["name"] for p in one["pods"]] == ["one-1", "one-2"]
    assert [(i["address"], i["visible"]) for i in found["control_plane"]["instances"]] == [("10.1.0.2", False), ("10.1.0.1", True)]
    assert found["control_plane"]["instances"][1]["proxy"]["HTTPS_PROXY"] == "http://***@proxy:3128"
    evidence = [(e["source"], e["count"], e["object"]["kind"]) for e in found["evidence"]]
    assert sorted(evidence) == [("condition", 1, "APIService"), ("condition", 1, "Deployment"), ("event", 6, "ReplicaSet")]
    assert [n["name"] for n in found["namespaces"]] == ["default", "hooks", "kube-system", "shop"]
    assert found["coverage"] == []


def documented(contains: dict[str, Any]) -> dict[str, Any]:
    return {key: documented(value["contains"]) if "contains" in value else {} for key, value in contains.items()}


def undocumented(found: Any, keys: dict[str, Any], path: str) -> list[str]:
    if isinstance(found, list):
        return [problem for item in found for problem in undocumented(item, keys, path)]
    if not isinstance(found, dict) or not keys:
        return []
    wrong = sorted(set(found) ^ set(keys))
    return [f"{path}.{key}" for key in wrong] + [problem for key in set(found) & set(keys) for problem in undocumented(found[key], keys[key], f"{path}.{key}")]


def test_every_key_is_documented_and_every_documented_key_is_there(fake: FakeApiServer) -> None:
    fake.forbidden.add("deployments")
    keys = documented(yaml.safe_load(RETURN)["ansible_facts"]["contains"])["kubernetes_webhooks"]
    assert undocumented(facts(fake), keys, "kubernetes_webhooks") == []


def selectors(fake: FakeApiServer, plural: str) -> list[tuple[str, str]]:
    """(namespace, label selector) of the requests for a plural."""
    return sorted((path.split("/")[-2], query["labelSelector"]) for path, query in fake.asked(plural))


def test_nothing_is_asked_beyond_what_call_outs_name(fake: FakeApiServer) -> None:
    facts(fake)
    assert sorted(path for path, _query in fake.asked("services")) == ["/api/v1/namespaces/gone/services/gone", "/api/v1/namespaces/hooks/services/one"]
    assert selectors(fake, "endpointslices") == [
        ("default", "kubernetes.io/service-name=kubernetes"),
        ("gone", "kubernetes.io/service-name in (gone)"),
        ("hooks", "kubernetes.io/service-name in (one)"),
    ]
    assert selectors(fake, "pods") == [("hooks", "app=one"), ("kube-system", "component in (kube-apiserver,kube-controller-manager,kube-scheduler)")]
    assert [query.get("fieldSelector") for _path, query in fake.asked("events")] == ["type!=Normal"]
    assert not fake.asked("secrets")


@pytest.mark.parametrize("count", [30, 31, 100])
def test_many_back_ends_are_listed_instead(fake: FakeApiServer, count: int) -> None:
    names = [f"s{number:03}" for number in range(count)]
    fake.objects[VALIDATING] = [validating(name, entry(f"{name}.example.com", service_client("many", name))) for name in names]
    for key in (("admissionregistration.k8s.io", "mutatingwebhookconfigurations"), ("apiextensions.k8s.io", "customresourcedefinitions")):
        fake.objects[key] = []
    fake.objects["apiregistration.k8s.io", "apiservices"] = []
    fake.add("", "services", *(service("many", name) for name in names[1:]), *(service("else", f"x{number}") for number in range(60)))
    fake.add("discovery.k8s.io", "endpointslices", *(endpoint_slice("many", name, endpoint("10.2.0.1")) for name in names[1:]))
    fake.add("", "pods", *(pod("many", f"{name}-p", {"app": name}) for name in names[1:]))
    found = facts(fake, page_size=20)
    assert [backend["service"]["found"] for backend in found["backends"]] == [False] + [True] * (count - 1)
    assert [len(backend["endpoints"]) for backend in found["backends"]] == [0] + [1] * (count - 1)
    assert [len(backend["pods"]) for backend in found["backends"]] == [0] + [1] * (count - 1)
    assert len([path for _method, path, _query, _headers in fake.requests if path != "/metrics"]) < (60 if count == 30 else 50)
    assert found["coverage"] == []


def test_names_that_no_object_can_have_are_not_asked_for(fake: FakeApiServer) -> None:
    fake.objects[VALIDATING] = [
        validating("odd", entry("a.example.com", service_client("hooks", "../../secrets")), entry("b.example.com", service_client("a),b", "x")))
    ]
    found = facts(fake)
    odd = [backend for backend in found["backends"] if backend["kind"] == "service" and backend["service"]["name"] in ("../../secrets", "x")]
    assert [backend["service"]["found"] for backend in odd] == [False, False]
    assert found["coverage"] == []
    assert not any("secrets" in path for _method, path, _query, _headers in fake.requests)


@pytest.mark.parametrize("kind", KINDS)
def test_one_forbidden_kind_of_call_out_leaves_the_others(fake: FakeApiServer, kind: str) -> None:
    fake.forbidden.add(kind)
    found = facts(fake)
    assert coverage(found) == {kind: "forbidden"}
    assert len(found["callouts"]) in (3, 4)
    assert "cannot list resource" in found["coverage"][0]["message"] and found["coverage"][0]["consequence"].endswith("not judged.")


def test_all_kinds_forbidden(fake: FakeApiServer) -> None:
    fake.forbidden.update(KINDS)
    with pytest.raises(ObservationError) as failure:
        facts(fake)
    assert "docs/rbac/diagnose.yaml" in str(failure.value) and "cannot list resource" in str(failure.value) and "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("forbidden", "what", "check"),
    [
        ("services", {"services"}, lambda backend: backend["service"]["found"] is None and backend["endpoints"] and backend["pods"] is None),
        ("endpointslices", {"endpointslices", "apiserver instances"}, lambda backend: backend["endpoints"] is None and backend["pods"]),
        ("pods", {"pods", "apiserver pods"}, lambda backend: backend["pods"] is None and backend["endpoints"]),
        ("namespaces", {"namespaces"}, lambda backend: backend["service"]["found"] and backend["pods"]),
        ("events", {"events"}, lambda backend: backend["pods"]),
        ("deployments", {"deployments"}, lambda backend: backend["pods"]),
    ],
)
def test_forbidden_surroundings(fake: FakeApiServer, forbidden: str, what: set[str], check: Any) -> None:
    fake.forbidden.add(forbidden)
    found = facts(fake)
    assert coverage(found) == dict.fromkeys(what, "forbidden")
    (one,) = [backend for backend in found["backends"] if backend["id"] == "service/hooks/one:443"]
    assert check(one)


def test_what_the_rights_permit(fake: FakeApiServer) -> None:
    fake.allowed = {("create", "", "pods/portforward"), ("get", "", "pods/portforward"), ("create", "", "services/proxy"), ("patch", "", "configmaps")}
    assert facts(fake)["source"]["access"] == {"port_forward": True, "service_proxy": False, "dry_run": True}
    assert facts(fake, access_review=False)["source"]["access"] == {"port_forward": None, "service_proxy": None, "dry_run": None}


def test_rights_that_cannot_be_asked_for(fake: FakeApiServer) -> None:
    fake.answers["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"] = lambda handler, query: status(403, "Forbidden", "no")
    found = facts(fake)
    assert found["source"]["access"] == {"port_forward": None, "service_proxy": None, "dry_run": None}
    assert coverage(found) == {"access": "forbidden"}


def test_evidence_not_asked_for(fake: FakeApiServer) -> None:
    found = facts(fake, evidence=False)
    assert not fake.asked("events") and not fake.asked("deployments")
    assert coverage(found) == {"events": "not_asked"}


@pytest.mark.parametrize("path", ["/version", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "/api/v1/namespaces/hooks/services/one"])
def test_expired_credentials(fake: FakeApiServer, path: str) -> None:
    fake.answers[path] = lambda handler, query: status(401, "Unauthorized", "Unauthorized")
    with pytest.raises(ObservationError, match=r"does not accept the credentials \(401 Unauthorized\).*Log in again"):
        facts(fake)


@pytest.mark.parametrize("answer", [(200, b"<html>Log in</html>"), (404, b"404 page not found"), (200, b"{}"), (200, b'["a"]'), (502, b""), (302, b"")])
def test_not_kubernetes(fake: FakeApiServer, answer: tuple[int, bytes]) -> None:
    fake.answers["/version"] = lambda handler, query: (answer[0], {}, answer[1])
    with pytest.raises(ObservationError) as failure:
        facts(fake)
    assert "does not answer like a Kubernetes API server" in str(failure.value) and fake.url in str(failure.value) and "\n" not in str(failure.value)


def test_a_version_that_may_not_be_read(fake: FakeApiServer) -> None:
    fake.answers["/version"] = lambda handler, query: status(403, "Forbidden", "no")
    found = facts(fake)
    assert found["version"] == {"git_version": None, "go_version": None, "major": None, "minor": None}
    assert coverage(found) == {"version": "forbidden"}


def test_nobody_answers(fake: FakeApiServer) -> None:
    with pytest.raises(Unreachable, match="connection refused"):
        facts(fake, host="http://127.0.0.1:1")


def test_an_api_that_does_not_exist(fake: FakeApiServer) -> None:
    fake.answers["/apis/apiregistration.k8s.io/v1/apiservices"] = lambda handler, query: status(
        404, "NotFound", "the server could not find the requested resource"
    )
    assert coverage(facts(fake)) == {"apiservices": "missing"}


@pytest.mark.parametrize("body", [b"<html>", b'{"kind": "x"}', b'{"items": [null, 7, {"metadata": null}, {"metadata": {"name": "n"}, "webhooks": 7}]}'])
def test_odd_answers_are_named(fake: FakeApiServer, body: bytes) -> None:
    fake.answers["/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"] = lambda handler, query: (200, {}, body)
    found = facts(fake)
    assert set(coverage(found).values()) == {"error"}
    assert len(found["callouts"]) == 3


def test_a_list_that_stalls_costs_one_time_out(fake: FakeApiServer) -> None:
    def stall(handler: Any, query: dict[str, str]) -> Any:
        time.sleep(2)
        return 200, {}, b"{}"

    fake.answers["/api/v1/events"] = stall
    began = time.monotonic()
    found = facts(fake, timeout=0.5)
    assert coverage(found) == {"events": "error"} and "within 0.5 s" in found["coverage"][0]["message"]
    assert time.monotonic() - began < 2


def test_big_custom_resource_definitions_come_in_small_pages(fake: FakeApiServer) -> None:
    facts(fake)
    assert [query["limit"] for _path, query in fake.asked("customresourcedefinitions")] == ["25"]
    assert {query["limit"] for _path, query in fake.asked("apiservices")} == {"500"}


def test_pages_that_expire(fake: FakeApiServer) -> None:
    whole = facts(fake)
    fake.expire = {"events": ["restart"], "namespaces": ["inconsistent"], "endpointslices": ["restart"]}
    paged = facts(fake, page_size=1)
    assert {key: paged[key] for key in paged if key != "source"} == {key: whole[key] for key in whole if key != "source"}


def test_facts_hold_no_token(fake: FakeApiServer) -> None:
    assert "very-secret" not in json.dumps(facts(fake, api_key="very-secret"))
