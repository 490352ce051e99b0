# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may keep the API server's packets from a back end inside the cluster: network policies, and the agents of its tunnel. Pure. PRIVATE to the collection.

Policies of networking.k8s.io are kept as far as evaluating their ingress needs; those of network plugins, which have languages of their own, are only named.
Both are read in the namespaces of back ends alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.callouts import selector
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.facts import service_references
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Listing, Wanted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import GroupKind, Observer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.pods import pod_facts
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import (
    integer,
    labels,
    mapping,
    mappings,
    name_of,
    namespace_of,
    text,
    texts,
)

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory

# Up to so many namespaces are asked one by one; beyond that one LIST of the whole cluster is cheaper for both sides.
_MOST_NAMESPACES = 10
# Of policies that are only named, so many are.
_MOST_NAMED = 50
_NETWORKING = "networking.k8s.io"
# (API group, version, plural, kind, namespaced): read where the group is served.
_OF_PLUGINS = (
    ("cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy", True),
    ("cilium.io", "v2", "ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy", False),
    ("crd.projectcalico.org", "v1", "networkpolicies", "NetworkPolicy", True),
    ("crd.projectcalico.org", "v1", "globalnetworkpolicies", "GlobalNetworkPolicy", False),
    ("policy.networking.k8s.io", "v1alpha1", "adminnetworkpolicies", "AdminNetworkPolicy", False),
    ("policy.networking.k8s.io", "v1alpha1", "baselineadminnetworkpolicies", "BaselineAdminNetworkPolicy", False),
    ("policy.networking.k8s.io", "v1alpha2", "clusternetworkpolicies", "ClusterNetworkPolicy", False),
)
_NAMED: dict[GroupKind, bool] = {(group, kind): namespaced for group, dummy, dummy2, kind, namespaced in _OF_PLUGINS}
# How the agents of the konnectivity tunnel are labelled on GKE, AKS, k0s and in the upstream manifests.
_AGENT = ("k8s-app", "konnectivity-agent")


class NetworkPolicies(Observer):
    """`network` of the facts."""

    path = ("network",)
    kinds = frozenset(((_NETWORKING, "NetworkPolicy"), ("", "Pod"), *_NAMED))

    def __init__(self) -> None:
        self._policies: dict[tuple[str, str], dict[str, Any]] = {}
        self._named: dict[tuple[str, str, str, str], dict[str, Any]] = {}
        self._agents: dict[tuple[str, str], dict[str, Any]] = {}

    def then(self, inventory: Inventory) -> Iterable[Wanted]:
        if _may_have_a_tunnel(inventory):
            yield Listing("konnectivity agents", "/api/v1/namespaces/kube-system/pods", "v1", "Pod", {"labelSelector": "=".join(_AGENT)})
        namespaces = _namespaces(inventory)
        if not namespaces:
            return
        yield from _listings("networkpolicies", _NETWORKING, "v1", "networkpolicies", "NetworkPolicy", namespaces)
        for group, version, plural, kind, namespaced in _OF_PLUGINS:
            if group in (inventory.api_groups or ()):
                yield from _listings(f"{plural}.{group}", group, version, plural, kind, namespaces if namespaced else None)

    def take(self, obj: dict[str, Any]) -> None:
        kind = obj["kind"]
        if kind == "Pod":
            if labels(mapping(obj.get("metadata")).get("labels")).get(_AGENT[0]) == _AGENT[1]:
                self._agents[(namespace_of(obj), name_of(obj))] = _agent(obj)
            return
        group = (text(obj.get("apiVersion")) or "").rpartition("/")[0]
        if group == _NETWORKING:
            self._policies[(namespace_of(obj), name_of(obj))] = _policy(obj)
            return
        namespace = namespace_of(obj) if _NAMED[(group, kind)] else None
        self._named[(group, kind, namespace or "", name_of(obj))] = {"group": group, "kind": kind, "namespace": namespace, "name": name_of(obj)}

    def facts(self, inventory: Inventory) -> dict[str, Any]:
        namespaces = set(_namespaces(inventory))
        named = [self._named[key] for key in sorted(self._named) if not key[2] or key[2] in namespaces]
        return {
            "policies": [self._policies[key] for key in sorted(self._policies) if key[0] in namespaces],
            "plugin_policies": named[:_MOST_NAMED],
            "agents": [self._agents[key] for key in sorted(self._agents)],
        }


def _may_have_a_tunnel(inventory: Inventory) -> bool:
    """An API server whose flags are seen has no tunnel without --egress-selector-config-file. Where pods could not be read they are not asked for again."""
    if inventory.servers:
        return any("egress-selector-config-file" in server["flags"] for server in inventory.servers.values())
    return not any(gap["what"] == "apiserver pods" for gap in inventory.coverage.entries())


def _namespaces(inventory: Inventory) -> list[str]:
    """Those of Services that call-outs name and that exist."""
    return sorted({namespace for namespace, name in service_references(list(inventory.callouts.values())) if (namespace, name) in inventory.services})


def _listings(what: str, group: str, version: str, plural: str, kind: str, namespaces: list[str] | None) -> Iterable[Listing]:
    base = f"/apis/{group}/{version}"
    if namespaces is None or len(namespaces) > _MOST_NAMESPACES:
        paths = [f"{base}/{plural}"]
    else:
        paths = [f"{base}/namespaces/{namespace}/{plural}" for namespace in namespaces]
    # Another version of the API than this one is no gap: the policies are only named.
    return [Listing(what, path, f"{group}/{version}", kind, optional=True) for path in paths]


def _agent(pod: dict[str, Any]) -> dict[str, Any]:
    kept = pod_facts(pod)
    return {key: kept[key] for key in ("namespace", "name", "labels", "node", "ip", "host_network", "ready")}


def _policy(policy: dict[str, Any]) -> dict[str, Any]:
    """`ingress` is false where the policy is about egress alone. Source: k8s.io/api networking/v1 NetworkPolicySpec."""
    spec = mapping(policy.get("spec"))
    types = texts(spec.get("policyTypes"))
    return {
        "namespace": namespace_of(policy),
        "name": name_of(policy),
        "pod_selector": _selector(mapping(spec.get("podSelector"))),
        "ingress": "Ingress" in types or not types,
        "rules": [_rule(rule) for rule in mappings(spec.get("ingress"))],
    }


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """An empty or missing list of peers, or of ports, means all of them: null."""
    ports, peers = mappings(rule.get("ports")), mappings(rule.get("from"))
    return {
        "ports": [
            {"protocol": text(port.get("protocol")) or "TCP", "port": _port(port.get("port")), "end_port": integer(port.get("endPort"))} for port in ports
        ]
        or None,
        "from": [_peer(peer) for peer in peers] or None,
    }


def _port(value: Any) -> int | str | None:
    """A number, or the name of a container's port."""
    return integer(value) if integer(value) is not None else text(value)


def _peer(peer: dict[str, Any]) -> dict[str, Any]:
    block = mapping(peer.get("ipBlock"))
    return {
        "cidr": text(block.get("cidr")),
        "except": texts(block.get("except")),
        "namespaces": _selector(peer.get("namespaceSelector")),
        "pods": _selector(peer.get("podSelector")),
    }


def _selector(value: Any) -> dict[str, Any] | None:
    """A LabelSelector; null where there is none, which is not the same as one that selects everything."""
    return None if value is None else selector(value) or {"match_labels": {}, "match_expressions": []}
