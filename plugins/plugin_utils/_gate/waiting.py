# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the waiting ends: so many good looks one after the other at the same call-outs. Pure. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass, field

from .look import Look


@dataclass(frozen=True)
class Streak:
    """good: how many looks in a row were good, up to now. last: the last look. silence: why there was none just now: the API server did not answer."""

    good: int = 0
    last: Look = field(default_factory=Look)
    silence: str | None = None

    def after(self, look: Look) -> Streak:
        """A further call-out is a new question: the looks before it do not speak for it."""
        if not look.good:
            return Streak(0, look)
        return Streak(self.good + 1 if self.good and self.last.callouts == look.callouts else 1, look)

    def broken(self, silence: str) -> Streak:
        return Streak(0, self.last, silence)

    @property
    def hopeless(self) -> bool:
        """Whether waiting does not help."""
        return self.silence is None and self.last.hopeless
