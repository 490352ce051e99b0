# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as the collection writes them, and durations as Go does. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def stamp(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 UTC with whole seconds."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise_stamp(seconds: float) -> str:
    """The same with milliseconds."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{moment.microsecond // 1000:03d}Z"


def go_seconds(duration: str | None) -> float | None:
    """Seconds of a duration such as 1m30s (Go's time.ParseDuration); None where it is none."""
    if duration == "0":
        return 0.0
    text, total = duration or "", 0.0
    while text:
        part = _PART.match(text)
        if part is None:
            return None
        total += float(part.group(1)) * _SECONDS[part.group(2)]
        text = text[part.end() :]
    return total if duration else None
