# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which remedy is right where the API server cannot reach a back end, and why the others are wrong. Pure. PRIVATE to the collection.

People try hostNetwork, another port, a NetworkPolicy and firewall rules by turns, because each of them is right somewhere. Where:

    what is seen                                                      right                           code
    -------------------------------------------------------------    ----------------------------    -----
    the kubelet answers, on Fargate                                   another port (securePort)       WD720
    the kubelet answers or has the port, pod in its node's network    another, free port              WD721
    EKS says "Address is not allowed"                                 hostNetwork on a free port      WD703
    EKS, every endpoint is on a hybrid node                           cloud nodes, or routed pods     WD704
    a NetworkPolicy admits neither API server nor agents              the policy                      WD710
    dropped, calls come through agents (konnectivity) that are up     the way from the agents         WD713
    dropped, EKS, address of an overlay                               hostNetwork on a free port      WD703
    dropped, GKE with private nodes, port neither 443 nor 10250       the firewall                    WD701
    dropped, a policy that cannot be evaluated in the namespace       look at that policy             WD711
    dropped, EKS, address of the VPC                                  the security group              WD702
    dropped, a policy that cannot be evaluated for the cluster        look at that policy             WD711

The first line that holds decides. Where other endpoints of the same Service are reached, what lies before all of them alike (from WD713 down) is no cause.
A cloud's firewall cannot be seen from inside, so what it would explain is told as likely, and only where nothing that can be seen explains it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .cni import HOST, OVERLAY
from .host_ports import KUBELET_PORT
from .network_policy import REFUSED, UNSURE

# How calls fail: packets lost for certain; out of time, in a phase that nobody saw; and the others by name.
DROPPED, OUT_OF_TIME, NO_ROUTE, NOT_ALLOWED, KUBELET, PORT_TAKEN, REJECTED = (
    "dropped",
    "out_of_time",
    "no_route",
    "not_allowed",
    "kubelet",
    "port_taken",
    "rejected",
)
SECURE_PORT, FREE_PORT, HOST_NETWORK, CLOUD_NODES, POLICY, AGENTS, FIREWALL, PLUGIN_POLICY, SECURITY_GROUP = (
    "secure_port",
    "free_port",
    "host_network",
    "cloud_nodes",
    "policy",
    "agents",
    "firewall",
    "plugin_policy",
    "security_group",
)
# What a GKE control plane may reach on private nodes, unless somebody adds a rule.
_OPEN_ON_GKE = frozenset((443, KUBELET_PORT))


@dataclass(frozen=True)
class Path:
    """The way to one back end, as far as it decides. failure: one of the words above. partial: whether other endpoints are reached.
    ports: those that calls go to (of the pods).

    address: the kind of the endpoints' addresses (cni.py). node: fargate, auto, hybrid, or None for any other or several kinds.
    policy: what network_policy.py says, None without a pod. plugin_policy: namespace, cluster or None: whether there are policies that cannot be evaluated.
    tunnel: whether agents of a tunnel are up. barred: why hostNetwork cannot be used.
    """

    failure: str
    partial: bool = False
    platform: str | None = None
    private_nodes: bool = False
    address: str = "unknown"
    node: str | None = None
    ports: tuple[int, ...] = ()
    host_network: bool = False
    policy: str | None = None
    plugin_policy: str | None = None
    tunnel: bool = False
    barred: str | None = None


@dataclass(frozen=True)
class Advice:
    """remedy: one of the words above. right: what to do and why. wrong: what not to do and why, one sentence each."""

    remedy: str
    right: str
    wrong: tuple[str, ...] = field(default=())


def advise(path: Path) -> Advice | None:
    """None where no line of the table holds: what is known about failures of that kind in general has to do."""
    remedy = _remedy(path)
    return _WORDS[remedy](path) if remedy else None


def _remedy(path: Path) -> str | None:
    if path.failure == KUBELET and path.node == "fargate":
        return SECURE_PORT
    if path.failure in (KUBELET, PORT_TAKEN):
        return FREE_PORT if path.host_network and _taken(path) else None
    if path.failure == NOT_ALLOWED:
        return HOST_NETWORK if path.platform == "eks" and path.address != HOST else None
    lost = path.failure in (DROPPED, OUT_OF_TIME)
    if path.platform == "eks" and path.node == "hybrid" and (lost or path.failure == NO_ROUTE):
        return CLOUD_NODES
    if path.policy == REFUSED and (lost or path.failure == REJECTED):
        return POLICY
    if not lost or path.partial:
        # What lies before all endpoints alike does not keep calls from some of them.
        return None
    certain = path.failure == DROPPED
    if path.tunnel and path.platform != "gke":
        # Which way GKE takes to pods cannot be told from inside, and its documentation asks for the rule.
        return AGENTS if certain else None
    if path.platform == "eks" and path.address == OVERLAY:
        return HOST_NETWORK
    if path.platform == "gke" and path.private_nodes and path.ports and not set(path.ports) <= _OPEN_ON_GKE:
        return FIREWALL
    if certain and (path.plugin_policy == "namespace" or path.policy == UNSURE):
        return PLUGIN_POLICY
    if certain and path.platform == "eks":
        return SECURITY_GROUP
    return PLUGIN_POLICY if certain and path.plugin_policy else None


def _taken(path: Path) -> dict[int, str]:
    """Those of its ports that the node itself has: port -> whose it is."""
    owners = {KUBELET_PORT: "the kubelet's"}
    if path.platform == "k3s" and path.failure == PORT_TAKEN:
        owners[10260] = "the k3s server's own, for its cloud controller manager"
    return {port: owner for port, owner in owners.items() if port in path.ports}


def _no_host_network(path: Path, otherwise: str) -> str:
    return f"hostNetwork: {path.barred}" if path.barred else f"hostNetwork: {otherwise}"


def _no_policy(path: Path) -> str:
    said = "no NetworkPolicy that selects the pods was seen" if path.policy == "open" else "those that were seen admit the API server"
    return f"a NetworkPolicy: {said}" if path.policy else "a NetworkPolicy: it opens nothing that the cloud has closed"


def _secure_port(path: Path) -> Advice:
    return Advice(
        SECURE_PORT,
        f"let the webhook listen on another port than {KUBELET_PORT} (securePort), and nothing else: on Fargate a pod has the address of its node, and there "
        f"{KUBELET_PORT} is the kubelet's",
        (
            "hostNetwork: Fargate refuses pods that ask for it",
            "a new certificate: the webhook's own certificate was never served",
            "a firewall rule: the call arrives, at the wrong process",
        ),
    )


def _free_port(path: Path) -> Advice:
    return Advice(
        FREE_PORT,
        "keep hostNetwork if it is needed, and let the webhook listen on a port that is free on every node: "
        + ", ".join(f"{port} is {owner}" for port, owner in _taken(path).items()),
        (
            "a new certificate: the webhook's own certificate was never served",
            "a firewall rule or policy: the node is reached, at the wrong process",
            "port 10260: cloud controller managers listen there, on k3s the server itself",
        ),
    )


def _host_network(path: Path) -> Advice:
    right = "run the webhook's pods in the network of their nodes (hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet) on a port that is free on every node"
    if path.barred:
        right = (
            f"give the webhook's pods addresses of the VPC (the VPC CNI), or move them where hostNetwork is permitted and use it on a free port: {path.barred}"
        )
    return Advice(
        HOST_NETWORK,
        f"{right}: the control plane of EKS cannot be joined to an overlay network, so it reaches nodes and no pods",
        (
            "another port alone: the address is what cannot be reached, not the port",
            "a security group alone: its rules are about addresses of the VPC, which the pods have none of",
            "a NetworkPolicy: nothing refuses the packets, they have no way",
            f"port {KUBELET_PORT} with hostNetwork: there the kubelet listens",
        ),
    )


def _cloud_nodes(path: Path) -> Advice:
    return Advice(
        CLOUD_NODES,
        "run the webhook's pods on nodes in the cloud (nodeAffinity eks.amazonaws.com/compute-type NotIn [hybrid]), or make the pod network of the hybrid "
        "nodes routable from the VPC and name it in the cluster's remote pod networks",
        (
            "a security group alone: without a route to the remote pods no packet gets there",
            "another port: no port of these addresses is reached",
            _no_host_network(path, "it works only where the network of the hybrid nodes is routed to the VPC, and binds the pods to it"),
        ),
    )


def _policy(path: Path) -> Advice:
    right = "admit TCP to the pods' port without `from`: the API server is no pod, so no podSelector or namespaceSelector matches its calls"
    if path.tunnel:
        right = "admit TCP to the pods' port without `from`, or from the konnectivity agents (namespace kube-system, k8s-app: konnectivity-agent): they call"
    return Advice(
        POLICY,
        right,
        (
            "another port: the policy admits ports that it names, and would refuse that one too",
            "a firewall rule: the cluster's own policy refuses the packets behind it",
            _no_host_network(path, "it takes the pods out of all policies and into the network of the node, which opens more than this one port"),
        ),
    )


def _agents(path: Path) -> Advice:
    return Advice(
        AGENTS,
        "look at the way from the konnectivity agents to the pods, which is inside the cluster: the agents make the calls, from their own pods and nodes "
        "(network plugin, host firewall between nodes, network security group of the node subnets)",
        (
            "a firewall rule from the control plane's addresses to the nodes: no call comes from there",
            _no_policy(path),
            _no_host_network(
                path, "it changes the address, not what keeps the agents from it" + ("; AKS Automatic refuses it" if path.platform == "aks" else "")
            ),
        ),
    )


def _firewall(path: Path) -> Advice:
    blocked = ", ".join(str(port) for port in path.ports if port not in _OPEN_ON_GKE)
    return Advice(
        FIREWALL,
        f"add a firewall rule from the control plane's range to the nodes for TCP {blocked} (the port of the pods, not of the Service); or let the webhook "
        f"listen on {KUBELET_PORT}, which is open, as a pod in its own network",
        (
            _no_host_network(path, f"the same firewall stands before the nodes' own ports, and on {KUBELET_PORT} the kubelet listens"),
            "another port than 443 and 10250: the firewall admits no other",
            _no_policy(path),
        ),
    )


def _security_group(path: Path) -> Advice:
    ports = ", ".join(map(str, path.ports)) or "the pods' port"
    return Advice(
        SECURITY_GROUP,
        f"let the security group of the nodes (or that of the pods, where they have their own) admit TCP {ports} from the cluster's security group",
        (
            _no_host_network(path, "the pods have addresses of the VPC already; the nodes' security group stands before the node's ports as well"),
            "another port, unless the security group admits it: it is the group that decides",
            _no_policy(path),
        ),
    )


def _plugin_policy(path: Path) -> Advice:
    return Advice(
        PLUGIN_POLICY,
        "let the policy that is named above admit the API server on the pods' port: for Cilium fromEntities [kube-apiserver, remote-node, host], for Calico a "
        "rule for the pods' port without a source",
        (
            "a plain NetworkPolicy beside it: it does not overrule what a policy of the network plugin denies",
            _no_host_network(path, "it takes the pods out of most policies and into the network of the node, which opens more than one port"),
        ),
    )


_WORDS = {
    SECURE_PORT: _secure_port,
    FREE_PORT: _free_port,
    HOST_NETWORK: _host_network,
    CLOUD_NODES: _cloud_nodes,
    POLICY: _policy,
    AGENTS: _agents,
    FIREWALL: _firewall,
    PLUGIN_POLICY: _plugin_policy,
    SECURITY_GROUP: _security_group,
}
