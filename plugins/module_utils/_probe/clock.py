# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines: one moment by which everything that belongs to a call has to be over. PRIVATE to the collection."""

from __future__ import annotations

import time


class OutOfTime(Exception):
    """The deadline passed while the far side was awaited."""


class Deadline:
    """A moment of the monotonic clock. Every wait takes what is left of it, so that slow drips cannot renew it."""

    def __init__(self, at: float) -> None:
        self.at = at

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds left, more than 0. Raises OutOfTime."""
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise OutOfTime
        return seconds

    def sooner(self, seconds: float) -> Deadline:
        """This deadline, or `seconds` from now if that is earlier."""
        return Deadline(min(self.at, time.monotonic() + seconds))
