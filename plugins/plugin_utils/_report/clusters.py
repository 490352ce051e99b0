# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How it stands with many clusters that one run was over. PRIVATE to the collection.

What the tasks of a run have registered for each host in, one `Cluster` each out. Pure: no clock, no environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .model import SEVERITIES
from .naming import name_of_subject

# Worst first. failed: the run over it did not get to its end. error, warning: the worst that was found. good: neither.
STATES = ("failed", "error", "warning", "good")
LOST = "an error ended it, which stands in the output of the run; or its host could not be reached"


@dataclass(frozen=True)
class Cluster:
    """One cluster. host: its name in the inventory. why: what ended the run over it too early (null: nothing). says: how it ended, in a sentence.

    cluster, kubernetes: as the report names them. findings: how many {error, warning, info, suppressed}; callouts: as in a report's summary; worst:
    {code, severity, title, name}; files: of its report, by kind. Null where it is not known. fails: whether what was found ends the run with failure
    (webhook_doctor_fail_on).
    """

    host: str
    state: str
    why: str | None = None
    says: str | None = None
    cluster: str | None = None
    kubernetes: str | None = None
    observed_at: str | None = None
    findings: Mapping[str, int] | None = None
    callouts: Mapping[str, int] | None = None
    not_seen: int | None = None
    worst: Mapping[str, str] | None = None
    files: Mapping[str, str] | None = None
    fails: bool = False

    def shown(self) -> dict[str, Any]:
        """As in the JSON of the summary."""
        return asdict(self)


def cluster_of(
    host: str, results: Sequence[Mapping[str, Any] | None], findings: Sequence[Mapping[str, Any]] | None, limit: Mapping[str, Any] | None
) -> Cluster:
    """What became of one cluster.

    results: what the steps of the run have registered, in their order; None where a step was not reached. The last tells how it ended, and may name one of
    STATES, which else comes of what was found. findings: that were judged, if so far. limit: of the task that fails on what was found.
    """
    seen = [result for result in results if result]
    why = next((_reason(result) for result in seen if result.get("failed") or result.get("unreachable")), None)
    if why is None and (not results or not results[-1]):
        why = LOST
    summary: Mapping[str, Any] = next((result["summary"] for result in seen if "summary" in result), {})
    facts = next((facts for facts in map(_facts, seen) if facts), None)
    ended = results[-1] if results else None
    if findings is None and ended:
        findings = ended.get("findings")
    counts = summary.get("findings") or _counts(findings)
    return Cluster(
        host=host,
        state="failed" if why else _said_state(ended) or _state(counts),
        why=why,
        says=str(ended["msg"]) if ended and not why and ended.get("msg") else None,
        cluster=summary.get("cluster") or (facts["source"]["cluster"] if facts else None),
        kubernetes=summary.get("kubernetes") or (facts["version"]["git_version"] if facts else None),
        observed_at=summary.get("observed_at") or (facts["source"]["observed_at"] if facts else None),
        findings=counts,
        callouts=summary.get("callouts"),
        not_seen=len(summary["not_seen"]) if summary else None,
        worst=_worst(findings),
        files=next((dict(result["files"]) for result in seen if "html" in (result.get("files") or ())), None),
        fails=bool(limit and limit.get("failed")),
    )


def worst_first(clusters: Sequence[Cluster]) -> list[Cluster]:
    """The same, worst first, else in their order."""
    return sorted(clusters, key=lambda cluster: STATES.index(cluster.state))


def by_state(clusters: Sequence[Cluster]) -> dict[str, int]:
    """How many clusters there are in each state."""
    return {state: sum(cluster.state == state for cluster in clusters) for state in STATES}


def _facts(result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The facts of the observation that was made, or read from a bundle."""
    return result.get("facts") or (result.get("bundle") or {}).get("facts")


def _reason(result: Mapping[str, Any]) -> str:
    return str(result.get("msg") or LOST)


def _counts(findings: Sequence[Mapping[str, Any]] | None) -> dict[str, int] | None:
    if findings is None:
        return None
    return {**{severity: sum(finding["severity"] == severity for finding in findings) for severity in SEVERITIES}, "suppressed": 0}


def _said_state(ended: Mapping[str, Any] | None) -> str | None:
    said = (ended or {}).get("state")
    return said if said in STATES else None


def _state(counts: Mapping[str, int] | None) -> str:
    return next((severity for severity in ("error", "warning") if counts and counts[severity]), "good")


def _worst(findings: Sequence[Mapping[str, Any]] | None) -> dict[str, str] | None:
    """The first of the worst severity."""
    if not findings:
        return None
    finding = min(findings, key=lambda finding: SEVERITIES.index(finding["severity"]))
    return {**{key: str(finding[key]) for key in ("code", "severity", "title")}, "name": str(name_of_subject(finding["subject"]))}
