# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict of one guard. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Guard:
    """ok: True it lets pass, False it does not, None it could not be told (which lets nothing pass either, unless it is a warning).

    subject: the host or object that it is about, None for the whole cluster. says: what was seen, and the way out where it does not pass. warning: said only.
    accepted: the user lets this one pass whatever it says.
    """

    name: str
    ok: bool | None
    says: str
    subject: str | None = None
    warning: bool = False
    accepted: bool = False

    @property
    def blocks(self) -> bool:
        return self.ok is not True and not self.warning and not self.accepted

    @property
    def line(self) -> str:
        """`etcd (cp1): 2 of 3 members healthy`."""
        return f"{self.name}{f' ({self.subject})' if self.subject else ''}: {self.says}"

    def shown(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ok": self.ok,
            "subject": self.subject,
            "says": self.says,
            "warning": self.warning,
            "accepted": self.accepted,
            "blocks": self.blocks,
        }
