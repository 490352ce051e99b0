# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD4xx: what the back end answers. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..catalogue import answers as catalogue
from ..catalogue.index import CATALOGUE
from ..finding import Entry, Finding

if TYPE_CHECKING:
    from ..case import Case

_STATUS_CODES = frozenset({"WD401", "WD402", "WD403", "WD404", "WD405", "WD406"})
_CUT_OFF = re.compile(r"unexpected EOF|unexpected end of JSON|cut off|truncated|shorter than|incomplete", re.IGNORECASE)


def http_error(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    if not judged.fails or judged.cause != "http_status":
        return
    entry = _by_status(judged.status) if judged.status and judged.status >= 300 else None
    if entry is None:
        # The API server's words name the status, not the number.
        entry = CATALOGUE[judged.code] if judged.code in _STATUS_CODES else catalogue.WD405
    yield entry.about(case, judged.because, phase=judged.phase or "http", root=f"{case.backend['id']}{case.values['path']}")


def _by_status(status: int) -> Entry:
    if 300 <= status < 400:
        return catalogue.WD406
    if status >= 500:
        return catalogue.WD404
    return {404: catalogue.WD401, 401: catalogue.WD402, 403: catalogue.WD402, 429: catalogue.WD403}.get(status, catalogue.WD405)


def no_admission_server(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    if judged.fails and judged.cause == "not_an_admission_server":
        yield catalogue.WD410.about(case, judged.because, phase=judged.phase)


def invalid_review(case: Case) -> Iterator[Finding]:
    """WD412 where the body is cut off, else WD411."""
    judged = case.judgement
    if not judged.fails or judged.cause != "invalid_response":
        return
    errors = [probe.error or "" for probe in case.of_vantage("apiserver", "service_proxy", "port_forward", "direct") if probe.cause == "invalid_response"]
    cut = judged.code == "WD412" or (judged.code is None and any(_CUT_OFF.search(error) for error in errors))
    yield (catalogue.WD412 if cut else catalogue.WD411).about(case, judged.because, phase=judged.phase)


def closed_instead_of_an_answer(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    if judged.fails and judged.cause == "connection_closed" and judged.phase in ("http", "review"):
        yield catalogue.WD413.about(case, judged.because, phase=judged.phase)


def conversion_fails(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    if judged.fails and judged.cause == "conversion_failed":
        yield catalogue.WD420.about(case, judged.because, phase=judged.phase)


def aggregated_api_unavailable(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    if judged.fails and judged.cause == "aggregated_api_unavailable":
        yield catalogue.WD430.about(case, judged.because, phase=judged.phase)


CASE_RULES = (http_error, no_admission_server, invalid_review, closed_instead_of_an_answer, conversion_fails, aggregated_api_unavailable)
CLUSTER_RULES = ()
