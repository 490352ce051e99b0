# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From observations to findings: the one way through the diagnosis. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .cluster import WARN_DAYS, Cluster
from .consequences import under_their_causes
from .finding import Finding
from .fingerprint import fingerprint
from .grouping import grouped
from .impact import impact_of
from .rules.registry import CASE_RULES, CLUSTER_RULES
from .text import fill


def diagnose(
    facts: Mapping[str, Any],
    probes: Iterable[Mapping[str, Any]] = (),
    verdicts: Iterable[Mapping[str, Any]] = (),
    at: str | None = None,
    warn_days: float = WARN_DAYS,
) -> list[dict[str, Any]]:
    """The findings in the shape of docs/architecture.md, worst first; the same for the same observations in whatever order they come.

    at: the moment to judge at (ISO 8601), default the time of the observation. warn_days: how long before its end a certificate is worth a warning.
    """
    cluster = Cluster.of(facts, probes, verdicts, at, warn_days)
    found: list[Finding] = [finding for rule in CASE_RULES for case in cluster.cases for finding in rule(case)]
    found += [finding for rule in CLUSTER_RULES for finding in rule(cluster)]
    shown = [_shown(finding, cluster) for finding in under_their_causes(grouped(found))]
    return [finding for dummy, finding in sorted(shown, key=lambda item: item[0])]


def _shown(finding: Finding, cluster: Cluster) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """(sort key, finding as a dict)."""
    entry, mark = finding.entry, fingerprint(finding)
    subject = finding.subject
    affected = [cluster.case_of[callout].callout for callout in finding.affects if callout in cluster.case_of]
    shown: dict[str, Any] = {
        "code": entry.code,
        "title": entry.title,
        "severity": finding.severity.value,
        "subject": {"kind": subject.kind, "namespace": subject.namespace, "name": subject.name, "webhook": subject.webhook},
        "affects": list(finding.affects),
        "impact": finding.impact or (impact_of(affected, cluster.facts, cluster.namespaces) if affected else None),
        "cause": finding.cause,
        "phase": finding.phase,
        "evidence": list(finding.evidence),
        "confirm": _steps(entry.confirm, finding),
        "remedy": {"role": entry.role, "vars": {}, "manual": _steps(entry.fix, finding)},
        "docs": f"docs/findings/{entry.code}.md",
        "fingerprint": mark,
    }
    return (finding.severity.rank, entry.code, subject.sort_key(), mark), shown


def _steps(templates: Iterable[str], finding: Finding) -> list[str]:
    return [step for step in (fill(template, finding.values) for template in templates) if step]
