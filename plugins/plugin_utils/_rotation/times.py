# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times and spans in words, and for programs. Pure. PRIVATE to the collection."""

from __future__ import annotations

from datetime import datetime, timezone


def iso(moment: datetime | None) -> str | None:
    """ISO 8601, UTC, whole seconds, with Z; None for None."""
    return None if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d")


def span(days: float) -> str:
    """`23 days`, `5 hours`, `12 minutes`, `40 seconds`; of a positive number of days."""
    return seconds(days * 86400)


def seconds(number: float) -> str:
    """The same of a number of seconds. Whole units, never more than there is."""
    whole = round(number)
    for size, one in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if whole >= 2 * size:
            return f"{whole // size} {one}s"
    return f"{whole} seconds"
