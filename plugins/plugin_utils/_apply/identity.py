# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of runs and of those who make them, and whether one of them has died. PRIVATE to the collection."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import secrets
import socket
from datetime import datetime, timezone
from pathlib import Path

_HOLDER = re.compile(r" pid (?P<pid>\d+)\.(?P<start>\d+)\.(?P<place>[0-9a-f]{8}) \(")
_ENDED = ("Z", "X")  # zombie, dead


def new_run() -> str:
    """A name that sorts by time and is a label's value and part of an object's name: `20261120t180000-4f2a91`."""
    return f"{datetime.now(timezone.utc):%Y%m%dt%H%M%S}-{secrets.token_hex(3)}"


def holder(run: str, pid: int | None = None) -> str:
    """Who makes the run, for others who find the lock: user, host and process (its id, start and place, by which `died_here` knows it again).

    pid: the process, if it is not this one.
    """
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    pid = pid or os.getpid()
    place, start = _place(), _start(pid)
    process = f"{pid}.{start}.{place}" if place and start else str(pid)
    return f"{user}@{socket.gethostname()} pid {process} ({run})"


def died_here(text: str) -> bool:
    """Whether the holder was a process of this machine (this boot, this pid namespace) that does not run any more; False where that cannot be told."""
    found = _HOLDER.search(text)
    if found is None:
        return False
    return found["place"] == _place() and _start(int(found["pid"])) != found["start"]


def _place() -> str | None:
    """This boot and pid namespace; None where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return hashlib.sha256(f"{boot} {Path('/proc/self/ns/pid').readlink()}".encode()).hexdigest()[:8]
    except OSError:
        return None


def _start(pid: int) -> str | None:
    """When a process started, in clock ticks since the boot; None where none runs: one that has ended, and of which nobody has taken note, has an entry still.

    Its name comes first, and may hold spaces and brackets. Source: proc_pid_stat(5).
    """
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = line.rpartition(")")[2].split()
    return None if fields[0] in _ENDED else fields[19]
