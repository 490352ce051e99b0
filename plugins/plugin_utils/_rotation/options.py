# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a rollout, checked once at the door. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .window import InvalidWindow, Windows


class InvalidOptions(Exception):
    """An option that cannot be; the text names it and says what was expected."""


@dataclass(frozen=True)
class Options:
    """What a user has set, without the prefix of the role.

    seconds_per_server: the worst case of one server, which must fit into what is left of the window. ignore_guards: names of guards whose refusal the user
    accepts. alerts: whether Prometheus was to be asked.
    """

    windows: Windows = field(default_factory=Windows)
    seconds_per_server: float = 900.0
    max_skew: float = 60.0
    allow_single: bool = False
    ignore_guards: frozenset[str] = frozenset()
    ignore_alerts: re.Pattern[str] | None = None
    alerts: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Raises InvalidOptions."""
        known = {one.name for one in fields(cls)} - {"windows"} | {"window", "time_zone"}
        unknown = sorted(set(given) - known)
        if unknown:
            raise InvalidOptions(f"there is no option {unknown[0]}. Expected: {', '.join(sorted(known))}.")
        try:
            windows = Windows.of(given.get("window") or (), str(given.get("time_zone") or "UTC"))
        except InvalidWindow as error:
            raise InvalidOptions(str(error)) from error
        pattern = given.get("ignore_alerts")
        try:
            ignored = re.compile(str(pattern)) if pattern else None
        except re.error as error:
            raise InvalidOptions(f"ignore_alerts {pattern!r} is no regular expression ({error}).") from error
        asked = given.get("ignore_guards") or ()
        if isinstance(asked, str):
            asked = [name.strip() for name in asked.split(",") if name.strip()]
        return cls(
            windows=windows,
            seconds_per_server=_number(given, "seconds_per_server", 900.0),
            max_skew=_number(given, "max_skew", 60.0),
            allow_single=bool(given.get("allow_single", False)),
            ignore_guards=frozenset(map(str, asked)),
            ignore_alerts=ignored,
            alerts=bool(given.get("alerts", False)),
        )


def _number(given: Mapping[str, Any], name: str, default: float) -> float:
    value = given.get(name, default)
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InvalidOptions(f"{name} {value!r} is no number. Expected: seconds, more than 0.") from error
    if number <= 0:
        raise InvalidOptions(f"{name} {value} is out of range. Expected: seconds, more than 0.")
    return number
