# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes by identity: a pid and its start time, so that a reused pid is never taken for ours."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Process:
    """A process of this boot. `started` is field 22 of /proc/<pid>/stat: clock ticks since boot (proc(5))."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Process:
        """Identify a running process. Raises ProcessLookupError."""
        started = _started(pid)
        if started is None:
            raise ProcessLookupError(f"no process {pid}")
        return cls(pid, started, _boot())

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Process:
        return cls(data["pid"], data["started"], data["boot"])

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def alive(self) -> bool:
        return self.boot == _boot() and _started(self.pid) == self.started

    def kill(self, timeout: float = 10.0) -> None:
        """SIGKILL it and wait until it is gone. Nothing happens if it is gone already."""
        if not self.alive():
            return
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + timeout
        while self.alive():
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {self.pid} does not end {timeout:.0f} s after SIGKILL")
            _reap(self.pid)
            time.sleep(0.02)

    def child(self, timeout: float = 10.0) -> Process:
        """Return its one child, waiting until it has been forked."""
        deadline = time.monotonic() + timeout
        while self.alive():
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
            if children:
                return Process.of(int(children[0]))
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {self.pid} has no child after {timeout:.0f} s")
            time.sleep(0.005)
        raise ProcessLookupError(f"process {self.pid} has ended")


def _started(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the command's name, in parentheses, may hold blanks
    return None if fields[0] == "Z" else int(fields[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):  # not a child of this process: somebody else reaps it
        os.waitpid(pid, os.WNOHANG)
