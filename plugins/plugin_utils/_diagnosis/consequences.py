# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A consequence stands under its cause. PRIVATE to the collection.

A rule that knows why calls fail says with `explains` which codes would only repeat what happens then: a NetworkPolicy that does not admit the API server
explains the dropped packets (WD210) of the call-outs that it affects. Those findings become evidence of the cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from .finding import Finding
from .severity import worst


def under_their_causes(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without those that another one explains, as far as that affects the same call-outs; what it does not explain stays."""
    kept = dict(enumerate(findings))
    about: dict[str, list[int]] = defaultdict(list)
    for position, finding in kept.items():
        for callout in finding.affects:
            about[callout].append(position)
    for at in [position for position, finding in kept.items() if finding.explains]:
        if at not in kept:
            continue  # explained itself, by another one
        for position in sorted({position for callout in kept[at].affects for position in about[callout]} - {at}):
            cause, other = kept[at], kept.get(position)
            if other is None or other.code not in cause.explains:
                continue
            explained = set(other.affects) & set(cause.affects)
            if not explained:
                continue
            left = tuple(callout for callout in other.affects if callout not in explained)
            if left:
                kept[position] = replace(other, affects=left)
            else:
                del kept[position]
            kept[at] = replace(
                cause.because(*other.evidence),
                severity=worst((cause.severity, other.severity)),
                cause=cause.cause or other.cause,
                phase=cause.phase or other.phase,
            )
    return list(kept.values())
