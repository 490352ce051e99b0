# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD501, WD502: answers that come too late, or nearly so. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..catalogue import timeouts as catalogue
from ..finding import Finding
from ..judgement import State
from ..timeout_profile import text_hint

if TYPE_CHECKING:
    from ..case import Case

CLOSE = 0.5  # of the limit


def answers_too_late(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    if judged.fails and judged.cause == "deadline_exceeded" and judged.phase in ("http", "review"):
        yield catalogue.WD501.about(case, [*judged.because, *text_hint(case)], phase=judged.phase)


def answers_just_in_time(case: Case) -> Iterator[Finding]:
    """WD502: the quickest good answer of any vantage counts, so that one slow moment, or other webhooks of the same dry run, raise no alarm."""
    if case.judgement.state is not State.HEALTHY:
        return
    waited = [(probe.answer_ms, probe) for probe in case.of_vantage("apiserver", "service_proxy", "port_forward", "direct") if probe.ok and probe.answer_ms]
    if not waited or case.callout["kind"] == "apiservice":
        return
    quickest, probe = min(waited, key=lambda item: (item[0], item[1].name))
    if quickest > CLOSE * case.timeout_ms:
        limit = case.callout["timeout_seconds"]
        yield catalogue.WD502.about(
            case, [f"the quickest of {len(waited)} answers took {quickest:.0f} ms ({probe.vantage.replace('_', ' ')}); the limit is {limit} s"]
        )


CASE_RULES = (answers_too_late, answers_just_in_time)
CLUSTER_RULES = ()
