# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a planner is given: findings, the joined observation, objects that were read for it, and its options. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .reference import PublicKeys, Reference, Selection

if TYPE_CHECKING:
    from .._diagnosis.case import Case
    from .._diagnosis.cluster import Cluster


class InvalidOption(Exception):
    """An option of a remedy has a value that it cannot have. The text names it and what is expected."""


@dataclass(frozen=True)
class Answer:
    """What reading one reference or selection gave. error: why it could not be read (None where it was, or does not exist)."""

    objects: tuple[Mapping[str, Any], ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Request:
    """findings: in the shape of docs/architecture.md. options: those of one remedy, complete (its defaults filled in)."""

    findings: Sequence[Mapping[str, Any]]
    cluster: Cluster
    options: Mapping[str, Any]
    answers: Mapping[Reference | Selection | PublicKeys, Answer]

    def of(self, *codes: str) -> Iterator[Mapping[str, Any]]:
        """The findings with one of these codes, in their order."""
        return (finding for finding in self.findings if finding["code"] in codes)

    def cases(self, finding: Mapping[str, Any]) -> list[Case]:
        """The call-outs that a finding affects, those that are known."""
        return [self.cluster.case_of[callout] for callout in finding["affects"] if callout in self.cluster.case_of]

    def read(self, reference: Reference) -> Mapping[str, Any] | None:
        """The object as it was read; None where it does not exist, was not asked for, or could not be read (`unreadable` tells)."""
        return next(iter(self.answers.get(reference, Answer()).objects), None)

    def select(self, selection: Selection) -> tuple[Mapping[str, Any], ...]:
        """The objects of a selection as they were read."""
        return self.answers.get(selection, Answer()).objects

    def public(self, wanted: PublicKeys) -> str:
        """The certificates that were read, as PEM; "" where there are none, or they could not be read (`unreadable` tells)."""
        found = next(iter(self.answers.get(wanted, Answer()).objects), None)
        return "".join((found or {}).get("data", {}).get(key, "") for key in wanted.keys)

    def is_absent(self, wanted: Reference | Selection | PublicKeys) -> bool:
        """Whether it was looked for and is not there. What was not asked for, or could not be read, is not absent."""
        answer = self.answers.get(wanted)
        return answer is not None and answer.error is None and not answer.objects

    def unreadable(self, reference: Reference | Selection | PublicKeys) -> str | None:
        """Why it could not be read; None where it was, or does not exist."""
        return self.answers.get(reference, Answer()).error


def choice(options: Mapping[str, Any], name: str, words: Iterable[str]) -> str:
    """An option that is one of some words. Raises InvalidOption."""
    allowed = list(words)
    if options[name] not in allowed:
        raise InvalidOption(f"{name} is {options[name]!r}. Expected one of: {', '.join(allowed)}.")
    return str(options[name])


def switch(options: Mapping[str, Any], name: str) -> bool:
    """An option that is true or false, also as `-e name=true` gives it. Raises InvalidOption."""
    value = options[name]
    words = {"true": True, "yes": True, "false": False, "no": False}
    if not isinstance(value, bool) and str(value).lower() not in words:
        raise InvalidOption(f"{name} is {value!r}. Expected true or false.")
    return value if isinstance(value, bool) else words[str(value).lower()]


def whole(options: Mapping[str, Any], name: str, least: int, most: int, unit: str) -> int:
    """An option that is a whole number in a range. Raises InvalidOption."""
    value = options[name]
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = least - 1
    if isinstance(value, bool) or not least <= number <= most or str(value).strip() != str(number):
        raise InvalidOption(f"{name} is {value!r}. Expected a whole number of {unit} from {least} to {most}.")
    return number
