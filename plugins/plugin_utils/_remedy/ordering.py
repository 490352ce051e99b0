# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order changes are made: least risk first, prerequisites before what needs them. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .change import Change


class Circle(Exception):
    """Changes that wait for one another."""


def ordered(changes: Iterable[Change], roles: Sequence[str]) -> list[Change]:
    """The changes by risk, role and id, each after those that it requires (of which some may not be among them). Raises Circle."""
    rank = {role: position for position, role in enumerate(roles)}
    waiting = sorted(changes, key=lambda one: (one.risk.rank, rank.get(one.remedy, len(rank)), one.id))
    known = {change.id for change in waiting}
    needed: Mapping[str, set[str]] = {change.id: set(change.after_) & known for change in waiting}
    placed: dict[str, Change] = {}
    while waiting:
        ready = next((change for change in waiting if needed[change.id] <= placed.keys()), None)
        if ready is None:
            raise Circle(", ".join(change.id for change in waiting))
        placed[ready.id] = ready
        waiting.remove(ready)
    return list(placed.values())
