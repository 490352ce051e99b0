# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds the lease that a part of cert-manager wants to have. PRIVATE to the collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cert_manager import Component, is_held_by, seconds_since

if TYPE_CHECKING:
    from .cluster import Cluster

# A lease that has not been renewed for so many of its own lengths is nobody's. Many, because the clocks of cluster and observer may differ.
_ABANDONED = 10


def abandoned_for(cluster: Cluster, renewed: str | None, duration_seconds: int | None) -> float | None:
    """Seconds since a lease was renewed for the last time, if that is so long ago that its holder is gone; None where it is not, or files do not tell."""
    if not renewed or cluster.facts["source"]["kind"] != "api":
        return None
    age = seconds_since(renewed, cluster)
    return age if age is not None and age > _ABANDONED * (duration_seconds or 60) else None


def is_its_own(component: Component, holder: str | None) -> bool:
    """Whether one of its pods holds the lease; also where that cannot be told: in the host's network a pod is called as its node is."""
    return bool(component.item["host_network"]) or any(is_held_by(holder, str(pod["name"])) for pod in component.living)


def other_leader(component: Component) -> Component | None:
    """The same part of another installation, one of whose living pods holds the lease."""
    seen = component.cluster.cert_manager
    lease = seen.lease(component) or {}
    others = (other for other in seen.components(component.kind) if other is not component)
    return next((other for other in others if any(is_held_by(lease.get("holder"), str(pod["name"])) for pod in other.living)), None)
