# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targetPorts of Services: kept in step with a port of the pods, and the right one where a name is wrong. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..edit import Edit, pointer
from .pod_ports import named

# Names that webhooks' ports have by custom (kubebuilder, cert-manager, ingress-nginx, Gatekeeper, Kyverno), best first.
_CUSTOMARY = ("webhook-server", "webhook", "webhook-https", "admission", "https-webhook", "https")


def follow(service: Mapping[str, Any], container: Mapping[str, Any], old: int, new: int) -> tuple[Edit, bool]:
    """(edit, whether it is made before the pods change) of a Service whose targetPort is the number `old`.

    A name means the right number at every pod while they are replaced one by one, so where the container's port has one, the Service is given it first, and
    no call is lost. Without a name the number can only be changed when the pods have.
    """
    edit = Edit(service)
    port = named(container, old)
    name = port.get("name") if port else None
    for position, one in enumerate(service["spec"].get("ports") or ()):
        # The API server fills in the Service's own port where nothing is said.
        if one.get("targetPort", one["port"]) == old and one.get("protocol", "TCP") == "TCP":
            edit.anchor(pointer("spec", "ports", position, "port"))
            edit.set(pointer("spec", "ports", position, "targetPort"), name or new)
    return edit, bool(name)


def evident(pods: Sequence[Mapping[str, Any]]) -> int | str | None:
    """The port of these pods (of the facts) that a Service with a wrong name must mean: the only one that they have, else the one with a customary name."""
    seen = [[(item["name"], item["port"]) for container in pod["containers"] for item in container["ports"] if item["port"]] for pod in pods]
    if not seen or any(set(ports) != set(seen[0]) for ports in seen):
        return None
    if len(set(seen[0])) == 1:
        name, port = seen[0][0]
        return str(name) if name else int(port)
    names = {name for name, dummy in seen[0]}
    return next((name for name in _CUSTOMARY if name in names), None)
