# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guard `clocks`: the hosts and the controller agree on the time, else every date of a certificate is a guess. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ..situation import Situation
from ..times import iso, seconds
from .guard import Guard

NAME = "clocks"


def clocks(situation: Situation) -> Iterator[Guard]:
    agree = True
    for one in situation.seen:
        clock = one.clock
        if clock is None:
            agree = False
            yield Guard(NAME, None, "it did not tell what time it is there", one.host)
            continue
        off = _off(clock, situation)
        if abs(off) > situation.options.max_skew:
            agree = False
            limit = f"limit {situation.options.max_skew:g} s"
            way = "ahead of" if off > 0 else "behind"
            yield Guard(NAME, False, f"its clock is {seconds(abs(off))} {way} the controller's ({limit}): set it by NTP", one.host)
        if one.certificate and one.certificate.not_before > situation.now:
            agree = False
            yield Guard(NAME, False, f"its certificate is not valid before {iso(one.certificate.not_before)}: a clock was, or is, wrong", one.host)
        if one.part("clock").get("synchronised") is False:
            yield Guard(NAME, False, "its clock is not synchronised (NTP), though it is right now", one.host, warning=True)
    if not situation.seen:
        yield Guard(NAME, None, "no host was asked")
    elif agree:
        yield Guard(NAME, True, f"{'those of hosts that could be asked' if situation.unseen else 'they'} agree within {situation.options.max_skew:g} s")


def _off(clock: datetime, situation: Situation) -> float:
    """Seconds by which the host's clock is ahead; 0 where it lies between the moments between which it was asked."""
    earliest, latest = situation.asked
    return max(clock - latest, timedelta(0)).total_seconds() or -max(earliest - clock, timedelta(0)).total_seconds()
