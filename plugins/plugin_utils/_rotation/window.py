# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When work is allowed: days and hours of the wall clock of a time zone. Pure: the moment comes in as data. PRIVATE to the collection.

A window is `[days ]HH:MM-HH:MM`, such as `Sat,Sun 02:00-05:00`, `Mon-Fri 22:00-04:00` (it ends on the next day; the days are those on which it begins) or
`00:00-24:00`. Beginning and end are what clocks on the wall show: a window of 01:00-05:00 lasts three hours in the night in which clocks are put forward and
five in that in which they are put back. A time that the wall does not show (02:30 in the former) counts as so much later, one that it shows twice as the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WINDOW = re.compile(r"(?:(?P<days>[A-Za-z,\- ]+?)\s+)?(?P<begin>\d\d:\d\d)\s*-\s*(?P<end>\d\d:\d\d)")
_EXPECTED = "Expected: [days ]HH:MM-HH:MM, such as Sat,Sun 02:00-05:00 or Mon-Fri 22:00-04:00"
_AHEAD = 8  # days that are looked at for the next opening: one week and a day


class InvalidWindow(Exception):
    """The text says what was expected."""


@dataclass(frozen=True)
class Window:
    """days: on which it begins, Monday is 0. begin, end: minutes of the day; an end at or before the beginning is on the next day."""

    days: frozenset[int]
    begin: int
    end: int

    @classmethod
    def of(cls, text: str) -> Window:
        """Raises InvalidWindow."""
        found = _WINDOW.fullmatch(text.strip())
        if not found:
            raise InvalidWindow(f"window {text!r} is not understood. {_EXPECTED}.")
        begin, end = _minutes(found["begin"], text), _minutes(found["end"], text)
        if begin == 1440 or begin == end:
            raise InvalidWindow(f"window {text!r} is empty. {_EXPECTED}; the whole day is 00:00-24:00.")
        return cls(_days(found["days"], text), begin, end)

    def on(self, day: date, zone: tzinfo) -> tuple[datetime, datetime] | None:
        """Beginning and end (aware UTC) of the window that begins on that day, None where none does."""
        if day.weekday() not in self.days:
            return None
        last = day if self.end > self.begin else day + timedelta(days=1)
        return _wall(day, self.begin, zone), _wall(last, self.end, zone)


@dataclass(frozen=True)
class Windows:
    """No window: always."""

    windows: tuple[Window, ...] = ()
    zone: tzinfo = field(default=timezone.utc)
    name: str = "UTC"

    @classmethod
    def of(cls, texts: str | Sequence[str], zone: str) -> Windows:
        """Raises InvalidWindow."""
        several = [texts] if isinstance(texts, str) else list(texts)
        try:
            known: tzinfo = timezone.utc if zone == "UTC" else ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InvalidWindow(
                f"time zone {zone!r} is not known on this controller. Expected: a name of the tz database, such as Europe/Berlin "
                "(where all are missing, install the system's tzdata or the Python package tzdata)."
            ) from error
        return cls(tuple(Window.of(str(text)) for text in several if str(text).strip()), known, zone)

    def closes(self, now: datetime) -> datetime | None:
        """When the window that is open now closes (windows that follow one another without a gap are one); None where none is open.

        Without any window it never closes: the latest moment there is.
        """
        if not self.windows:
            return datetime.max.replace(tzinfo=timezone.utc)
        end: datetime | None = None
        for begin, stop in sorted(self._around(now)):
            if (end is None and begin <= now < stop) or (end is not None and begin <= end < stop):
                end = stop
        return end

    def opens(self, now: datetime) -> datetime | None:
        """When the next window begins that is not open yet."""
        return min((begin for begin, dummy in self._around(now) if begin > now), default=None)

    def wall(self, moment: datetime) -> str:
        """`Sat 2026-11-21 02:00 Europe/Berlin`."""
        local = moment.astimezone(self.zone)
        return f"{DAYS[local.weekday()]} {local:%Y-%m-%d %H:%M} {self.name}"

    def _around(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        today = now.astimezone(self.zone).date()
        for offset in range(-1, _AHEAD + 1):
            for window in self.windows:
                span = window.on(today + timedelta(days=offset), self.zone)
                if span:
                    yield span


def _wall(day: date, minutes: int, zone: tzinfo) -> datetime:
    """The moment (UTC) at which clocks on the wall show that time: PEP 495 with fold 0."""
    if minutes == 1440:
        day, minutes = day + timedelta(days=1), 0
    return datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone).astimezone(timezone.utc)


def _minutes(text: str, window: str) -> int:
    hours, minutes = (int(part) for part in text.split(":"))
    if hours * 60 + minutes > 1440 or minutes > 59:
        raise InvalidWindow(f"window {window!r}: there is no time {text}. {_EXPECTED}.")
    return hours * 60 + minutes


def _days(text: str | None, window: str) -> frozenset[int]:
    if not text:
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        begin = _day(first, window)
        end = _day(last, window) if dash else begin
        found |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)


def _day(text: str, window: str) -> int:
    names = [name.lower() for name in DAYS]
    if len(text) < 3 or text[:3].lower() not in names:
        raise InvalidWindow(f"window {window!r}: there is no day {text!r}. Expected: {', '.join(DAYS)}.")
    return names.index(text[:3].lower())
