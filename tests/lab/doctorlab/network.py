# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's network: addresses on `lo`, a route for the service range, wires to the nodes that have a network of their own, and the packet filter."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from . import addresses
from .addresses import Machine
from .namespace import Namespace

_FIRST = addresses.CONTROL_PLANES[addresses.FIRST]
_SECOND = addresses.CONTROL_PLANES[addresses.SECOND]
_TARGETS = {"drop": "DROP", "host_unreachable": "REJECT --reject-with icmp-host-unreachable"}


def hub(control_plane: int) -> str:
    """The address of the namespace in the middle: of the first node, or of the balancer where all the control-plane nodes are machines of their own."""
    return addresses.BALANCER_ADDRESS if control_plane else _FIRST


def first_node(service_route: bool, own_address: str = _FIRST) -> str:
    """What `ip -batch` reads to set up the namespace of the first node (or the balancer), the pods and everything outside the cluster.

    Pods' addresses need not be assigned one by one: a local route makes the whole range the namespace's own. For ClusterIP routing the
    service range leads over a veth pair: over `lo`, kube-proxy's REJECT for a Service without endpoints never comes back.
    """
    own = [own_address, *addresses.WORKERS.values(), addresses.DNS, addresses.PROXY]
    lines = ["link set lo up", *(f"address add {address}/32 dev lo" for address in own)]
    lines += [f"route add local {network} dev lo src {own_address}" for network in (addresses.POD_NETWORK, addresses.OUTSIDE_NETWORK)]
    if service_route:
        lines += ["link add services0 type veth peer name services1", "link set services0 up", "link set services1 up"]
        lines += [f"route add {addresses.SERVICE_NETWORK} dev services0 src {own_address}"]
    return _batch(lines)


def wire_to_second_node(pid: int) -> str:
    """What `ip -batch` reads in the first node's namespace; `pid` is a process of the second one."""
    return _batch([f"link add node2 type veth peer name eth0 netns {pid}", "link set node2 up", f"route add {_SECOND} dev node2 src {_FIRST}"])


def second_node() -> str:
    """What `ip -batch` reads in the second node's namespace."""
    return _batch(["link set lo up", f"address add {_SECOND}/32 dev lo", "link set eth0 up", f"route add default dev eth0 src {_SECOND}"])


def wire_to_pod(pid: int, device: str, address: str, hub_address: str = _FIRST) -> str:
    """What `ip -batch` reads in the first node's namespace for a pod with a network of its own; it leads past the route that makes all pods local."""
    lines = [f"link add {device} type veth peer name eth0 netns {pid}", f"link set {device} up"]
    return _batch([*lines, f"route add {address} dev {device} src {hub_address} table local"])


def pod(address: str) -> str:
    """What `ip -batch` reads in the pod's namespace."""
    return _batch(["link set lo up", f"address add {address}/32 dev eth0", "link set eth0 up", f"route add default dev eth0 src {address}"])


def wire_to_machine(pid: int, machine: Machine, hub_address: str) -> str:
    """What `ip -batch` reads in the middle for a node with a real kubelet; its pods are routed past the route that makes all pods local."""
    device = machine.device
    lines = [f"link add {device} type veth peer name eth0 netns {pid}", f"link set {device} up", f"route add {machine.address} dev {device} src {hub_address}"]
    return _batch([*lines, f"route add {machine.pods} via {machine.address} dev {device} onlink src {hub_address} table local"])


def own_machine(machine: Machine, hub_address: str) -> str:
    """What `ip -batch` reads in the namespace of a node with a real kubelet. The bridge of its pods is made by the CNI plugin."""
    lines = ["link set lo up", f"address add {machine.address}/32 dev eth0", "link set eth0 up"]
    return _batch([*lines, f"route add default via {hub_address} dev eth0 onlink"])


def packet_filter(rules: Iterable[tuple[str, str]]) -> str:
    """What `iptables-restore --noflush` reads: (destination, "drop" or "host_unreachable") for new connections to it.

    What comes from the destination itself passes: nothing stands between a pod and its own port, so port forwarding works.
    """
    return _filter(f"-A OUTPUT ! -s {destination} -d {destination} -p tcp --syn -j {_TARGETS[what]}" for destination, what in rules)


def forward_filter(destination: str, port: int, what: str, *, remove: bool = False) -> str:
    """What `iptables-restore --noflush` reads on a node: new connections to a pod's port that come through the node are treated so, or no longer.

    First in its chain: kube-proxy's own rules, which accept, come after it.
    """
    place = "-D FORWARD" if remove else "-I FORWARD 1"
    return _filter([f"{place} -d {destination} -p tcp --dport {port} --syn -j {_TARGETS[what]}"])


def set_up_first(namespace: Namespace, service_route: bool, state: Path, own_address: str = _FIRST) -> None:
    namespace.check(["ip", "-batch", "-"], first_node(service_route, own_address))
    # The name server of the lab, for the API server (url webhooks) and for what is run inside: no question leaves the namespace.
    resolver = state / "resolv.conf"
    resolver.write_text(f"nameserver {addresses.DNS}\noptions timeout:1 attempts:1\n", encoding="ascii")
    namespace.check(["mount", "--bind", str(resolver), str(Path("/etc/resolv.conf").resolve())])


def set_up_second(first: Namespace, second: Namespace) -> None:
    first.check(["ip", "-batch", "-"], wire_to_second_node(second.init.pid))
    second.check(["ip", "-batch", "-"], second_node())


def set_up_machine(first: Namespace, own: Namespace, machine: Machine, hub_address: str) -> None:
    first.check(["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])  # from one of them to another
    first.check(["ip", "-batch", "-"], wire_to_machine(own.init.pid, machine, hub_address))
    own.check(["ip", "-batch", "-"], own_machine(machine, hub_address))


def set_up_pod(first: Namespace, own: Namespace, device: str, address: str, hub_address: str = _FIRST) -> None:
    first.check(["ip", "-batch", "-"], wire_to_pod(own.init.pid, device, address, hub_address))
    own.check(["ip", "-batch", "-"], pod(address))


def filter_packets(namespace: Namespace, rules: list[tuple[str, str]]) -> None:
    if rules:
        namespace.check(["iptables-restore", "--noflush"], packet_filter(rules))


def _filter(rules: Iterable[str]) -> str:
    return "\n".join(["*filter", *rules, "COMMIT", ""])


def _batch(lines: list[str]) -> str:
    return "\n".join([*lines, ""])
