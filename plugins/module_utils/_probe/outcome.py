# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one attempt saw, and the shape of a probe result (docs/architecture.md). PRIVATE to the collection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._vocabulary import CAUSES, PHASES

BODY_KEPT = 2048  # bytes of an answer that a result carries
_TIMED = ("resolve", "connect", "tls", "http")


class ProbeFailed(Exception):
    """The call failed in `phase` for `cause` (words of the vocabulary); `error` is the text, in Go's words where Go has some.

    `permanent`: the same call cannot succeed a moment later, so that a retry would be wasted.
    """

    def __init__(self, phase: str, cause: str, error: str, permanent: bool = False) -> None:
        super().__init__(error)
        if phase not in PHASES or cause not in CAUSES:
            raise ValueError(f"{phase}/{cause} is not in the vocabulary")
        self.phase, self.cause, self.error, self.permanent = phase, cause, error, permanent


class NotProvable(Exception):
    """From this vantage nothing can be said about the webhook; the text says why."""


class Trace:
    """What one attempt has seen so far: how far it got, milliseconds by phase, the peer, TLS, the answer."""

    def __init__(self) -> None:
        self.phase = "resolve"
        self.elapsed: dict[str, float] = {}
        self.peer: str | None = None
        self.tls: dict[str, Any] | None = None
        self.http: dict[str, Any] | None = None
        self._began = time.monotonic()

    @contextmanager
    def measure(self, phase: str) -> Iterator[None]:
        """Time spent inside counts for `phase`, also if it ends in an exception."""
        self.phase = phase
        began = time.monotonic()
        try:
            yield
        finally:
            self.elapsed[phase] = self.elapsed.get(phase, 0.0) + (time.monotonic() - began) * 1000

    def answered(self, status: int, body: bytes) -> None:
        self.http = {"status": status, "body": body[:BODY_KEPT].decode("utf-8", "replace")}

    def observed(self) -> dict[str, Any]:
        """The keys of a result that say what was seen."""
        elapsed: dict[str, float | None] = {phase: round(self.elapsed[phase], 1) if phase in self.elapsed else None for phase in _TIMED}
        elapsed["total"] = round((time.monotonic() - self._began) * 1000, 1)
        return {"elapsed_ms": elapsed, "peer": {"address": self.peer}, "tls": self.tls, "http": self.http}


def blank() -> dict[str, Any]:
    """A probe result without the echoed keys, of a probe that has not been made."""
    return {
        "ok": False,
        "phase": "resolve",
        "cause": None,
        "error": None,
        "provable": True,
        "reason": None,
        "request": None,
        "hidden_by": None,
        "check": None,
        "elapsed_ms": dict.fromkeys((*_TIMED, "total")),
        "peer": {"address": None},
        "tls": None,
        "http": None,
        "attempts": 0,
    }


def passed(trace: Trace) -> dict[str, Any]:
    return {**blank(), **trace.observed(), "ok": True, "phase": trace.phase}


def failed(trace: Trace, failure: ProbeFailed) -> dict[str, Any]:
    return {**blank(), **trace.observed(), "phase": failure.phase, "cause": failure.cause, "error": failure.error}


def not_provable(trace: Trace, why: NotProvable) -> dict[str, Any]:
    return {**blank(), **trace.observed(), "phase": trace.phase, "provable": False, "reason": str(why)}


def unfinished(seconds: float) -> dict[str, Any]:
    """The result of a probe that the overall deadline (`seconds`) cut off before it began or before it told anything."""
    return {**blank(), "cause": "deadline_exceeded", "error": f"not finished within the overall deadline of {seconds:g} s"}
