# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until Deployments have rolled out. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .port import Port

_PAUSE, _EVERY = 2.0, 10.0


def rolled_out(port: Port, items: Sequence[Mapping[str, Any]], deadline: float) -> dict[str, str]:
    """What is missing, by item, of those that have not rolled out before the deadline (of `port.monotonic`). Says what it waits for every ten seconds."""
    waiting = {item["id"]: item["target"] for item in items if item["target"]["kind"] in ("Deployment", "StatefulSet", "DaemonSet")}
    told = port.monotonic()
    while waiting:
        answers = port.read(list(waiting.values()))
        left = {name: _left(answer) for name, answer in zip(waiting, answers)}
        progress = {name: missing for name, missing in left.items() if missing}
        waiting = {name: target for name, target in waiting.items() if name in progress}
        if not waiting or port.monotonic() >= deadline:
            return progress
        if port.monotonic() - told >= _EVERY:
            told = port.monotonic()
            port.say(f"  waiting for {next(iter(waiting))}: {progress[next(iter(waiting))]}", "faint")
        port.sleep(_PAUSE)
    return {}


def _left(answer: Mapping[str, Any]) -> str | None:
    """What is missing until it has rolled out, as `kubectl rollout status` judges; None where nothing is, or where it cannot be read."""
    live = next(iter(answer["objects"]), None)
    if live is None:
        return None
    status, wanted = live.get("status") or {}, (live.get("spec") or {}).get("replicas")
    if (status.get("observedGeneration") or 0) < (live["metadata"].get("generation") or 0):
        return "its controller has not seen the change yet"
    if live["kind"] == "DaemonSet":
        wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
        available = status.get("numberAvailable", 0)
    else:
        wanted = 1 if wanted is None else wanted
        updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
        if status.get("replicas", 0) > updated >= wanted:
            return f"{status['replicas'] - updated} old pods are still ending"
    if updated < wanted:
        return f"{updated} of {wanted} pods are new"
    return f"{available} of {wanted} new pods are available" if available < wanted else None
