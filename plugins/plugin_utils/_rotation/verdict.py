# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which loopback certificates are to be renewed: due, fine, left alone for now, or not to be judged, and why. Pure. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from .certificate import LoopbackCertificate
from .instance import Instance
from .options import InvalidOptions
from .times import day, iso, span


class State(str, Enum):
    """DUE: to be done. FINE: nothing to do. COOLING: it would be due, but was started so lately that starting it anew cannot help. UNKNOWN: cannot
    be judged."""

    DUE = "due"
    FINE = "fine"
    COOLING = "cooling"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Limits:
    """days, share: how much of its life may be left at most, whichever comes first. cool_down_hours: how long a process is left alone after its start."""

    days: float = 30.0
    share: float = 0.1
    cool_down_hours: float = 24.0


def limits(days: float, share: float, cool_down_hours: float) -> Limits:
    """What a user has set. Raises InvalidOptions."""
    try:
        found = Limits(float(days), float(share), float(cool_down_hours))
    except (TypeError, ValueError) as error:
        raise InvalidOptions(f"a limit is no number ({error}). Expected: days, share (0 to 1), cool_down_hours.") from error
    if found.days < 0 or found.cool_down_hours < 0:
        raise InvalidOptions(f"days {days} and cool_down_hours {cool_down_hours} must not be negative.")
    if not 0 <= found.share <= 1:
        raise InvalidOptions(f"share {share} is out of range. Expected: 0 to 1, such as 0.1 for a tenth of the certificate's life.")
    return found


@dataclass(frozen=True)
class Verdict:
    """What is to be done with one host, by whoever judges it. urgent: before all others. before: the earliest first."""

    host: str
    state: State
    says: str
    urgent: bool = False
    before: datetime | None = None
    not_after: datetime | None = None
    started: datetime | None = None
    days_left: float | None = None
    lifetime_days: float | None = None

    def shown(self) -> dict[str, Any]:
        return {
            "host": self.host,
            "state": self.state.value,
            "says": self.says,
            "urgent": self.urgent,
            "before": iso(self.before),
            "not_after": iso(self.not_after),
            "started": iso(self.started),
            "days_left": None if self.days_left is None else round(self.days_left, 2),
            "lifetime_days": None if self.lifetime_days is None else round(self.lifetime_days, 2),
        }


def judge(instance: Instance, now: datetime, limits: Limits) -> Verdict:
    """`now`: aware UTC, of the controller."""
    certificate = instance.certificate
    if certificate is None:
        return Verdict(instance.host, State.UNKNOWN, f"cannot be judged: {instance.unreadable}")
    left = certificate.days_left(now)
    expired = left < 0
    state, says = _state(instance, certificate, now, limits)
    return Verdict(
        host=instance.host,
        state=state,
        says=says,
        urgent=expired,
        before=certificate.not_after,
        not_after=certificate.not_after,
        started=certificate.started,
        days_left=left,
        lifetime_days=certificate.lifetime_days,
    )


def _state(instance: Instance, certificate: LoopbackCertificate, now: datetime, limits: Limits) -> tuple[State, str]:
    if certificate.not_before > now:
        return State.UNKNOWN, f"cannot be judged: its certificate is not valid before {iso(certificate.not_before)}, so a clock is wrong"
    left, share, life = certificate.days_left(now), certificate.share_left(now), certificate.lifetime_days
    if left < 0:
        reason = f"expired {span(-left)} ago"
    elif left <= limits.days:
        reason = f"ends in {span(left)}, the limit is {limits.days:g} days"
    elif share <= limits.share:
        reason = f"ends in {span(left)}, {share:.0%} of its {life:.0f} days; the limit is {limits.share:.0%}"
    else:
        return State.FINE, f"ends in {span(left)}, on {day(certificate.not_after)}"
    age = now - certificate.started
    if age < timedelta(hours=limits.cool_down_hours):
        ago = span(max(age, timedelta(0)).total_seconds() / 86400)
        return State.COOLING, f"{reason}; it was started {ago} ago, and is left alone for {limits.cool_down_hours:g} hours after a start"
    return State.DUE, reason
