# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many objects the cluster stores of the kinds that are known to run away. Pure. PRIVATE to the collection.

A full etcd (or a provider's quota, OVHcloud's is 35 MB on the smallest cluster) is mostly full of one of these. Each is one request for its first few objects;
Secrets (Helm keeps releases in them) are not among them: whoever may list them may read them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Count, Wanted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import name_of, namespace_of, text

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory

# (group, version, plural, kind). The applications' by OVHcloud's list of what has filled quotas, and the reports of scanners.
_ALWAYS = (("", "v1", "events", "Event"), ("apps", "v1", "replicasets", "ReplicaSet"))
_OF_GROUPS = (
    ("velero.io", "v1", "backups", "Backup"),
    ("velero.io", "v1", "podvolumebackups", "PodVolumeBackup"),
    ("dex.coreos.com", "v1", "authrequests", "AuthRequest"),
    ("kyverno.io", "v1alpha2", "reportchangerequests", "ReportChangeRequest"),
    ("kyverno.io", "v2", "updaterequests", "UpdateRequest"),
    ("reports.kyverno.io", "v1", "ephemeralreports", "EphemeralReport"),
    ("wgpolicyk8s.io", "v1alpha2", "policyreports", "PolicyReport"),
    ("aquasecurity.github.io", "v1alpha1", "vulnerabilityreports", "VulnerabilityReport"),
    ("aquasecurity.github.io", "v1alpha1", "configauditreports", "ConfigAuditReport"),
)
_KINDS = {(group, kind): (group, plural) for group, dummy, plural, kind in (*_ALWAYS, *_OF_GROUPS)}

Stored = dict[str, Any]  # {group, resource, count, mean_bytes: int|None}


class Etcd(Observer):
    """`apps.etcd` of the facts."""

    path = ("apps", "etcd")
    kinds = frozenset(_KINDS)

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Stored] = {}
        self._taken: Counter[tuple[str, str]] = Counter()
        self._seen: set[tuple[str, ...]] = set()

    def then(self, inventory: Inventory) -> Iterable[Wanted]:
        served = inventory.api_groups or frozenset()
        always = [row for row in _ALWAYS if row[2] != "events" or inventory.evidence_wanted]
        return [self._count(*row[:3]) for row in (*always, *(row for row in _OF_GROUPS if row[0] in served))]

    def _count(self, group: str, version: str, plural: str) -> Count:
        return count(group, version, plural, self._counts)

    def take(self, obj: dict[str, Any]) -> None:
        """Objects come here from a dump, and (Events) from what others have asked for, of which the count above is the better one."""
        resource = _KINDS[((text(obj.get("apiVersion")) or "").rpartition("/")[0], obj["kind"])]
        identity = (*resource, namespace_of(obj), name_of(obj))
        if resource not in self._counts and identity not in self._seen:
            self._seen.add(identity)
            self._taken[resource] += 1

    def facts(self, inventory: Inventory) -> dict[str, Any]:
        taken = {key: {"group": key[0], "resource": key[1], "count": number, "mean_bytes": None} for key, number in self._taken.items()}
        stored = {**taken, **self._counts}
        return {"stored": [stored[key] for key in sorted(stored)]}


def count(group: str, version: str, plural: str, into: dict[tuple[str, str], Stored]) -> Count:
    """How many of a resource are stored, written to `into` by group and plural."""

    def told(number: int, mean: int | None) -> None:
        into[(group, plural)] = {"group": group, "resource": plural, "count": number, "mean_bytes": mean}

    noted: Callable[[int, int | None], None] = told
    return Count(plural if not group else f"{plural}.{group}", f"/apis/{group}/{version}/{plural}" if group else f"/api/{version}/{plural}", noted)
