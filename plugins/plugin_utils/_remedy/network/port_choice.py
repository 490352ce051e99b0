# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which port a webhook is to listen. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._diagnosis.host_ports import KUBELET_PORT, OF_NODES, free_port
from ..._diagnosis.network_path import NetworkPath
from ..request import InvalidOption, whole
from .refused import Refused
from .target import Target

# Where the firewall or security group that everybody has before nodes and pods admits the kubelet's port. A pod in its own network may listen there.
_OPEN_PORT_OF = ("gke", "eks")
_LEAST = 1024  # below, a process needs a capability that webhooks do not have


def chosen(options: Mapping[str, Any]) -> int | None:
    """The option `port`; None where the port is to be chosen. Raises InvalidOption."""
    port = whole(options, "port", 0, 65535, "TCP ports, or 0 to have one chosen,")
    if 0 < port < _LEAST:
        raise InvalidOption(f"port is {port}. Expected {_LEAST} to 65535, or 0: a webhook that is not root cannot listen below {_LEAST}.")
    return port or None


def on_nodes(port: int | None, taken: frozenset[int], others: frozenset[int], current: int, current_works: bool) -> int:
    """A port in the network of nodes. taken: by others on nodes. others: of the same pod. current_works: whether its present port may stay. Raises Refused."""
    used = taken | others
    if port is None:
        return free_port(used, (current,) if current_works and current not in used else ())
    if port in used or port in OF_NODES:
        whose = "a process of the nodes themselves" if port in OF_NODES else "another container of the same pod" if port in others else "other pods on nodes"
        raise Refused(f"port {port} is taken by {whose}", f"-e webhook_network_port={free_port(used)}", "# Or 0, to have a free port chosen.")
    return port


def in_pod(port: int | None, way: NetworkPath, target: Target, current: int) -> int:
    """A port of pods that have a network of their own (on Fargate: a node of their own, whose kubelet has its port). Raises Refused."""
    others = frozenset(other_ports(target, current))
    fargate = way.node_kind == "fargate"
    if port is None:
        if not fargate and way.cluster.platform.name in _OPEN_PORT_OF and KUBELET_PORT not in others:
            return KUBELET_PORT
        return free_port(others)
    if port in others or (fargate and port in OF_NODES):
        whose = "another container of the same pod" if port in others else "the node that Fargate makes for the pod"
        raise Refused(f"port {port} is taken by {whose}", f"-e webhook_network_port={free_port(others)}", "# Or 0, to have a free port chosen.")
    return port


def other_ports(target: Target, current: int) -> set[int]:
    """Ports that the pod has besides the one of the webhook."""
    declared = {int(one["containerPort"]) for container in target.spec["containers"] for one in container.get("ports") or ()}
    if target.component:
        declared.add(target.healthz)
    return declared - {current}
