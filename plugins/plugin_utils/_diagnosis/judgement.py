# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outcome of judging one call-out. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class State(str, Enum):
    """HEALTHY: calls work. FAILING: calls fail. PARTIAL: some calls fail, others work. UNJUDGED: nothing that was seen decides it."""

    HEALTHY = "healthy"
    FAILING = "failing"
    PARTIAL = "partial"
    UNJUDGED = "unjudged"


@dataclass(frozen=True)
class Judgement:
    """Whether calls fail and why.

    decided_by: `apiserver` (its own word, the only proof), `facts` (no call can work with this configuration), `trust` (the served chain against the
    caBundle), `probes` (vantages that agree), `evidence` (what the API server said to others); None where nothing decides.
    cause, phase: of the failure. code: what the text itself points at, where a cause has several codes; the rules refine it.
    status: HTTP status, where it came to that. names: what the text names besides (see classify). because: the reasoning, line by line.
    """

    state: State
    decided_by: str | None
    cause: str | None = None
    phase: str | None = None
    code: str | None = None
    status: int | None = None
    names: Mapping[str, Any] = field(default_factory=dict)
    because: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        return self.state is State.FAILING
