# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API servers have counted of a webhook's calls since they started. Pure. PRIVATE to the collection.

Counters are history: they tell how often, and not when. What is wrong now other observations tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .text import clean

_UNCALLED = "calling_webhook_error"


@dataclass(frozen=True)
class Counter:
    """Of one instance and webhook. fail_open: requests that passed without it; uncalled: requests that were rejected because it could not be called; slower:
    seconds -> calls that took longer."""

    instance: str | None
    since: str | None
    webhook: str
    kind: str
    calls: int
    fail_open: int
    uncalled: int
    slower: Mapping[float, int]

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Counter:
        return cls(
            instance=item["instance"],
            since=item["since"],
            webhook=str(item["webhook"]),
            kind=str(item["type"]),
            calls=int(item["calls"]),
            fail_open=int(item["fail_open"]),
            uncalled=int((item.get("rejections") or {}).get(_UNCALLED, 0)),
            slower={float(bound): int(count) for bound, count in (item.get("slower") or {}).items()},
        )

    @property
    def who(self) -> str:
        where = f"API server {self.instance}" if self.instance else "the API server that answered"
        return f"{where}, since its start at {clean(self.since)}" if self.since else f"{where}, since its start"

    def slow_calls(self, timeout: float) -> tuple[float, int]:
        """(seconds, calls that took longer): the last bound that is counted before the time-out, if it lies within its last three quarters."""
        bounds = [bound for bound in self.slower if timeout / 4 <= bound < timeout]
        return (max(bounds), self.slower[max(bounds)]) if bounds else (0.0, 0)

    def lines(self) -> Iterator[str]:
        if self.fail_open:
            yield f"{self.who}: {self.fail_open} {self._of_calls()} passed without it, because it could not be called"
        if self.uncalled:
            yield f"{self.who}: {self.uncalled} {self._of_calls()} rejected, because it could not be called"

    def _of_calls(self) -> str:
        return f"of {self.calls} requests" if self.calls else "requests"


def read_counters(facts: Mapping[str, Any]) -> Mapping[tuple[str, str], tuple[Counter, ...]]:
    """(validating|mutating, webhook) -> its counters, of each instance. Entries of several configurations may share a name, and then a counter."""
    found: dict[tuple[str, str], list[Counter]] = defaultdict(list)
    for item in facts["control_plane"].get("admission") or ():
        counter = Counter.of(item)
        found[counter.kind, counter.webhook].append(counter)
    return {key: tuple(counters) for key, counters in found.items()}


def lines(counters: Iterable[Counter]) -> list[str]:
    return [line for counter in counters for line in counter.lines()]
