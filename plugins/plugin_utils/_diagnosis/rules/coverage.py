# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD9xx: what could not be seen, judged or explained. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..catalogue import coverage as catalogue
from ..catalogue.index import CATALOGUE
from ..finding import Finding, Subject
from ..judgement import State

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster import Cluster

_SHOWN = 6
# A cause that an entry names has rules of its own.
_EXPLAINED = frozenset(entry.cause for entry in CATALOGUE.values() if entry.cause and entry.code != "WD903")


def no_rule_explains_it(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    if judged.fails and judged.cause not in _EXPLAINED:
        yield catalogue.WD903.about(case, judged.because, cause=judged.cause, phase=judged.phase)


def could_not_be_read(cluster: Cluster) -> Iterator[Finding]:
    """One finding for each thing that is missing; what was not asked for is missed by nobody."""
    for gap in cluster.facts["coverage"]:
        if gap["reason"] != "not_asked":
            lines = [f"{gap['what']}: {str(gap['reason']).replace('_', ' ')}", gap["message"] or "", gap["consequence"] or ""]
            yield catalogue.WD901.found(Subject(kind="Coverage", name=str(gap["what"])), lines)


def could_not_be_judged(cluster: Cluster) -> Iterator[Finding]:
    unjudged = [case for case in cluster.cases if case.judgement.state is State.UNJUDGED]
    if not unjudged:
        return
    lines = [f"{len(unjudged)} of {len(cluster.cases)} call-outs"]
    for case in unjudged[:_SHOWN]:
        reasons = "; ".join(case.judgement.because) or "nothing was probed"
        lines.append(f"{case.id}: {reasons}")
    if len(unjudged) > _SHOWN:
        lines.append(f"and {len(unjudged) - _SHOWN} more")
    subject = Subject(kind="Coverage", name="call-outs")
    yield catalogue.WD902.found(subject, lines, affects=[case.id for case in unjudged], values=unjudged[0].values)


CASE_RULES = (no_rule_explains_it,)
CLUSTER_RULES = (could_not_be_read, could_not_be_judged)
