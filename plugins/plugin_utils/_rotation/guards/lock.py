# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guard `lock`: nobody else changes this cluster now. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from ..situation import Situation
from .guard import Guard

NAME = "lock"


def lock(situation: Situation) -> Iterator[Guard]:
    seen = situation.lock
    if seen is None or seen.get("failed") or "held" not in seen:
        yield Guard(NAME, None, f"the lock could not be looked at: {(seen or {}).get('msg') or 'it was not asked'}")
    elif seen["held"]:
        yield Guard(NAME, True, "nobody else holds it")
    else:
        yield Guard(NAME, False, f"{seen['holder']} changes this cluster now (until {seen['until']}, unless it is renewed): run again later")
