# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How it stands, in one sentence and a few words: shared by all renderings. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .text import counted, moment, one_line

_ROUTINGS = {"endpoint": "endpoint routing", "cluster_ip": "ClusterIP routing"}


def headline(summary: Mapping[str, Any]) -> str:
    """One sentence: how bad it is."""
    callouts = summary["callouts"]
    if not callouts["total"]:
        return "No call-outs were seen" if summary["not_seen"] else "No call-outs"
    bad = [
        f"{counted(callouts[state], 'call-out')} {one if callouts[state] == 1 else many}"
        for state, one, many in (("failing", "fails", "fail"), ("open", "fails open", "fail open"), ("at_risk", "is at risk", "are at risk"))
        if callouts[state]
    ]
    if bad:
        return ", ".join(bad)
    if callouts["healthy"] == callouts["total"]:
        return "The call-out is healthy" if callouts["total"] == 1 else f"All {callouts['total']} call-outs are healthy"
    return f"No fault found; {callouts['healthy']} of {counted(callouts['total'], 'call-out')} proven healthy"


def nothing_found(summary: Mapping[str, Any]) -> str:
    """What stands where there are no findings."""
    if not summary["callouts"]["total"]:
        return "No call-outs were seen; what could not be read is below." if summary["not_seen"] else "Nothing to find: no call-outs are configured."
    if summary["callouts"]["unproven"]:
        return "None. But not every call-out could be proven: see the table."
    return "None. Every call-out was proven to work."


def numbers(counts: Mapping[str, int]) -> str:
    """`1 error, 2 notes, 1 suppressed`, or `nothing found`. counts: `findings` of a summary."""
    parts = [counted(counts[severity], word) for severity, word in (("error", "error"), ("warning", "warning"), ("info", "note")) if counts[severity]]
    if counts["suppressed"]:
        parts.append(f"{counts['suppressed']} suppressed")
    return ", ".join(parts) or "nothing found"


def stand(callouts: Mapping[str, int], *, gaps: bool) -> str:
    """How many work: `all 31 call-outs work`. callouts: of a summary; gaps: whether something could not be read."""
    total, working = callouts["total"], callouts["healthy"] + callouts["at_risk"]
    if not total:
        return "no call-outs were seen (see what could not be read)" if gaps else "no call-outs: this API server calls nobody"
    if working == total:
        return "the call-out works" if total == 1 else f"all {total} call-outs work"
    parts = [
        (callouts["failing"], "fails", "fail"),
        (callouts["open"], "fails open", "fail open"),
        (working, "works", "work"),
        (callouts["unproven"], "not proven", "not proven"),
    ]
    return f"of {counted(total, 'call-out')} " + ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in parts if number)


def since_baseline(summary: Mapping[str, Any]) -> str | None:
    """`since 2026-01-01T00:00:00Z: 1 new, 2 gone, 3 unchanged`; None without a baseline."""
    baseline = summary.get("baseline")
    if not baseline:
        return None
    of = f" of cluster {one_line(baseline['cluster'], 80)}" if baseline["cluster"] != summary["cluster"] else ""
    counts = ", ".join(f"{len(baseline[word])} {word}" for word in ("new", "gone", "unchanged"))
    return f"since the report{of} of {one_line(moment(baseline['observed_at']), 40)}: {counts}"


def version(summary: Mapping[str, Any]) -> str:
    """`Kubernetes 1.36.3`."""
    return f"Kubernetes {str(summary['kubernetes']).removeprefix('v')}" if summary["kubernetes"] else "Kubernetes version not known"


def platform(summary: Mapping[str, Any]) -> str | None:
    """`GKE Autopilot`, None where it is not known."""
    return summary["platform"]["label"]


def routing(summary: Mapping[str, Any]) -> str | None:
    """How this API server reaches Services, None where that is not known."""
    return _ROUTINGS.get(summary["routing"])
