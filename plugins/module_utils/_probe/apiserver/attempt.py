# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe under way, and the result it ends in. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.candidates import Candidate
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.chain import Chain
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.channel import Answer, Channel
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.judgement import FAILING, HEALTHY, Judgement
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.once import Once
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.surroundings import Surroundings
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import blank


@dataclass(frozen=True)
class Run:
    """What the probes of one run share. name: of objects that dry runs create; sent: answers to requests that several probes make."""

    surroundings: Surroundings
    chain: Chain
    name: str
    sent: Once = field(default_factory=Once)


@dataclass
class Probe:
    """One specification and the channel to the API server, or instance of it, that it asks for. Counts what it sends."""

    spec: Mapping[str, Any]
    callout: Mapping[str, Any]
    channel: Channel
    run: Run
    timeout: float
    attempts: int = 0
    request: dict[str, Any] | None = None
    answer: Answer | None = None
    candidate: Candidate | None = None  # the one that proved something
    check: dict[str, Any] | None = None  # what an application's own check found: {what, done, said}

    def tried(self, request: dict[str, Any], answer: Answer) -> Answer:
        """Take down what was sent and what came back."""
        self.attempts += 1
        self.request, self.answer = request, answer
        return answer

    def result(self, judgement: Judgement) -> dict[str, Any]:
        """The probe result of docs/architecture.md, without the echoed keys."""
        seen = {**blank(), "request": self.request, "attempts": self.attempts, "check": self.check}
        if self.answer is not None:
            seen["elapsed_ms"] = {**seen["elapsed_ms"], "total": self.answer.elapsed_ms}
        if judgement.state == HEALTHY:
            return {**seen, "ok": True, "phase": "review"}
        if judgement.state == FAILING:
            return {**seen, "phase": judgement.phase, "cause": judgement.cause, "error": judgement.error}
        return {**seen, "provable": False, "reason": judgement.reason, "hidden_by": judgement.hidden_by}


def reading(resource: str, namespace: str | None, name: str | None, verb: str = "get") -> dict[str, Any]:
    """The `request` of a result, of a read."""
    return {"verb": verb, "resource": resource, "namespace": namespace, "name": name, "dry_run": False}
