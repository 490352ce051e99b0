# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of a planner: one module in `planners/` for each remedy role, which ends with PLANNER. PRIVATE to the collection.

A planner is two pure functions. `reads` says which objects it wants to see; `plan` gets them and yields changes. It decides from findings (by code) and the
joined observation, never from the clock or the network. It does not look at owners, risk limits or selections: plan.py does, for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from .change import Change
from .reference import PublicKeys, Reference, Selection
from .request import Request

Wanted = Union[Reference, Selection, PublicKeys]


@dataclass(frozen=True)
class Planner:
    """role: the role's name, which prefixes its variables. codes: the findings that it can mend (those of the catalogue that name this role).

    defaults: option (without the role's prefix) -> default; the role's defaults/main.yml has the same (a test holds them together).
    """

    role: str
    codes: tuple[str, ...]
    reads: Callable[[Request], Iterable[Wanted]]
    plan: Callable[[Request], Iterable[Change]]
    defaults: Mapping[str, Any]
