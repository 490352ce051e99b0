# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells on which platform the cluster runs, and how its network is made: nodes, DaemonSets, a few ConfigMaps. Pure. PRIVATE to the collection.

Nothing is concluded here: which of these signals mean what is judged on the controller.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Listing, Named, Wanted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import (
    bounded,
    condition_of,
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

# More nodes than this are counted, but only those that back ends run on are kept.
MOST_NODES = 200
# Labels by which clouds, distributions and node pools are known, by the beginning of their names.
_NODE_LABELS = (
    "eks.amazonaws.com/",
    "cloud.google.com/",
    "kubernetes.azure.com/",
    "node.k8s.ovh/",
    "k8s.ovh.net/",
    "node.openshift.io/",
    "node.kubernetes.io/instance-type",
    "node-role.kubernetes.io/",
    "topology.kubernetes.io/",
    "minikube.k8s.io/name",
    "microk8s.io/",
    "node.k0sproject.io/",
    "egress.rke2.io/",
    "com.docker.ucp",
    "karpenter.sh/",
    "alpha.eksctl.io/cluster-name",
    "kubernetes.io/os",
)
# ConfigMaps that say how a cluster was made -> the keys that are kept of them.
_CONFIG_MAPS = {
    ("kube-system", "kubeadm-config"): ("ClusterConfiguration",),
    ("kube-system", "cilium-config"): (
        "ipam",
        "routing-mode",
        "tunnel",
        "tunnel-protocol",
        "cni-chaining-mode",
        "policy-cidr-match-mode",
        "enable-policy",
        "cluster-pool-ipv4-cidr",
    ),
}
_LONGEST = 4000
# Variables of CNI DaemonSets that say where pods get their addresses.
_VARIABLES = frozenset(
    (
        "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG",
        "ENABLE_POD_ENI",
        "AWS_VPC_CNI_NODE_PORT_SUPPORT",
        "CALICO_IPV4POOL_CIDR",
        "CALICO_IPV4POOL_VXLAN",
        "CALICO_IPV4POOL_IPIP",
        "CALICO_NETWORKING_BACKEND",
    )
)


class Platform(Observer):
    """`platform` of the facts."""

    path = ("platform",)
    kinds = frozenset((("", "Node"), ("apps", "DaemonSet"), ("", "ConfigMap")))

    def __init__(self) -> None:
        self._nodes: dict[str, dict[str, Any]] = {}
        self._daemonsets: dict[tuple[str, str], dict[str, Any]] = {}
        self._config: dict[str, dict[str, str]] = {}

    def first(self) -> Iterable[Wanted]:
        yield Listing("nodes", "/api/v1/nodes", "v1", "Node")
        yield Listing("daemonsets", "/apis/apps/v1/daemonsets", "apps/v1", "DaemonSet")
        for namespace, name in _CONFIG_MAPS:
            yield Named(f"configmap {namespace}/{name}", f"/api/v1/namespaces/{namespace}/configmaps/{name}", "v1", "ConfigMap")

    def take(self, obj: dict[str, Any]) -> None:
        if obj["kind"] == "Node":
            self._nodes[name_of(obj)] = _node(obj)
        elif obj["kind"] == "DaemonSet":
            self._daemonsets[(namespace_of(obj), name_of(obj))] = _daemonset(obj)
        else:
            keys = _CONFIG_MAPS.get((namespace_of(obj), name_of(obj)))
            if keys:
                data = labels(obj.get("data"))
                self._config[name_of(obj)] = {key: bounded(data[key], _LONGEST) for key in keys if key in data}

    def facts(self, inventory: Inventory) -> dict[str, Any]:
        names = sorted(self._nodes)
        if len(names) > MOST_NODES:
            used = {pod["node"] for pods in inventory.pods.values() for pod in pods.values()}
            names = sorted([name for name in names if name in used] or names[:MOST_NODES])[:MOST_NODES]
        return {
            "api_groups": None if inventory.api_groups is None else sorted(inventory.api_groups),
            "node_count": len(self._nodes) if self._nodes else None,
            "nodes": [self._nodes[name] for name in names],
            "daemonsets": [self._daemonsets[key] for key in sorted(self._daemonsets)],
            "config": {name: self._config[name] for name in sorted(self._config)},
        }


def _node(node: dict[str, Any]) -> dict[str, Any]:
    spec, status = mapping(node.get("spec")), mapping(node.get("status"))
    addresses = mappings(status.get("addresses"))
    info = mapping(status.get("nodeInfo"))
    kept = labels(mapping(node.get("metadata")).get("labels"))
    return {
        "name": name_of(node),
        "provider_id": text(spec.get("providerID")),
        "labels": {key: value for key, value in kept.items() if key.startswith(_NODE_LABELS)},
        "internal_ips": [item["address"] for item in addresses if item.get("type") == "InternalIP" and text(item.get("address"))],
        "external_ips": [item["address"] for item in addresses if item.get("type") == "ExternalIP" and text(item.get("address"))],
        "pod_cidrs": texts(spec.get("podCIDRs")) or [cidr for cidr in (text(spec.get("podCIDR")),) if cidr],
        "kubelet_version": text(info.get("kubeletVersion")),
        "container_runtime": text(info.get("containerRuntimeVersion")),
        "os_image": text(info.get("osImage")),
        "ready": condition_of(status, "Ready").get("status") == "True",
    }


def _daemonset(daemonset: dict[str, Any]) -> dict[str, Any]:
    status = mapping(daemonset.get("status"))
    pod = mapping(mapping(mapping(daemonset.get("spec")).get("template")).get("spec"))
    containers = mappings(pod.get("containers"))
    host_network = pod.get("hostNetwork") is True
    # A port that a pod in the network of its node declares is one of the node, whether the API server has filled in hostPort or not.
    keys = ("hostPort", "containerPort") if host_network else ("hostPort",)
    variables = {
        item["name"]: item["value"] for one in containers for item in mappings(one.get("env")) if item.get("name") in _VARIABLES and text(item.get("value"))
    }
    return {
        "namespace": namespace_of(daemonset),
        "name": name_of(daemonset),
        "labels": labels(mapping(daemonset.get("metadata")).get("labels")),
        "host_network": host_network,
        "host_ports": sorted({port for one in containers for item in mappings(one.get("ports")) for key in keys if (port := integer(item.get(key)))}),
        "ready": integer(status.get("numberReady")) or 0,
        "desired": integer(status.get("desiredNumberScheduled")) or 0,
        "env": variables,
    }
