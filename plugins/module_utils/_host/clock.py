# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's clock, and whether anything keeps it right. PRIVATE to the collection."""

from __future__ import annotations

import ctypes
import time
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.times import precise_stamp

# What the kernel says when nobody has corrected the clock for hours: systemd (timedatectl) draws the line at the same number of microseconds.
_WORST_ERROR = 16_000_000
_MAXERROR = 3  # adjtimex(2): modes (with padding), offset, freq, maxerror, ...
_LONGS = 64  # more than struct timex has


def clock(host: Host) -> dict[str, Any]:
    """The `clock` of the facts."""
    error = _error()
    if error is None:
        host.missed("clock", "Whether the clock is synchronised could not be asked: adjtimex is not there, or not allowed.")
    return {"now": precise_stamp(time.time()), "synchronised": None if error is None else error < _WORST_ERROR}


def _error() -> int | None:
    """How wrong the clock may be, microseconds, as the kernel believes (adjtimex(2)); NTP and PTP services keep it small."""
    try:
        asked = (ctypes.c_long * _LONGS)()  # zeros: only reading
        state: int = ctypes.CDLL(None, use_errno=True).adjtimex(asked)
    except (OSError, AttributeError):
        return None
    return None if state < 0 else asked[_MAXERROR]
