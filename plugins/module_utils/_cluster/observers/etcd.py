# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many objects the cluster stores, and how big its storage is: what fills an etcd. Pure. PRIVATE to the collection.

The API server counts what it stores in its metrics. Where these cannot be read, the kinds of applications that are known to run away are counted by one
request each. Secrets (Helm keeps releases in them) are not: whoever may list them may read them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Address, Count, Scrape, Wanted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.metrics import Sample
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import name_of, namespace_of, text

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory

# (group, version, plural, kind). The applications' by OVHcloud's list of what has filled quotas, and the reports of scanners.
_OF_APPLICATIONS = (
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
# What is counted of a dump.
_KINDS = {("", "Event"): ("", "events"), ("apps", "ReplicaSet"): ("apps", "replicasets")}
_KINDS |= {(group, kind): (group, plural) for group, dummy, plural, kind in _OF_APPLICATIONS}
# Names by version: 1.34 and newer, before; 1.28 and newer, 1.26, before. Source: k8s.io/apiserver pkg/storage/etcd3/metrics/metrics.go.
_OBJECTS, _OLD_OBJECTS = "apiserver_resource_objects", "apiserver_storage_objects"
_ESTIMATE = "apiserver_resource_size_estimate_bytes"
_SIZES = ("apiserver_storage_size_bytes", "apiserver_storage_db_total_size_in_bytes", "etcd_db_total_size_in_bytes")
_CONSEQUENCE = "How many objects are stored, and what fills etcd, is not known."
MOST_KINDS = 40

Key = tuple[str, str]  # group, plural
Stored = dict[str, Any]  # {group, resource, count, mean_bytes: int|None}


class Etcd(Observer):
    """`apps.etcd` of the facts."""

    path = ("apps", "etcd")
    kinds = frozenset(_KINDS)

    def __init__(self) -> None:
        self._counts: dict[Key, Stored] = {}
        self._taken: Counter[Key] = Counter()
        self._seen: set[tuple[str, ...]] = set()
        self._asked = False
        self._bytes: int | None = None

    def first(self) -> Iterable[Wanted]:
        self._asked = True  # so what comes by `take` is no dump
        yield Scrape((_OBJECTS, _OLD_OBJECTS, _ESTIMATE, *_SIZES), self._scraped, _CONSEQUENCE)

    def then(self, inventory: Inventory) -> Iterable[Wanted]:
        served = inventory.api_groups or frozenset()
        return [count(*row[:3], self._counts) for row in _OF_APPLICATIONS if row[0] in served and (row[0], row[2]) not in self._counts]

    def _scraped(self, dummy: Address | None, samples: Iterable[Sample]) -> None:
        counts: dict[Key, int] = {}
        old: dict[Key, int] = {}
        estimates: dict[Key, float] = {}
        sizes: dict[str, float] = {}
        for name, labelled, value in samples:
            resource, group = labelled.get("resource", ""), labelled.get("group", "")
            if name in _SIZES:
                sizes[name] = max(value, sizes.get(name, 0))  # one line for each etcd; that of events may be another one
            elif value < 0 or not resource:
                continue  # -1: the count failed
            elif name == _OBJECTS:
                counts[(group, resource)] = int(value)
            elif name == _ESTIMATE:
                estimates[(group, resource)] = value
            else:
                plural, _dot, of_group = resource.partition(".")
                old[(of_group, plural)] = int(value)
        found = counts or old
        for key, number in found.items():
            mean = int(estimates[key] / number) if number and estimates.get(key) else None
            self._counts[key] = {"group": key[0], "resource": key[1], "count": number, "mean_bytes": mean}
        self._bytes = next((int(sizes[name]) for name in _SIZES if sizes.get(name)), None)

    def take(self, obj: dict[str, Any]) -> None:
        """An object of a dump."""
        if self._asked:
            return
        resource = _KINDS[((text(obj.get("apiVersion")) or "").rpartition("/")[0], obj["kind"])]
        identity = (*resource, namespace_of(obj), name_of(obj))
        if identity not in self._seen:
            self._seen.add(identity)
            self._taken[resource] += 1

    def facts(self, inventory: Inventory) -> dict[str, Any]:
        taken = {key: {"group": key[0], "resource": key[1], "count": number, "mean_bytes": None} for key, number in self._taken.items()}
        stored = {**taken, **self._counts}
        biggest = sorted(stored, key=lambda key: (-(stored[key]["mean_bytes"] or 1) * stored[key]["count"], -stored[key]["count"], key))[:MOST_KINDS]
        return {"bytes": self._bytes, "stored": [stored[key] for key in sorted({*biggest, *(key for key in stored if key in _NAMED)})]}


_NAMED = frozenset(_KINDS.values())


def count(group: str, version: str, plural: str, into: dict[tuple[str, str], Stored]) -> Count:
    """How many of a resource are stored, written to `into` by group and plural."""

    def told(number: int, mean: int | None) -> None:
        into[(group, plural)] = {"group": group, "resource": plural, "count": number, "mean_bytes": mean}

    noted: Callable[[int, int | None], None] = told
    return Count(plural if not group else f"{plural}.{group}", f"/apis/{group}/{version}/{plural}" if group else f"/api/{version}/{plural}", noted)
