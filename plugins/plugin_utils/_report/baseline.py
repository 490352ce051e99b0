# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is new, gone and unchanged since an earlier report. PRIVATE to the collection.

Findings are recognised by their fingerprints, which stay the same from run to run. A finding that is suppressed now is not gone, and one that was suppressed
then is not new.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bundle import LARGEST
from .naming import name_of_subject
from .shapes import FINDINGS, SUPPRESSED, Mismatch, check

_SUMMARY = {"cluster": str, "observed_at": str}


class BadBaseline(Exception):
    """The text is for people: which file, what is wrong, and the way out."""


@dataclass(frozen=True)
class Baseline:
    """An earlier report.json. known: the fingerprints of what was found and suppressed then."""

    path: str
    cluster: str
    observed_at: str
    findings: tuple[Mapping[str, Any], ...]
    known: frozenset[str]


def read_baseline(path: Path) -> Baseline:
    """The report in this file, or in this directory of a report. Raises BadBaseline."""
    file = path / "report.json" if path.is_dir() else path
    way_out = "Give the report.json of an earlier run (or its directory), or leave webhook_doctor_baseline out."
    try:
        if file.stat().st_size > LARGEST:
            raise BadBaseline(f"webhook_doctor_baseline: {file} is larger than {LARGEST >> 20} MiB, so it is no report. {way_out}")
        data = json.loads(file.read_bytes())
    except OSError as error:
        raise BadBaseline(f"webhook_doctor_baseline: {file} cannot be read: {error.strerror}. {way_out}") from error
    except (ValueError, RecursionError) as error:
        raise BadBaseline(f"webhook_doctor_baseline: {file} is not whole JSON ({error}). {way_out}") from error
    if not isinstance(data, dict) or "findings" not in data:
        what = "a bundle, which holds no findings" if isinstance(data, dict) and "format" in data else "no report of this collection"
        raise BadBaseline(f"webhook_doctor_baseline: {file} is {what}. {way_out}")
    try:
        check(data, {"summary": _SUMMARY, "findings": FINDINGS})
        check(data.get("suppressed") or [], SUPPRESSED, "suppressed")
    except Mismatch as error:
        raise BadBaseline(f"webhook_doctor_baseline: {file}: {error}. It was edited or damaged. {way_out}") from error
    known = frozenset(finding["fingerprint"] for finding in (*data["findings"], *(data.get("suppressed") or ())))
    return Baseline(str(file), data["summary"]["cluster"], data["summary"]["observed_at"], tuple(data["findings"]), known)


def compared(baseline: Baseline, findings: Sequence[Mapping[str, Any]], suppressed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`summary.baseline` of a report.

    {path, cluster, observed_at, new: [fingerprint], new_by_severity: {severity: int}, unchanged: [fingerprint],
     gone: [{code, title, severity, fingerprint, name}]}
    """
    now = {finding["fingerprint"] for finding in (*findings, *suppressed)}
    fresh = [finding for finding in findings if finding["fingerprint"] not in baseline.known]
    return {
        "path": baseline.path,
        "cluster": baseline.cluster,
        "observed_at": baseline.observed_at,
        "new": [finding["fingerprint"] for finding in fresh],
        "new_by_severity": {severity: sum(finding["severity"] == severity for finding in fresh) for severity in ("error", "warning", "info")},
        "unchanged": [finding["fingerprint"] for finding in findings if finding["fingerprint"] in baseline.known],
        "gone": [_gone(finding) for finding in baseline.findings if finding["fingerprint"] not in now],
    }


def _gone(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {**{key: finding[key] for key in ("code", "title", "severity", "fingerprint")}, "name": name_of_subject(finding["subject"])}
