# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings that somebody has accepted, and findings that somebody asks for. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from .checked import InvalidObservation, moment
from .selection import picked

_KEYS = ("code", "name", "until", "reason")
_EXPECTED = "Expected: {code: WD305, name: <name or pattern>, until: 2027-01-31, reason: <why>}, with a code or a name at least."


@dataclass(frozen=True)
class Suppression:
    """code and name: shell patterns, None for any. until: the first moment at which it no longer holds, None for ever."""

    code: str | None
    name: str | None
    until: datetime | None
    reason: str | None
    given: Mapping[str, Any]

    @classmethod
    def of(cls, item: Any, index: int) -> Suppression:
        """Raises InvalidObservation."""
        if not isinstance(item, Mapping):
            raise InvalidObservation(f"suppress[{index}] is a {type(item).__name__}. {_EXPECTED}")
        unknown = sorted(set(item) - set(_KEYS))
        if unknown:
            raise InvalidObservation(f"suppress[{index}] has the unknown key {unknown[0]!r}. {_EXPECTED}")
        code, name = (str(item[key]) if item.get(key) else None for key in ("code", "name"))
        if not code and not name:
            raise InvalidObservation(f"suppress[{index}] names neither a code nor a name, so it would hide everything. {_EXPECTED}")
        until = None
        if item.get("until"):
            text = str(item["until"])
            until = moment(text)
            if "T" not in text and ":" not in text:
                until += timedelta(days=1)  # a date means until its end
        return cls(code, name, until, str(item["reason"]) if item.get("reason") else None, {key: item.get(key) for key in _KEYS})

    def covers(self, finding: Mapping[str, Any], at: datetime) -> bool:
        """Whether it hides this finding. One that affects many is hidden by name only if its subject is named or all that it affects are."""
        if self.until and at >= self.until:
            return False
        if self.code and not fnmatchcase(finding["code"], self.code):
            return False
        if not self.name:
            return True
        subject = finding["subject"]
        names = [subject["name"], subject["webhook"], f"{subject['namespace']}/{subject['name']}", finding["fingerprint"]]
        if any(name and fnmatchcase(name, self.name) for name in names):
            return True
        return bool(finding["affects"]) and all(fnmatchcase(callout, self.name) for callout in finding["affects"])


def split(findings: Iterable[dict[str, Any]], suppress: Sequence[Any], at: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(to be shown, suppressed): the suppressed ones carry `reason` and `until` of what hides them. Raises InvalidObservation."""
    rules = [Suppression.of(item, index) for index, item in enumerate(suppress)]
    shown: list[dict[str, Any]] = []
    hidden: list[dict[str, Any]] = []
    for finding in findings:
        rule = next((rule for rule in rules if rule.covers(finding, at)), None)
        if rule is None:
            shown.append(finding)
        else:
            hidden.append({**finding, "reason": rule.reason, "until": str(rule.given["until"]) if rule.given["until"] else None})
    return shown, hidden


def select_by(findings: list[dict[str, Any]], expression: str) -> list[dict[str, Any]]:
    """Those findings that a JMESPath expression picks out of the list. Raises InvalidObservation."""
    return picked(findings, expression, "fingerprint", "findings", "[?severity=='error'] or [?starts_with(code, 'WD3')]")
