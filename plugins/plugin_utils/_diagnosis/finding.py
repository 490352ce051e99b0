# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding, and the catalogue entry that it is an instance of. PRIVATE to the collection.

A rule never writes texts of its own about meaning or cure: it picks an `Entry` of the catalogue and says about whom, why it believes it, and
which values the entry's commands need. `Entry.about` does that for a call-out, `Entry.found` for anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .severity import Severity, of_failure
from .text import clean

if TYPE_CHECKING:
    from .case import Case

MOST_EVIDENCE = 12


@dataclass(frozen=True)
class Subject:
    """What the finding is about, in the API's words. `webhook`: the entry of a webhook configuration."""

    kind: str
    name: str
    namespace: str | None = None
    webhook: str | None = None

    @classmethod
    def of_callout(cls, callout: Mapping[str, Any]) -> Subject:
        owner = callout["object"]
        return cls(kind=owner["kind"], name=owner["name"], webhook=callout.get("webhook"))

    @classmethod
    def of_backend(cls, backend: Mapping[str, Any], callout: Mapping[str, Any]) -> Subject:
        """The Service; for a URL the object that names it (a URL is no object of the API)."""
        service = backend.get("service") or (callout.get("client") or {}).get("service")
        if not service:
            return cls.of_callout(callout)
        return cls(kind="Service", namespace=service["namespace"], name=service["name"])

    def sort_key(self) -> tuple[str, str, str, str]:
        return (self.kind, self.namespace or "", self.name, self.webhook or "")


@dataclass(frozen=True)
class Entry:
    """One kind of fault.

    blames:   `callout` where the configuration of the call-out is to be mended, `backend` where what it reaches is: findings of one code with one
              back end are one finding, and for `backend` the Service is its subject. `cluster`: neither.
    decided:  how the collection decides that it is this (for the page).
    confirm:  commands that show it by hand; fix: what to do. A step that starts with `# ` is a sentence. {placeholders}: see `case.Case.values`.
    role:     the remedy role that can mend it; None where it lies outside of the Kubernetes API, or only a person can decide.
    """

    code: str
    title: str
    severity: Severity
    cause: str | None
    meaning: str
    decided: str
    confirm: tuple[str, ...]
    fix: tuple[str, ...]
    source: str
    blames: str = "backend"
    role: str | None = None

    def about(
        self,
        case: Case,
        because: Iterable[str],
        *,
        cause: str | None = None,
        phase: str | None = None,
        severity: Severity | None = None,
        root: str | None = None,
        values: Mapping[str, object] | None = None,
    ) -> Finding:
        """This fault, found in the call-out of `case`.

        root: what has to be mended (default: the back end); findings with the same code and root become one.
        severity: default is the entry's, a warning where the call-out fails open.
        """
        backend = case.backend
        subject = Subject.of_backend(backend, case.callout) if self.blames == "backend" else Subject.of_callout(case.callout)
        return Finding(
            entry=self,
            severity=severity or of_failure(case.callout, self.severity),
            root=root or str(backend["id"]),
            subject=subject,
            affects=(case.id,),
            cause=cause if cause is not None else self.cause,
            phase=phase,
            evidence=_lines(because),
            values={**case.values, **(values or {})},
        )

    def found(
        self,
        subject: Subject,
        because: Iterable[str],
        *,
        affects: Iterable[str] = (),
        cause: str | None = None,
        phase: str | None = None,
        severity: Severity | None = None,
        root: str | None = None,
        values: Mapping[str, object] | None = None,
    ) -> Finding:
        """This fault, found in something else than one call-out."""
        return Finding(
            entry=self,
            severity=severity or self.severity,
            root=root or "/".join(subject.sort_key()),
            subject=subject,
            affects=tuple(sorted(set(affects))),
            cause=cause if cause is not None else self.cause,
            phase=phase,
            evidence=_lines(because),
            values=dict(values or {}),
        )


@dataclass(frozen=True)
class Finding:
    """One judged fact. `root` is what grouping and fingerprint go by; `impact` is filled in when the list is made."""

    entry: Entry
    severity: Severity
    root: str
    subject: Subject
    affects: tuple[str, ...]
    cause: str | None
    phase: str | None
    evidence: tuple[str, ...]
    values: Mapping[str, object] = field(default_factory=dict)
    impact: str | None = None
    explains: tuple[str, ...] = ()  # codes that are only consequences of this, see consequences.py

    @property
    def code(self) -> str:
        return self.entry.code

    def explaining(self, *codes: str) -> Finding:
        """The same, with findings of these codes about the same call-outs standing under it."""
        return replace(self, explains=codes)

    def because(self, *more: str) -> Finding:
        """The same with more evidence."""
        return replace(self, evidence=_lines([*self.evidence, *more]))


def _lines(lines: Iterable[str]) -> tuple[str, ...]:
    """Evidence as it is shown: no line twice, in the order given, bounded."""
    seen = dict.fromkeys(clean(line) for line in lines if line)
    kept = list(seen)
    if len(kept) <= MOST_EVIDENCE:
        return tuple(kept)
    return (*kept[: MOST_EVIDENCE - 1], f"and {len(kept) - MOST_EVIDENCE + 1} more observations like these")
