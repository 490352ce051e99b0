# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fills etcd: how many objects of a kind are too many, and how much room there is. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .cluster import Cluster
from .stored_limits import CERT_MANAGER, CERTIFICATE_FLOOR, MB, PER_CERTIFICATE, THRESHOLDS


@dataclass(frozen=True)
class Stored:
    """A resource and how much of it there is. mean_bytes: of its first objects, as JSON (built-in kinds take less in etcd)."""

    group: str
    resource: str
    count: int
    mean_bytes: int | None

    @property
    def name(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def total_bytes(self) -> int | None:
        return None if self.mean_bytes is None else self.count * self.mean_bytes

    def line(self) -> str:
        size = f", about {self.total_bytes / MB:.1f} MB" if self.total_bytes else ""
        return f"{self.count} {self.name}{size}"


def stored_kinds(cluster: Cluster) -> list[Stored]:
    """All that were counted, the biggest first."""
    items = [item for key in ("etcd", "certificate_store") for item in (cluster.apps.get(key) or {}).get("stored") or ()]
    found: dict[tuple[str, str], Stored] = {}
    for item in items:  # cert-manager's are counted now, while the API server's counters are minutes old; of their size either may know
        key = (item["group"], item["resource"])
        known = found.get(key)
        found[key] = Stored(*key, item["count"], item["mean_bytes"] or (known.mean_bytes if known else None))
    return sorted(found.values(), key=lambda one: (-(one.total_bytes or 0), -one.count, one.name))


def run_away(cluster: Cluster) -> Iterator[Stored]:
    """Those kinds, without cert-manager's, of which there are too many."""
    quota = ovh_quota(cluster)
    for one in stored_kinds(cluster):
        if (one.group, one.resource) in CERT_MANAGER or one.resource == "certificates":
            continue
        threshold = THRESHOLDS.get((one.group, one.resource))
        if (threshold is not None and one.count >= threshold) or (quota and (one.total_bytes or 0) >= quota / 2):
            yield one


def certificate_run_away(cluster: Cluster) -> list[Stored]:
    """CertificateRequests, Orders and Challenges, where there are too many for the Certificates that exist."""
    kinds = {(one.group, one.resource): one for one in stored_kinds(cluster)}
    certificates = kinds.get(("cert-manager.io", "certificates"))
    most = max(CERTIFICATE_FLOOR, PER_CERTIFICATE * certificates.count) if certificates else CERTIFICATE_FLOOR
    quota = ovh_quota(cluster)
    of_ours = [kinds[key] for key in CERT_MANAGER if key in kinds]
    return of_ours if any(one.count >= most or (quota and (one.total_bytes or 0) >= quota / 2) for one in of_ours) else []


def ovh_quota(cluster: Cluster) -> int | None:
    """What OVHcloud allows a Free cluster, in bytes: 10 MB, and 25 MB for each node, at most 400 MB. None elsewhere."""
    nodes = (cluster.facts.get("platform") or {}).get("node_count")
    return min(10 * MB + 25 * MB * int(nodes), 400 * MB) if "ovh" in cluster.platform and nodes else None
