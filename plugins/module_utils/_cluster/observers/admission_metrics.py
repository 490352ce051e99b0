# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each API server has counted of its webhook calls since it started: failed open, could not be called, slow. Pure. PRIVATE to the collection.

Of a webhook with failurePolicy Ignore nothing else tells that it fails. Source: k8s.io/apiserver pkg/admission/metrics/metrics.go (names and labels, the same
from 1.30 to 1.36). The counters are an instance's own, so each is asked by its own address where there are several.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.facts import api_server_endpoints
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Address, Scrape, Wanted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.metrics import Sample
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory

_FAIL_OPEN = "apiserver_admission_webhook_fail_open_count"
_REJECTIONS = "apiserver_admission_webhook_rejection_count"
_CALLS = "apiserver_admission_webhook_admission_duration_seconds_count"
_BUCKETS = "apiserver_admission_webhook_admission_duration_seconds_bucket"
_STARTED = "process_start_time_seconds"
_FAMILIES = (_FAIL_OPEN, _REJECTIONS, _CALLS, _BUCKETS, _STARTED)
_CONSEQUENCE = "Whether webhooks failed open, or could not be called now and then, since the API servers started is not known."

# Instances that are asked; entries that are kept of each.
MOST_INSTANCES, MOST_ENTRIES = 9, 1000
# The quickest calls tell nothing.
_SHORTEST = 0.5
_TYPES = {"admit": "mutating", "mutating": "mutating", "validating": "validating"}


class AdmissionMetrics(Observer):
    """`control_plane.admission` of the facts: null where no instance's metrics could be read."""

    path = ("control_plane", "admission")

    def __init__(self) -> None:
        self._read: dict[Address | None, list[dict[str, Any]]] = {}

    def first(self) -> Iterable[Wanted]:
        yield Scrape(_FAMILIES, self._take, _CONSEQUENCE)

    def then(self, inventory: Inventory) -> Iterable[Wanted]:
        """Each of several instances by itself: the address of the configuration may lead to any of them."""
        known = _instances(inventory)
        if len(known) > 1:
            for instance in known[:MOST_INSTANCES]:
                yield Scrape(_FAMILIES, self._take, _CONSEQUENCE, instance)

    def _take(self, instance: Address | None, samples: Iterable[Sample]) -> None:
        self._read[instance] = _entries(samples)

    def facts(self, inventory: Inventory) -> list[dict[str, Any]] | None:
        if not self._read:
            return None
        known = _instances(inventory)
        read = dict(self._read)
        if len(read) > 1:
            read.pop(None, None)  # it is one of the others
        elif None in read and len(known) == 1:
            read = {known[0]: read[None]}
        return [
            {"instance": _dial(instance), **entry}
            for instance, entries in sorted(read.items(), key=lambda item: _dial(item[0]) or "")
            for entry in entries[:MOST_ENTRIES]
        ]


def _instances(inventory: Inventory) -> list[Address]:
    return sorted({(endpoint["address"], endpoint["port"]) for endpoint in api_server_endpoints(inventory) if endpoint["address"] and endpoint["port"]})


def _dial(instance: Address | None) -> str | None:
    if instance is None:
        return None
    return f"[{instance[0]}]:{instance[1]}" if ":" in instance[0] else f"{instance[0]}:{instance[1]}"


def _entries(samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """One item per webhook that was called, in the shape of docs/architecture.md, without `instance`."""
    since: str | None = None
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for name, labels, value in samples:
        if name == _STARTED:
            since = datetime.fromtimestamp(value, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if 0 < value < 1e11 else None
            continue
        webhook, kind = labels.get("name"), _TYPES.get(labels.get("type", ""))
        if not webhook or not kind or not 0 <= value < 1e15:
            continue
        empty: dict[str, Any] = {"since": None, "webhook": webhook, "type": kind, "calls": 0, "fail_open": 0, "rejections": {}, "slower": {}}
        entry = found.setdefault((webhook, kind), empty)
        count = int(value)
        if name == _FAIL_OPEN:
            entry["fail_open"] += count
        elif name == _CALLS:
            entry["calls"] += count
        elif name == _REJECTIONS:
            error = labels.get("error_type", "unknown")
            entry["rejections"][error] = entry["rejections"].get(error, 0) + count
        elif name == _BUCKETS and _is_slow(labels.get("le", "")):
            entry["slower"][labels["le"]] = entry["slower"].get(labels["le"], 0) + count
    for entry in found.values():
        entry["since"] = since
        # A bucket counts the calls up to its bound; told is how many took longer.
        slower = {bound: entry["calls"] - count for bound, count in entry["slower"].items()}
        entry["slower"] = {bound: count for bound, count in sorted(slower.items(), key=lambda item: float(item[0])) if count > 0}
    return [found[key] for key in sorted(found)]


def _is_slow(bound: str) -> bool:
    try:
        return _SHORTEST <= float(bound) < float("inf")
    except ValueError:
        return False
