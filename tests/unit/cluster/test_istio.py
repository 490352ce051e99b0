# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for about Istio, how little, and that a dump tells the same."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import PLURALS
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import observe
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.mesh_world import objects
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import AT
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import FakeApiServer

OPTIONS = {"src": [], "evidence": True, "access_review": False, "read_ca_secrets": False, "timeout": 5.0, "page_size": 500}
SHOP = {
    "namespaces": {"shop": {"istio-injection": "enabled"}, "other": {}},
    "pods": ["shop/web bare", "shop/web bare", "shop/api native", "other/job bare sidecar.istio.io/inject=true", "other/plain bare"],
    "config_maps": {"istio": "accessToken: planted-5e2\ndefaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n"},
}


@pytest.fixture
def server() -> Iterator[FakeApiServer]:
    fake = FakeApiServer()
    yield fake
    fake.close()


def load(fake: FakeApiServer, given: Mapping[str, Any]) -> None:
    for one in objects(given):
        group = one["apiVersion"].rpartition("/")[0]
        fake.add(group, PLURALS.get((group, one["kind"]), f"{one['kind'].lower()}s"), one)
    fake.add("networking.istio.io", "gateways")


def facts(fake: FakeApiServer) -> dict[str, Any]:
    return observe({**OPTIONS, "host": fake.url, "api_key": "t"}, AT).facts


def test_what_is_seen_of_a_mesh(server: FakeApiServer) -> None:
    load(server, SHOP)
    found = facts(server)
    mesh = found["apps"]["istio"]
    assert [(one["name"], one["revision"], one["version"], one["ready"]) for one in mesh["control_planes"]] == [("istiod", "default", "1.30.3", 2)]
    lacking = {(one["namespace"], one["kind"], one["name"]): one["without_sidecar"] for one in mesh["workloads"] if one["namespace"] != "istio-system"}
    del lacking["shop", "Deployment", "api"]
    assert lacking == {("shop", "Deployment", "web"): 2, ("other", "Deployment", "job"): 1}
    assert [(one["address"], one["found"]) for one in mesh["discovery"]] == [("istiod.istio-system.svc:15012", True)]
    assert "planted-5e2" not in str(found)
    assert found["coverage"] == []


def test_only_pods_that_may_be_injected_are_asked_for(server: FakeApiServer) -> None:
    load(server, SHOP)
    facts(server)
    asked = sorted((path, query.get("labelSelector", "")) for path, query in server.asked("pods") if "fieldSelector" in query)
    assert asked == [("/api/v1/namespaces/shop/pods", ""), ("/api/v1/pods", "istio.io/rev"), ("/api/v1/pods", "sidecar.istio.io/inject=true")]
    assert not server.asked("clusterroles")
    assert len(server.asked("events")) == 1


def test_what_the_kubelet_says_of_sidecars_is_taken_from_the_events_that_are_read_anyway(server: FakeApiServer) -> None:
    said = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    told = {"about": "shop/web-5d8f-0", "container": "istio-proxy", "says": said}
    load(server, {"namespaces": {"shop": {"istio-injection": "enabled"}}, "pods": ["shop/web sidecar unready", "shop/web sidecar"], "events": [told]})
    server.answers["/apis"] = _late
    (proxy,) = facts(server)["apps"]["istio"]["proxies"]
    assert (proxy["name"], proxy["said"], proxy["count"], proxy["owner"]) == ("web-5d8f-0", said, 7, {"kind": "Deployment", "name": "web"})
    assert len(server.asked("events")) == 1


def _late(dummy_handler: Any, dummy_query: dict[str, str]) -> Any:
    """The API groups, when everything else that is asked for at first has long been answered."""
    time.sleep(0.3)
    return 200, {"Content-Type": "application/json"}, json.dumps({"groups": [{"name": "networking.istio.io"}]}).encode()


def test_many_namespaces_are_asked_for_at_once(server: FakeApiServer) -> None:
    load(server, {"namespaces": {f"team-{number}": {"istio-injection": "enabled"} for number in range(30)}, "pods": ["team-3/web bare"]})
    found = facts(server)["apps"]["istio"]["workloads"]
    assert [path for path, query in server.asked("pods") if "fieldSelector" in query] == ["/api/v1/pods"]
    assert [one["name"] for one in found if one["namespace"] != "istio-system"] == ["web"]


def test_istiods_rights_are_looked_at_where_it_has_not_done_its_work(server: FakeApiServer) -> None:
    load(server, {"injectors": {"istio-sidecar-injector": {"ca": False}}, "roles": {"istiod-clusterrole-istio-system": "full"}})
    roles = facts(server)["apps"]["istio"]["roles"]
    assert [(one["kind"], one["found"]) for one in roles] == [("ClusterRole", True), ("ClusterRoleBinding", False)]


@pytest.mark.parametrize(
    ("kind", "gap"), [("deployments", "istiod deployments"), ("configmaps", "configmap istio-system/istio"), ("services", "services of istio-system")]
)
def test_what_may_not_be_read_is_coverage(server: FakeApiServer, kind: str, gap: str) -> None:
    load(server, SHOP)
    server.forbidden.add(kind)
    found = facts(server)
    assert gap in [entry["what"] for entry in found["coverage"]]
    assert found["apps"]["istio"]["control_planes"] is None or kind != "deployments"


def test_a_cluster_without_istio_is_asked_nothing(server: FakeApiServer) -> None:
    load(server, {"istiods": {}, "injectors": {}, "validators": {}})
    del server.objects["networking.istio.io", "gateways"]
    assert "istio" not in facts(server)["apps"]
    assert not [path for path, query in server.asked("deployments") if query.get("labelSelector") == "app=istiod"]


def test_managed_control_planes_are_read_where_their_api_is_served(server: FakeApiServer) -> None:
    load(server, {"istiods": {}, "validators": {}, "injectors": {"istiod-asm-managed": {"revision": "asm-managed", "url": "https://example.com/inject"}}})
    revision = {"metadata": {"namespace": "istio-system", "name": "asm-managed"}, "spec": {"channel": "regular"}}
    server.add("mesh.cloud.google.com", "controlplanerevisions", revision)
    assert [(one["name"], one["channel"]) for one in facts(server)["apps"]["istio"]["managed"]] == [("asm-managed", "regular")]


def test_a_dump_tells_the_same(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(list(objects(SHOP))))
    found = observe({"src": [str(tmp_path)]}, AT + timedelta(hours=1)).facts
    codes = {finding["code"]: finding for finding in diagnose(found) if finding["code"].startswith("WD85")}
    assert sorted(codes) == ["WD850"]
    assert any("Deployment web: 2 of 2 pods" in line for line in codes["WD850"]["evidence"])
