# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network policies and the agents of the tunnel: what is asked for, and what is kept; over the API and from a dump."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import observe
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import entry, obj, pod, service, service_client, validating
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import FakeApiServer

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
OPTIONS = {"src": [], "evidence": False, "access_review": False, "read_ca_secrets": False, "timeout": 5.0, "page_size": 500}
SPEC = {
    "podSelector": {"matchLabels": {"app": "one"}},
    "policyTypes": ["Ingress", "Egress"],
    "ingress": [
        {
            "ports": [{"port": 8443, "endPort": 8450}, {"protocol": "UDP", "port": "dns"}],
            "from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
        },
        {"from": [{"namespaceSelector": {}}, {"podSelector": {"matchLabels": {"a": "b"}}}]},
        {},
    ],
}
KEPT = {
    "namespace": "hooks",
    "name": "in",
    "pod_selector": {"match_labels": {"app": "one"}, "match_expressions": []},
    "ingress": True,
    "rules": [
        {
            "ports": [{"protocol": "TCP", "port": 8443, "end_port": 8450}, {"protocol": "UDP", "port": "dns", "end_port": None}],
            "from": [{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"], "namespaces": None, "pods": None}],
        },
        {
            "ports": None,
            "from": [
                {"cidr": None, "except": [], "namespaces": {"match_labels": {}, "match_expressions": []}, "pods": None},
                {"cidr": None, "except": [], "namespaces": None, "pods": {"match_labels": {"a": "b"}, "match_expressions": []}},
            ],
        },
        {"ports": None, "from": None},
    ],
}


def policy(namespace: str, name: str, **spec: Any) -> dict[str, Any]:
    return obj("networking.k8s.io/v1", "NetworkPolicy", name, namespace, spec=spec or {"podSelector": {}})


def network(fake: FakeApiServer, namespaces: int = 1) -> dict[str, Any]:
    """The facts of a cluster with back ends in so many namespaces, of which the first is `hooks`."""
    names = ["hooks", *(f"hooks-{number:02}" for number in range(1, namespaces))]
    hooks = [validating(name, entry(f"{name}.example.com", service_client(name, "one"))) for name in names]
    fake.objects["admissionregistration.k8s.io", "validatingwebhookconfigurations"] = hooks
    fake.objects["", "services"] = [service(name, "one") for name in names]
    return observe({**OPTIONS, "host": fake.url, "api_key": "t"}, NOW).facts


@pytest.fixture
def bare(fake: FakeApiServer) -> FakeApiServer:
    fake.objects.clear()
    return fake


def test_policies_of_the_namespaces_of_back_ends(bare: FakeApiServer) -> None:
    bare.add("networking.k8s.io", "networkpolicies", policy("hooks", "in", **SPEC), policy("elsewhere", "other"))
    assert network(bare)["network"] == {"policies": [KEPT], "plugin_policies": [], "agents": []}
    assert [path for path, _query in bare.asked("networkpolicies")] == ["/apis/networking.k8s.io/v1/namespaces/hooks/networkpolicies"]


@pytest.mark.parametrize(("namespaces", "requests"), [(10, 10), (11, 1)])
def test_many_namespaces_are_one_list(bare: FakeApiServer, namespaces: int, requests: int) -> None:
    bare.add("networking.k8s.io", "networkpolicies", policy("hooks", "in"), policy("elsewhere", "other"))
    assert [one["name"] for one in network(bare, namespaces)["network"]["policies"]] == ["in"]
    assert len(bare.asked("networkpolicies")) == requests


def test_without_policy_types_it_is_about_what_comes_in(bare: FakeApiServer) -> None:
    bare.add("networking.k8s.io", "networkpolicies", policy("hooks", "a"), policy("hooks", "b", podSelector={}, policyTypes=["Egress"]))
    assert [one["ingress"] for one in network(bare)["network"]["policies"]] == [True, False]


def test_policies_of_plugins_are_named_where_their_api_is_served(bare: FakeApiServer) -> None:
    network(bare)
    assert not bare.asked("ciliumnetworkpolicies")
    bare.add("cilium.io", "ciliumnetworkpolicies", *(obj("cilium.io/v2", "CiliumNetworkPolicy", "in", name, spec={"x": 1}) for name in ("hooks", "elsewhere")))
    bare.add("crd.projectcalico.org", "globalnetworkpolicies", obj("crd.projectcalico.org/v1", "GlobalNetworkPolicy", "all"))
    assert network(bare)["network"]["plugin_policies"] == [
        {"group": "cilium.io", "kind": "CiliumNetworkPolicy", "namespace": "hooks", "name": "in"},
        {"group": "crd.projectcalico.org", "kind": "GlobalNetworkPolicy", "namespace": None, "name": "all"},
    ]
    assert [path for path, _query in bare.asked("ciliumnetworkpolicies")] == ["/apis/cilium.io/v2/namespaces/hooks/ciliumnetworkpolicies"]
    assert not bare.asked("adminnetworkpolicies")


def test_agents_of_the_tunnel(bare: FakeApiServer) -> None:
    bare.add("", "pods", pod("kube-system", "agent-1", {"k8s-app": "konnectivity-agent"}), pod("kube-system", "other", {"k8s-app": "dns"}))
    (agent,) = network(bare)["network"]["agents"]
    assert (agent["name"], agent["labels"]) == ("agent-1", {"k8s-app": "konnectivity-agent"})
    assert set(agent) == {"namespace", "name", "labels", "node", "ip", "host_network", "ready"}


def test_an_api_server_that_is_seen_to_have_no_tunnel_has_no_agents(bare: FakeApiServer) -> None:
    server = pod("kube-system", "kube-apiserver-cp", {"component": "kube-apiserver"})
    bare.add("", "pods", server)
    network(bare)
    assert {query["labelSelector"] for _path, query in bare.asked("pods") if "konnectivity" in query["labelSelector"]} == set()


def test_what_may_not_be_read_is_a_gap(bare: FakeApiServer) -> None:
    bare.forbidden.add("networkpolicies")
    assert [gap["what"] for gap in network(bare)["coverage"] if gap["reason"] == "forbidden"] == ["networkpolicies"]


def test_a_dump(tmp_path: Path) -> None:
    items = [
        policy("hooks", "in", **SPEC),
        policy("elsewhere", "other"),
        pod("kube-system", "agent-1", {"k8s-app": "konnectivity-agent"}),
        service("hooks", "one"),
        validating("hook", entry("hook.example.com", service_client("hooks", "one"))),
        obj("cilium.io/v2", "CiliumClusterwideNetworkPolicy", "all"),
    ]
    (tmp_path / "dump.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), encoding="utf-8")
    found = observe({**OPTIONS, "src": [str(tmp_path)]}, NOW).facts["network"]
    assert found["policies"] == [KEPT]
    assert [one["name"] for one in found["plugin_policies"]] == ["all"]
    assert [one["name"] for one in found["agents"]] == ["agent-1"]
