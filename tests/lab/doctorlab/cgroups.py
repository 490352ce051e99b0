# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cgroups of a lab's pods: the one thing that does not end with its namespaces, so it is removed by name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from .errors import LabError

_MOUNTS = Path("/proc/self/mounts")


def hierarchies(mounts: str) -> Iterator[Path]:
    """Where cgroups are mounted: each controller's hierarchy (v1), the unified one (v2). `mounts` is /proc/mounts (proc_pid_mounts(5)). Pure."""
    for line in mounts.splitlines():
        _device, path, kind = line.split()[:3]
        if kind in ("cgroup", "cgroup2"):
            yield Path(path)


def make(name: str) -> None:
    """Make a cgroup of this name below the root of every hierarchy; the kubelet wants its root to be there."""
    for hierarchy in hierarchies(_MOUNTS.read_text(encoding="utf-8")):
        (hierarchy / name).mkdir(parents=True, exist_ok=True)


def remove(name: str, timeout: float = 10.0) -> None:
    """Remove it and all below it. Its processes have been killed; the kernel may need a moment to forget them. Raises LabError."""
    deadline = time.monotonic() + timeout
    for hierarchy in hierarchies(_MOUNTS.read_text(encoding="utf-8")):
        while not _removed(hierarchy / name):
            if time.monotonic() > deadline:
                raise LabError(
                    f"{hierarchy / name} cannot be removed after {timeout:.0f} s: there are processes in it or below (cgroup.procs). End them, then `down`."
                )
            time.sleep(0.05)


def _removed(folder: Path) -> bool:
    """Remove a folder and those below it, as far as they are free; whether none is left."""
    if not folder.exists():
        return True
    below = [_removed(entry) for entry in folder.iterdir() if entry.is_dir()]
    if not all(below):
        return False
    try:
        folder.rmdir()
    except OSError:  # EBUSY: a process is in it still
        return False
    return True
