# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a rollout: old and new certificate of every API server, and what stopped it. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Any

from .._diagnosis.text import clean, listing
from .plan import NOTHING, REFUSED, WAITING
from .times import iso

FORMAT, FORMAT_VERSION = "kubeops.webhook_doctor/rotation", 1
DONE, STOPPED, PREVIEW = "done", "stopped", "preview"
_LOG_LINES = 40
_SPARED = "not due any more in {}"


def report(
    plan: Mapping[str, Any],
    done: Sequence[Mapping[str, Any]],
    run: str,
    now: datetime,
    failure: Mapping[str, Any] | None = None,
    check: bool = False,
    spared: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """plan: as made at the beginning. done: a proof (with `seconds`) for each server that was worked on, in their order. failure: {host, says, logs}.
    spared: verdicts of those that were due then, and not any more in their turn.

    {format, format_version, run, cluster, at, outcome: nothing|waiting|refused|preview|done|stopped, says, what, instances, guards, window, failure}
    """
    now_fine = {item["host"]: item for item in spared}
    outcome = _outcome(plan, failure, check, now_fine)
    by_host = {item["host"]: item for item in done}
    instances = [
        _spared(one, now_fine[one["host"]]) if one["host"] in now_fine else _instance(one, plan, by_host.get(one["host"]), failure, outcome == PREVIEW)
        for one in plan["instances"]
    ]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "run": run,
        "cluster": plan["cluster"],
        "at": iso(now),
        "outcome": outcome,
        "says": _says(outcome, plan, instances, failure, list(now_fine)),
        "what": plan["what"],
        "instances": instances,
        "guards": list(plan["guards"]),
        "window": plan["window"],
        "failure": _failure(failure),
    }


def state_of(outcome: str, plan: Mapping[str, Any]) -> str:
    """How the cluster stands in a summary of many: what is due and was not done, and who cannot be judged, wants somebody's attention."""
    return "warning" if outcome in (PREVIEW, WAITING) or plan["unknown"] else "good"


def _outcome(plan: Mapping[str, Any], failure: Mapping[str, Any] | None, check: bool, spared: Container[str]) -> str:
    if failure:
        return STOPPED
    if plan["outcome"] in (NOTHING, WAITING, REFUSED):
        return str(plan["outcome"])
    if all(turn["host"] in spared for turn in plan["order"]):
        return NOTHING
    return PREVIEW if check else DONE


def _instance(
    one: Mapping[str, Any], plan: Mapping[str, Any], item: Mapping[str, Any] | None, failure: Mapping[str, Any] | None, preview: bool
) -> dict[str, Any]:
    """outcome: done|failed|not_touched|would_be_done of those that were due, else the verdict's state."""
    due = any(turn["host"] == one["host"] for turn in plan["order"])
    failed = bool(failure and failure.get("host") == one["host"])
    outcome = one["state"]
    if due:
        outcome = "failed" if failed else "done" if item and item["proven"] else "would_be_done" if preview else "not_touched"
    return _described(
        one,
        outcome=outcome,
        says=one["says"],
        old={**_certificate(one), **(item["old"] if item else {})},
        new=dict(item["new"]) if item else None,
        seconds=item.get("seconds") if item else None,
        notes=list(item["notes"]) if item else [],
    )


def _spared(one: Mapping[str, Any], verdict: Mapping[str, Any]) -> dict[str, Any]:
    """One that somebody else has seen to since the plan was made: it is told as it is now."""
    note = f"{_SPARED.format('its turn')}; when this was planned: {one['says']}"
    new = _certificate(verdict) if verdict.get("not_after") else None
    return _described(one, outcome=verdict["state"], says=verdict["says"], old=_certificate(one), new=new, seconds=None, notes=[note])


def _certificate(verdict: Mapping[str, Any]) -> dict[str, Any]:
    return {key: verdict.get(key) for key in ("not_after", "started", "lifetime_days")}


def _described(one: Mapping[str, Any], **what: Any) -> dict[str, Any]:
    return {"host": one["host"], "address": one["address"], "version": one["version"], **what}


def _says(outcome: str, plan: Mapping[str, Any], instances: Sequence[Mapping[str, Any]], failure: Mapping[str, Any] | None, spared: Sequence[str]) -> str:
    overtaken = [f"{_SPARED.format('its turn' if len(spared) == 1 else 'their turns')}: {listing(list(spared), 10)}"] if spared else []
    if outcome == NOTHING and spared:
        return f"nothing was done: {overtaken[0]}"
    if outcome in (NOTHING, WAITING, REFUSED):
        return str(plan["says"])
    done = [one["host"] for one in instances if one["outcome"] == "done"]
    left = [one["host"] for one in instances if one["outcome"] == "not_touched"]
    if outcome == PREVIEW:
        return f"{plan['says']}; check mode: nothing was changed"
    if failure is None:
        return "; ".join([f"{plan['what']}: done and proven on {listing(done, 10)}", *overtaken])
    where = f" at {failure['host']}" if failure.get("host") else ""
    parts = [
        f"stopped{where}: {clean(failure['says'], 500).rstrip('.')}",
        f"done before: {listing(done, 10)}" if done else "nothing was done before",
        *overtaken,
    ]
    if left:
        parts.append(f"not touched: {listing(left, 10)}")
    return "; ".join(parts)


def _failure(failure: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not failure:
        return None
    logs = [clean(line, 500) for line in failure.get("logs") or ()]
    return {"host": failure.get("host"), "says": clean(failure["says"], 2000), "logs": logs[-_LOG_LINES:]}
