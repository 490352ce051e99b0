# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards `busy`, `nodes` and `kured`: nobody else works on the control plane now. Pure. PRIVATE to the collection.

kured's lock is an annotation of its DaemonSet (kured pkg/daemonsetlock: {nodeID, created, TTL}, or {maxOwners, locks} with --concurrency).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ..._diagnosis.checked import InvalidObservation, moment
from ..api import annotations_of
from ..situation import Situation
from .guard import Guard

BUSY, NODES, KURED = "busy", "nodes", "kured"
LOCK = "weave.works/kured-node-lock"
_REBOOTING = "weave.works/kured-reboot-in-progress"
_NANOSECONDS = 1e9


def busy(situation: Situation) -> Iterator[Guard]:
    """No upgrade, package manager or shutdown is at work on any of the hosts."""
    found = False
    for one in situation.instances:
        for item in (one.facts or {}).get("busy") or ():
            found = True
            yield Guard(BUSY, False, f"{item['what']} ({item['because']}): wait until that is done", one.host)
    if not situation.seen:
        yield Guard(BUSY, None, "no host was asked")
    elif not found:
        yield Guard(BUSY, True, f"no upgrade and no shutdown is under way on the hosts{' that could be asked' if situation.unseen else ''}")


def nodes(situation: Situation) -> Iterator[Guard]:
    """No node of the control plane is cordoned, drained, being rebooted, or not Ready."""
    error = situation.api.error("Node")
    if error:
        yield Guard(NODES, None, f"nodes could not be read: {error}")
        return
    found, seen = False, 0
    for one in situation.instances:
        node = situation.node_of(one)
        if node is None:
            continue
        seen += 1
        for says in _at_work(node):
            found = True
            yield Guard(NODES, False, says, f"node {node['metadata']['name']}")
    if not found:
        yield Guard(NODES, True, "those of the control plane are Ready and not cordoned" if seen else "the hosts of the control plane are no nodes")


def _at_work(node: Mapping[str, Any]) -> Iterator[str]:
    name = node["metadata"]["name"]
    if (node.get("spec") or {}).get("unschedulable"):
        yield f"is cordoned: somebody drains it or works on it. When that is done: kubectl uncordon {name}"
    if _REBOOTING in annotations_of(node):
        yield f"is being rebooted by kured (annotation {_REBOOTING})"
    ready = next((one for one in (node.get("status") or {}).get("conditions") or () if one.get("type") == "Ready"), None)
    if ready is not None and ready.get("status") != "True":
        yield f"is not Ready ({ready.get('reason') or ready.get('status')}): its kubelet would not start the API server anew"


def kured(situation: Situation) -> Iterator[Guard]:
    """kured reboots no node of the cluster now."""
    error = situation.api.error("DaemonSet")
    if error:
        yield Guard(KURED, None, f"DaemonSets could not be read, so whether kured holds its lock is not known: {error}")
        return
    seen = False
    for item in situation.api.objects("DaemonSet"):
        text = annotations_of(item).get(LOCK)
        name = f"DaemonSet {item['metadata'].get('namespace')}/{item['metadata']['name']}"
        if not text:
            continue
        seen = True
        holders = _holders(text, situation.now)
        if holders is None:
            yield Guard(KURED, None, f"its lock (annotation {LOCK}) is not understood: {text[:200]}", name)
        elif holders:
            yield Guard(KURED, False, f"kured reboots {', '.join(holders)} (annotation {LOCK}): wait until it has given its lock back", name)
        else:
            yield Guard(KURED, True, "its lock has run out", name)
    if not seen:
        yield Guard(KURED, True, "nobody holds its lock")


def _holders(text: str, now: datetime) -> list[str] | None:
    """The nodes that hold the lock; None where it is not understood."""
    try:
        said = json.loads(text)
        locks = said.get("locks") or [] if "maxOwners" in said else [said]
        return [str(lock["nodeID"]) for lock in locks if lock.get("nodeID") and not _over(lock, now)]
    except (ValueError, TypeError, AttributeError, KeyError, InvalidObservation):
        return None


def _over(lock: Mapping[str, Any], now: datetime) -> bool:
    """Whether its time is up; TTL is Go's duration in nanoseconds, 0 for ever."""
    ttl = float(lock.get("TTL") or 0)
    return ttl > 0 and moment(str(lock["created"])) + timedelta(seconds=ttl / _NANOSECONDS) < now
