# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cause, one finding. PRIVATE to the collection.

Findings with the same code and the same root (what has to be mended) become one that affects all of theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from .finding import Finding
from .severity import worst


def grouped(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, one per code and root, in no particular order but always the same."""
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[(finding.code, finding.root)].append(finding)
    return [_merged(sorted(group, key=_order)) for dummy, group in sorted(groups.items())]


def _order(finding: Finding) -> tuple[int, tuple[str, ...]]:
    return (finding.severity.rank, finding.affects)


def _merged(group: list[Finding]) -> Finding:
    """The worst one speaks; its subject widens to what all have in common: the object instead of one of its entries."""
    first = group[0]
    if len(group) == 1:
        return first
    subject = min((finding.subject for finding in group), key=lambda subject: subject.sort_key())
    if len({finding.subject for finding in group}) > 1:
        subject = replace(subject, webhook=None)
    merged = replace(
        first,
        severity=worst(finding.severity for finding in group),
        subject=subject,
        affects=tuple(sorted({callout for finding in group for callout in finding.affects})),
    )
    return merged.because(*(line for finding in group[1:] for line in finding.evidence))
