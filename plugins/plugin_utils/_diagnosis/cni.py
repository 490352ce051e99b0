# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which network plugins there are, and of what kind a back end's address is. Pure. PRIVATE to the collection.

What matters is whether an address belongs to the network that the nodes are in (a managed API server reaches it) or to one that only nodes and pods of the
cluster know. The plugins tell it: which DaemonSets run, and how Cilium is set up. A calico-node beside an aws-node only enforces policies; an EKS cluster
without an aws-node may be in Auto Mode, where pods have addresses of the VPC all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from .platform import AUTO, FARGATE, HYBRID, node_kinds

# host: the node's own address. native: of the network that the nodes are in. overlay: known to nodes and pods of the cluster alone.
HOST, NATIVE, OVERLAY, UNKNOWN = "host", "native", "overlay", "unknown"

_DaemonSet = Mapping[str, Any]


def _named(*names: str) -> Callable[[_DaemonSet], bool]:
    return lambda one: one["name"] in names or one["labels"].get("k8s-app") in names


# plugin -> how its DaemonSet is known
_PLUGINS: tuple[tuple[str, Callable[[_DaemonSet], bool]], ...] = (
    ("aws-node", _named("aws-node")),
    ("calico", _named("calico-node")),
    ("canal", _named("canal", "rke2-canal")),
    ("cilium", _named("cilium")),
    ("anetd", _named("anetd")),
    ("weave", lambda one: one["name"] == "weave-net" or one["labels"].get("name") == "weave-net"),
    ("flannel", lambda one: str(one["name"]).startswith("kube-flannel")),
    ("antrea", _named("antrea-agent")),
    ("kindnet", lambda one: one["name"] == "kindnet" or one["labels"].get("app") == "kindnet"),
    ("ovn-kubernetes", _named("ovnkube-node")),
    ("kube-ovn", _named("kube-ovn-cni")),
    ("kube-router", _named("kube-router")),
    ("azure", _named("azure-cns", "azure-cni-networkmonitor")),
)
_LABELS = {
    "aws-node": "the Amazon VPC CNI",
    "calico": "Calico",
    "canal": "Canal",
    "cilium": "Cilium",
    "anetd": "GKE Dataplane V2",
    "weave": "Weave Net",
    "flannel": "flannel",
    "antrea": "Antrea",
    "kindnet": "kindnet",
    "ovn-kubernetes": "OVN-Kubernetes",
    "kube-ovn": "Kube-OVN",
    "kube-router": "kube-router",
    "azure": "Azure CNI",
}
_OVERLAYS = frozenset(("weave", "flannel", "antrea", "kindnet", "ovn-kubernetes", "kube-ovn", "kube-router", "canal"))
_ENFORCE = frozenset(("calico", "canal", "cilium", "anetd", "weave", "antrea", "ovn-kubernetes", "kube-ovn", "kube-router"))
# Modes of Cilium's `ipam` in which pods get addresses of the cloud's network.
_CLOUD_IPAM = frozenset(("eni", "azure", "alibabacloud", "delegated-plugin"))
_POD_SUBNET = re.compile(r"^\s*podSubnet:\s*[\"']?([0-9a-fA-F.:/,]+)", re.MULTILINE)


@dataclass(frozen=True)
class Cni:
    """plugins: those whose DaemonSets run somewhere. addresses: NATIVE, OVERLAY or UNKNOWN, of pods on ordinary nodes. enforces: whether NetworkPolicies
    have any effect, None where that is not known. rejects: whether a policy refuses connections instead of dropping their packets."""

    plugins: tuple[str, ...]
    addresses: str
    enforces: bool | None
    rejects: bool
    because: tuple[str, ...]

    @property
    def label(self) -> str | None:
        """For example `Calico beside the Amazon VPC CNI`."""
        return " beside ".join(_LABELS[name] for name in reversed(self.plugins)) or None


def judge_cni(facts: Mapping[str, Any], platform: str | None = None) -> Cni:
    """platform: the deciding word of platform.py."""
    observed = facts.get("platform") or {}
    found: dict[str, str] = {}
    for daemonset in observed.get("daemonsets") or ():
        for plugin, known in _PLUGINS:
            # One that no node is to run has been switched off: that is how the VPC CNI is replaced.
            if plugin not in found and daemonset["desired"] and known(daemonset):
                found[plugin] = f"DaemonSet {daemonset['namespace']}/{daemonset['name']} ({daemonset['ready']} of {daemonset['desired']} ready)"
    cilium = (observed.get("config") or {}).get("cilium-config") or {}
    addresses, why = _addresses(frozenset(found), cilium, _backends(observed), platform)
    return Cni(
        plugins=tuple(plugin for plugin, dummy in _PLUGINS if plugin in found),
        addresses=addresses,
        enforces=_enforces(frozenset(found), platform),
        rejects="kube-router" in found or platform == "k3s",
        because=tuple(line for line in (*found.values(), why) if line),
    )


def _backends(observed: Mapping[str, Any]) -> Mapping[str, str]:
    """The variables of Calico."""
    return next((one["env"] for one in observed.get("daemonsets") or () if one["name"] == "calico-node"), {})


def _addresses(found: frozenset[str], cilium: Mapping[str, str], calico: Mapping[str, str], platform: str | None) -> tuple[str, str | None]:
    """(kind of the pods' addresses, why)."""
    if platform == "gke":
        return NATIVE, "GKE gives pods addresses of the VPC"
    if "cilium" in found:
        mode, chained = cilium.get("ipam"), cilium.get("cni-chaining-mode")
        if chained and chained not in ("none", "portmap"):
            return (NATIVE if chained == "aws-cni" or "aws-node" in found else UNKNOWN), f"Cilium is chained to another plugin (cni-chaining-mode: {chained})"
        if mode in _CLOUD_IPAM:
            return NATIVE, f"Cilium gives pods addresses of the cloud's network (ipam: {mode})"
        if mode and "aws-node" not in found:
            tunnel = cilium.get("routing-mode", "tunnel") == "tunnel" and cilium.get("tunnel") != "disabled"
            said = f"Cilium gives pods addresses of its own (ipam: {mode}{', in a tunnel' if tunnel else ', routed natively'})"
            return (OVERLAY if tunnel or platform == "eks" else UNKNOWN), said
    if "aws-node" in found:
        custom = "the VPC CNI gives pods addresses of the VPC"
        return NATIVE, f"{custom}; {', '.join(sorted(found - {'aws-node'}))} beside it only enforces policies" if found - {"aws-node"} else custom
    if "calico" in found and calico.get("CALICO_NETWORKING_BACKEND") != "none":
        return OVERLAY, "Calico gives pods addresses of its own pools"
    overlay = sorted(found & _OVERLAYS)
    if overlay:
        return OVERLAY, f"{_LABELS[overlay[0]]} gives pods addresses of its own network"
    return UNKNOWN, None


def _enforces(found: frozenset[str], platform: str | None) -> bool | None:
    if found & _ENFORCE or platform == "k3s":  # k3s has kube-router's policy controller built in
        return True
    return False if found == {"flannel"} else None


def address_kind(address: str, node: Mapping[str, Any] | None, cni: Cni, facts: Mapping[str, Any], platform: str | None = None) -> str:
    """HOST, NATIVE, OVERLAY or UNKNOWN. node: the one that the endpoint is on, if it was read."""
    kinds = node_kinds(node) if node else frozenset()
    if (node and address in (*node["internal_ips"], *node["external_ips"])) or FARGATE in kinds:
        return HOST  # a Fargate pod has the address of its node
    if AUTO in kinds:
        return NATIVE
    if HYBRID in kinds:
        return OVERLAY
    if cni.addresses != UNKNOWN:
        return cni.addresses
    nodes = (facts.get("platform") or {}).get("nodes") or ()
    if platform != "gke" and _inside(address, [*(cidr for one in nodes for cidr in one["pod_cidrs"]), *_configured(facts)]):
        return OVERLAY
    if platform == "eks" and _same_16(address, [ip for one in nodes for ip in one["internal_ips"]]):
        return NATIVE  # a CIDR block of a VPC is never larger than a /16
    return UNKNOWN


def _configured(facts: Mapping[str, Any]) -> list[str]:
    """The pod networks that kubeadm and Cilium were told."""
    config = (facts.get("platform") or {}).get("config") or {}
    told = _POD_SUBNET.findall((config.get("kubeadm-config") or {}).get("ClusterConfiguration", ""))
    pools = re.split(r"[\s,]+", (config.get("cilium-config") or {}).get("cluster-pool-ipv4-cidr", ""))
    return [cidr for text in (*told, *pools) for cidr in text.split(",") if cidr]


def _inside(address: str, networks: Iterable[str]) -> bool:
    return any(contains(network, address) for network in networks)


def contains(network: str, address: str) -> bool:
    """Whether an address lies in a network; false where one of them cannot be read."""
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False


def _same_16(address: str, others: Iterable[str]) -> bool:
    return "." in address and any(contains(f"{other}/16", address) for other in others if "." in other)
