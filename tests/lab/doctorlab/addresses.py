# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's addresses and names. EndpointSlices refuse 127.0.0.0/8, so everything has an address of its own on the namespace's loopback device."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

POD_NETWORK = IPv4Network("10.244.0.0/16")
# Of it, what kwok gives to pods that nobody runs; and its nodes.
KWOK_POD_NETWORK = IPv4Network("10.244.128.0/17")
KWOK_NODE_NETWORK = IPv4Network("172.30.0.0/16")
SERVICE_NETWORK = IPv4Network("10.96.0.0/16")
# Hosts outside the cluster: what url webhooks name.
OUTSIDE_NETWORK = IPv4Network("172.31.1.0/24")
OUTSIDE_DOMAIN = "hooks.lab.example.net"

# The API servers' nodes. Where they have no kubelet there are two at most, and the first one shares its network with everything else.
CONTROL_PLANE_NODES = {"lab-control-plane": "172.31.0.11", "lab-control-plane-2": "172.31.0.12", "lab-control-plane-3": "172.31.0.13"}
FIRST, SECOND, THIRD = CONTROL_PLANE_NODES
CONTROL_PLANES = {name: CONTROL_PLANE_NODES[name] for name in (FIRST, SECOND)}
# The load balancer in front of control-plane nodes that have a kubelet.
BALANCER, BALANCER_ADDRESS = "lab-balancer", "172.31.0.10"
WORKERS = {"lab-worker": "172.31.0.21"}
# The node with a real kubelet, in a network namespace of its own, and the addresses of its pods.
NODE, NODE_ADDRESS = "lab-node", "172.31.0.31"
NODE_PODS = IPv4Network("10.244.64.0/24")
API_PORT = 6443
KUBELET_PORT = 10250
API_SERVICE = "10.96.0.1"
DNS = "172.31.0.53"
PROXY = "172.31.0.88"
PROXY_PORT = 8888
UPSTREAM_PORT = 3128  # of the proxy behind the proxy
ETCD = f"http://{CONTROL_PLANES[FIRST]}:2379"
ETCD_OF_EVENTS = f"http://{CONTROL_PLANES[FIRST]}:2389"

ETCD_PORT, ETCD_PEER_PORT = 2379, 2380  # of control-plane nodes that have a kubelet

WEBHOOK_PORT = 8443


@dataclass(frozen=True)
class Machine:
    """A node with a real kubelet, in namespaces of its own: its address, the range of its pods, the device that leads to it."""

    name: str
    address: str
    pods: IPv4Network
    device: str


LAB_NODE = Machine(NODE, NODE_ADDRESS, NODE_PODS, "node0")
CONTROL_PLANE_MACHINES = {
    name: Machine(name, address, IPv4Network(f"10.244.{64 + number}.0/24"), f"cp{number}")
    for number, (name, address) in enumerate(CONTROL_PLANE_NODES.items(), 1)
}


def api_server(node: str = FIRST) -> str:
    """URL of the API server of a node, or of all by way of the balancer."""
    address = BALANCER_ADDRESS if node == BALANCER else CONTROL_PLANE_NODES[node]
    return f"https://{address}:{API_PORT}"


def pod(number: int) -> str:
    """Address of the lab's number-th pod, from 0. The first 256 addresses are left to people who try things."""
    return _nth(POD_NETWORK, 256 + number)


def kwok_node(number: int) -> str:
    """Address of kwok's number-th node, from 0."""
    return _nth(KWOK_NODE_NETWORK, 1 + number)


def outside(number: int) -> str:
    """Address of the number-th host outside the cluster, from 0."""
    return _nth(OUTSIDE_NETWORK, 10 + number)


def _nth(network: IPv4Network, number: int) -> str:
    address = IPv4Address(int(network.network_address) + number)
    if address not in network or address == network.broadcast_address:
        raise ValueError(f"{network} has no address number {number}")
    return str(address)
