# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of nodes that pods take, as far as they are known. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def declared_ports(pods: Iterable[Mapping[str, Any]]) -> set[int]:
    """The ports that the containers of pods name."""
    return {int(item["port"]) for pod in pods for container in pod["containers"] for item in container["ports"] if item["port"]}


def used_host_ports(facts: Mapping[str, Any]) -> frozenset[int]:
    """Those of DaemonSets, and of back ends' pods in the network of their node."""
    daemonsets = (facts.get("platform") or {}).get("daemonsets") or ()
    of_backends = declared_ports(pod for backend in facts["backends"] for pod in backend.get("pods") or () if pod["host_network"])
    return frozenset((*(port for one in daemonsets for port in one["host_ports"]), *of_backends))
