# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of nodes: which are taken, as far as it is known, and which are good for a webhook. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

KUBELET_PORT = 10250
# Ports for a webhook in the network of its node, best first: 10251 to 9443 are among those that the usual modules for EKS open between control plane and nodes.
_CANDIDATES = (10251, 9443, 8443, 4443, *range(10270, 10300))
# What nodes listen on without saying so in a pod: kubelet, kube-proxy, controller managers, schedulers, cloud controller managers, etcd, API servers.
OF_NODES = frozenset((443, 2379, 2380, 2381, 4240, 4244, 6443, 6444, 9099, 9100, 9345, 10248, 10249, KUBELET_PORT, 10255, 10256, 10257, 10258, 10259, 10260))


def declared_ports(pods: Iterable[Mapping[str, Any]]) -> set[int]:
    """The ports that the containers of pods name."""
    return {int(item["port"]) for pod in pods for container in pod["containers"] for item in container["ports"] if item["port"]}


def used_host_ports(facts: Mapping[str, Any], without: Iterable[tuple[str, str]] = ()) -> frozenset[int]:
    """Those of DaemonSets, and of back ends' pods in the network of their node. without: (namespace, name) of pods that do not count."""
    left_out = frozenset(without)
    daemonsets = (facts.get("platform") or {}).get("daemonsets") or ()
    pods = (pod for backend in facts["backends"] for pod in backend.get("pods") or () if pod["host_network"])
    of_backends = declared_ports(pod for pod in pods if (pod["namespace"], pod["name"]) not in left_out)
    return frozenset((*(port for one in daemonsets for port in one["host_ports"]), *of_backends))


def free_port(used: frozenset[int] | set[int], current: tuple[int, ...] = ()) -> int:
    """A port for a webhook that no DaemonSet and no component of a node takes. used: ports of nodes that are taken; current: its own, which may stay."""
    for port in (*current, *_CANDIDATES):
        if port not in OF_NODES and (port not in used or port in current):
            return port
    return next(port for port in range(20000, 30000) if port not in used)
