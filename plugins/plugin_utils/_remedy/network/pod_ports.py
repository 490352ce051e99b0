# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports in a pod template: those that containers name, those that probes ask, those that are taken on a node. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..edit import Edit, pointer

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("httpGet", "tcpSocket", "grpc")


def named(container: Mapping[str, Any], port: int | str) -> Mapping[str, Any] | None:
    """The TCP port of a container with this number, or this name."""
    key = "name" if isinstance(port, str) else "containerPort"
    return next((one for one in container.get("ports") or () if one.get(key) == port and one.get("protocol", "TCP") == "TCP"), None)


def on_node(spec: Mapping[str, Any]) -> set[int]:
    """Ports of its node that a pod of this spec takes: hostPorts, and all that are named in the network of the node."""
    keys = ("hostPort", "containerPort") if spec.get("hostNetwork") else ("hostPort",)
    return {int(one[key]) for container in spec.get("containers") or () for one in container.get("ports") or () for key in keys if one.get(key)}


def move(edit: Edit, container: str, old: int, new: int) -> None:
    """Have the container (its pointer) name the port `new` where it names `old`, and be probed there. A hostPort beside it has to be the same on the network of
    the node (the API server refuses others), and is moved with it."""
    now = edit.get(container)
    for position, one in enumerate(now.get("ports") or ()):
        if one.get("containerPort") == old and one.get("protocol", "TCP") == "TCP":
            edit.set(container + pointer("ports", position, "containerPort"), new)
            if one.get("hostPort") == old:
                edit.set(container + pointer("ports", position, "hostPort"), new)
    for path, port in probed(now):
        if port == old:
            edit.set(container + path, new)


def probed(container: Mapping[str, Any]) -> Iterator[tuple[str, int | str]]:
    """(pointer from the container, port) of every probe: a number, or a name of a port."""
    for probe in _PROBES:
        for handler in _HANDLERS:
            port = ((container.get(probe) or {}).get(handler) or {}).get("port")
            if port is not None:
                yield pointer(probe, handler, "port"), port
