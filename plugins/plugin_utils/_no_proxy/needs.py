# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be reached without a proxy. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .hosts import host_and_port


@dataclass(frozen=True)
class Need:
    """Something that must be reached without a proxy. host: a name or address as it stands in the URL, or a CIDR that must be covered as a whole.

    entry: what to add to NO_PROXY for it, in Go's words; "" where a consumer has no words for it (`spelling.py`). why: who calls it, in words.
    kind: a word for rules.
    """

    host: str
    port: int | None
    entry: str
    why: str
    kind: str = ""

    @classmethod
    def of(cls, item: Any) -> Need:
        """From what a user wrote: a host, `host:port`, a CIDR, or a mapping. Raises ValueError."""
        if isinstance(item, Mapping) and isinstance(item.get("host"), str) and item["host"]:
            host, port = item["host"], item.get("port")
            if port is not None and (not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536):
                raise ValueError(f"port {port!r} is none")
            return cls(host, port, str(item.get("entry") or host), str(item.get("why") or ""))
        if isinstance(item, str) and item.strip():
            split = host_and_port(item.strip())
            host, text = split or (item.strip(), "")
            if text and not (text.isdigit() and 0 < int(text) < 65536):
                raise ValueError(f"port {text!r} is none")
            return cls(host, int(text) if text else None, host, "")
        raise ValueError("expected a host, host:port or CIDR, or a mapping with host")

    def shown(self) -> dict[str, Any]:
        return {"host": self.host, "port": self.port, "entry": self.entry, "why": self.why}
