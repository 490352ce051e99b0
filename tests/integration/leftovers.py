# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That a lab with real kubelets leaves nothing on the machine: no process, mount, cgroup, interface, file."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options, cgroups
from doctorlab.process import Process


def check_none(options: Options, folder: Path, *, killed: bool, use: Callable[[Lab], Any]) -> None:
    """Start a lab in a folder, use it, and fail in it; or, `killed`, have its first process end and nobody end what it started. Then look around."""
    before = machine()
    lab = Lab(folder / "lab", options)
    with pytest.raises(InterruptedError), lab:
        use(lab)
        name = lab.running.about["id"]
        assert any(cgroups_of(name)), "pods run in cgroups of the lab's name"
        inside = {space for each in (lab.running.namespace, *lab.running.nodes.values()) for space in namespaces(each.init.pid)}
        started = [process for process in processes() if namespaces(process.pid) & inside]
        assert any("containerd-shim" in command(process.pid) for process in started), "there are containers"
        if killed:
            lab.running.namespace.holder.kill()
        raise InterruptedError("the test fails here")
    after = machine()
    assert after == before, after
    left = [command(process.pid) for process in started if process.alive()]
    left += [command(process.pid) for process in processes() if str(folder) in command(process.pid)]
    left += [str(path) for path in cgroups_of(name)]
    assert left == [], left
    files = sorted(path.name for path in (folder / "lab").iterdir())
    assert files == [".lock", "logs"], files


def machine() -> dict[str, Any]:
    """What a container runtime leaves on a machine."""
    tunables = [Path("/proc/sys") / name for name in ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops")]
    return {
        "mounts": sorted(Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()),
        "network namespaces": names(Path("/run/netns")),
        "interfaces": sorted(name for _index, name in socket.if_nameindex()),
        "folders": {path: names(Path(path)) for path in ("/run", "/var/lib", "/var/log", "/etc", "/etc/cni", "/usr/local/bin")},
        "tunables": [path.read_text(encoding="ascii") for path in tunables],
    }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def cgroups_of(name: str) -> Iterator[Path]:
    for hierarchy in cgroups.hierarchies(Path("/proc/self/mounts").read_text(encoding="utf-8")):
        yield from hierarchy.rglob(f"*{name}*")


def processes() -> Iterator[Process]:
    """The other processes that have not ended; what has ended stays a zombie until the machine's first process finds the time."""
    for name in names(Path("/proc")):
        with contextlib.suppress(ProcessLookupError):
            if name.isdigit() and int(name) != os.getpid():
                yield Process.of(int(name))


def namespaces(pid: int) -> set[str]:
    """The network, mount and pid namespaces of a process that are not this one's."""
    found = set()
    for kind in ("net", "mnt", "pid"):
        try:
            found.add(str(Path(f"/proc/{pid}/ns/{kind}").readlink()))
        except OSError:  # it has ended
            continue
    return found - {str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in ("net", "mnt", "pid")}


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:  # it has ended
        return ""
