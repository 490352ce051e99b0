# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each item of a plan. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class State(str, Enum):
    """The last word about an item.

    would:      check mode: the API server would accept it.      mended, not_mended, unproven: made; see outcome.Effect.
    undone:     made, made something worse, taken back.          worse: made something worse and could not be taken back.
    reverted:   made, and somebody has put it back since.
    put_back:   a temporary change that is over.                 refused: the object is not what the plan was made for.
    forbidden, denied: the API server says no (RBAC; admission). failed: another error.
    waits:      something that it requires was not made.         stopped: the run was stopped before.
    unknown:    sent; the run was stopped before anybody saw what became of it.
    """

    WOULD = "would"
    MENDED = "mended"
    NOT_MENDED = "not_mended"
    UNPROVEN = "unproven"
    UNDONE = "undone"
    WORSE = "worse"
    REVERTED = "reverted"
    PUT_BACK = "put_back"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    DENIED = "denied"
    FAILED = "failed"
    WAITS = "waits"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


# Of UNKNOWN that is not certain; it counts as made, so that it is looked after.
MADE = frozenset((State.MENDED, State.NOT_MENDED, State.UNPROVEN, State.WORSE, State.UNKNOWN))
WELL = frozenset((State.WOULD, State.MENDED, State.UNPROVEN, State.PUT_BACK))


@dataclass(frozen=True)
class Result:
    """because: why, line by line."""

    item: Mapping[str, Any]
    state: State
    because: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        target = self.item["target"]
        return {
            "id": self.item["id"],
            "state": self.state.value,
            "because": list(self.because),
            "target": {key: target[key] for key in ("api_version", "kind", "namespace", "name")},
        }
