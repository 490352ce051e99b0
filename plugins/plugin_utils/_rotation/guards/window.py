# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guard `window`: it is time, and there is enough of it left for one server. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from ..situation import Situation
from ..times import seconds
from .guard import Guard

NAME = "window"


def window(situation: Situation) -> Iterator[Guard]:
    windows, now = situation.options.windows, situation.now
    if not windows.windows:
        yield Guard(NAME, True, "none is set: always")
        return
    closes, opens = windows.closes(now), windows.opens(now)
    then = f"it opens {windows.wall(opens)}" if opens else "it never opens"
    if closes is None:
        yield Guard(NAME, False, f"closed now ({windows.wall(now)}); {then}")
        return
    left, needed = (closes - now).total_seconds(), situation.options.seconds_per_server
    if left < needed:
        yield Guard(NAME, False, f"it closes in {seconds(left)}, and one server may take {seconds(needed)}; {then}")
    else:
        yield Guard(NAME, True, f"open until {windows.wall(closes)}; one server may take {seconds(needed)}")
