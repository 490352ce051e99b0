# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What applying needs of the world, as an interface: the action plugins give it modules. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Sent:
    """What became of one request. conflict: somebody was faster (nothing was changed, it can be tried again). content: the object in the answer."""

    ok: bool
    error: str | None = None
    conflict: bool = False
    forbidden: bool = False
    content: Mapping[str, Any] | None = None


class Unreachable(Exception):
    """The API server did not answer at all; what became of the last request is not known."""


class Port(Protocol):
    """A cluster, and time. All methods raise Unreachable."""

    def now(self) -> str:
        """ISO 8601, UTC, with Z."""

    def monotonic(self) -> float:
        """Seconds."""

    def sleep(self, seconds: float) -> None: ...

    def read(self, references: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Results of read_objects, raw."""

    def put(self, objects: Sequence[Mapping[str, Any]], dry_run: bool) -> list[Sent]:
        """Replace objects, each only if its resourceVersion is still the one that it carries."""

    def create(self, objects: Sequence[Mapping[str, Any]], dry_run: bool) -> list[Sent]:
        """Make objects, each only if there is none of its name."""

    def delete(self, targets: Sequence[Mapping[str, Any]], dry_run: bool) -> list[Sent]:
        """targets: {api_version, kind, namespace, name, uid, resource_version}; deleted only if uid and resource_version are still these."""

    def observe(self, callouts: Sequence[str]) -> list[Mapping[str, Any]]:
        """The findings of now, with these call-outs called."""

    def lock(self, holder: str) -> tuple[bool, str | None, str | None]:
        """(held, by whom otherwise, until when); also renews."""

    def unlock(self, holder: str) -> None: ...

    def say(self, text: str, tone: str | None = None) -> None:
        """A line for the person who watches. tone: good, warning, error, faint."""
