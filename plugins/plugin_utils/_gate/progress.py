# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown while it is waited, and said at the end. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from .._report.terminal import Line, wrapped
from .._report.text import counted, one_line
from .waiting import Streak

MOST = 12  # things that are missing, line by line
_LONGEST = 400
_INDENT = " " * 9


def status(streak: Streak, stable: int) -> str:
    """`2 of 3 call-outs proven through 2 API servers, waiting for 1`."""
    if streak.silence:
        return one_line(streak.silence, _LONGEST)
    look = streak.last
    through = f" through {len(look.instances)} API servers" if look.instances else ""
    parts = [f"{len(look.proven)} of {counted(len(look.callouts), 'call-out')} proven{through}"]
    if look.reachable:
        parts.append(f"{len(look.reachable)} reachable (no dry run can prove {'it' if len(look.reachable) == 1 else 'them'})")
    if look.missing:
        parts.append(f"waiting for {len(look.missing)}")
    elif streak.good < stable:
        parts.append(f"looking again ({streak.good} of {stable})")
    return ", ".join(parts)


def lines(streak: Streak, stable: int, width: int) -> list[Line]:
    """How it stands, and each thing that is missing. The first line has room for the time (`timed`)."""
    tone = "good" if streak.good >= stable else "warning" if streak.silence else None
    shown = list(wrapped(status(streak, stable), width, first=_INDENT, hang=len(_INDENT), tone=tone))
    missing = () if streak.silence else streak.last.missing
    for one in missing[:MOST]:
        shown += wrapped(one_line(one.line, _LONGEST), width, first=_INDENT, hang=len(_INDENT) + 2, tone="warning")
    if len(missing) > MOST:
        shown.append(Line(f"{_INDENT}and {len(missing) - MOST} more", "warning"))
    return shown


def timed(seconds: float, shown: list[Line]) -> Iterator[Line]:
    """The same with the seconds since the beginning in front."""
    yield Line(f"{seconds:5.0f} s  {shown[0].text.lstrip()}", shown[0].tone)
    yield from shown[1:]


def failure(streak: Streak, seconds: float) -> str:
    """The message of a gate that stays shut, in one paragraph: what is missing and why."""
    began = "Waiting does not help" if streak.hopeless else f"Not proven within {seconds:.0f} s"
    if streak.silence:
        return f"{began}: {one_line(streak.silence, _LONGEST)}"
    missing = streak.last.missing
    if not missing:
        return f"{began}: all was good, but not for {streak.good + 1} looks in a row"
    named = "; ".join(one_line(one.line, _LONGEST) for one in missing[:MOST])
    return f"{began}: {named}{f'; and {len(missing) - MOST} more' if len(missing) > MOST else ''}"
