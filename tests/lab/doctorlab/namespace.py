# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces that hold a lab: a network of its own, and a process tree that ends as one.

A holder, `unshare --net --mount --pid --fork --kill-child sleep infinity`, is process 1 of the lab's pid namespace: when it is killed,
the kernel ends every process in it, and with the last of them network, mounts and packet filter are gone. Nothing is left to clean up.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from . import tools
from .errors import LabError
from .process import Process


@dataclass(frozen=True)
class Namespace:
    """A set of namespaces, by the process that holds it. `holder` ends `init` when it ends."""

    holder: Process
    init: Process
    rootless: bool
    machine: bool = False  # with a process tree, a host name and System V IPC of its own, as another machine has

    @classmethod
    def create(cls) -> Namespace:
        """Make namespaces; without root inside a user namespace. Raises LabError where the system forbids that."""
        rootless = os.geteuid() != 0
        user = ["--user", "--map-root-user"] if rootless else []
        command = [*user, "--net", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sleep", "infinity"]
        return cls._hold(["unshare", *command], rootless)

    def create_node(self) -> Namespace:
        """Make a further network (and mount) namespace, for another node; it ends with this one."""
        return self._hold([*self.enter(pid=True), "unshare", "--net", "--mount", "--propagation", "private", "sleep", "infinity"], self.rootless)

    def create_machine(self, init: Path) -> Namespace:
        """Make all the namespaces that make a node look like a machine of its own. `init` is its process 1, which takes up orphans. Needs root."""
        kinds = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        return self._hold([*self.enter(pid=True), "unshare", *kinds, str(init)], False, machine=True)

    @classmethod
    def _hold(cls, command: list[str], rootless: bool, *, machine: bool = False) -> Namespace:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            holder = Process.of(process.pid)
            init = holder.child().child() if machine else holder.child()
            _wait_for(init, Path(command[-1]).name if machine else "sleep")
        except (ProcessLookupError, TimeoutError) as error:
            process.kill()
            said = process.communicate()[1].strip()
            way_out = " Run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)."
            raise LabError(f"cannot make a network namespace: {said or error}." + (way_out if rootless else "")) from error
        except BaseException:  # also an interrupt: nobody would know of this process
            process.kill()
            raise
        assert process.stderr is not None
        process.stderr.close()
        return cls(holder, init, rootless, machine)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Namespace:
        return cls(Process.from_dict(data["holder"]), Process.from_dict(data["init"]), data["rootless"], data.get("machine", False))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def enter(self, *, pid: bool = False) -> list[str]:
        """The command that runs another one inside. `pid`: as part of the lab's process tree, to end with it."""
        user = ["--user", "--preserve-credentials"] if self.rootless else []
        tree = ["--pid"] if pid else []
        machine = ["--uts", "--ipc"] if self.machine else []
        # Not by nsenter's --wd, which is a directory of the caller's mounts: a relative path would lie elsewhere than an absolute one.
        return ["nsenter", f"--target={self.init.pid}", *user, "--net", "--mount", *machine, *tree, "env", f"--chdir={Path.cwd()}"]

    def check(self, command: list[str], stdin: str = "", *, pid: bool = False, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        """Run a command inside that must succeed. `pid`: as part of the lab's process tree. Raises LabError."""
        environ = {"PATH": tools.search_path(), **environment}
        done = subprocess.run([*self.enter(pid=pid), *command], input=stdin, env=environ, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise LabError(f"`{' '.join(command)}` failed in the lab's network: {done.stderr.strip() or done.stdout.strip()}")

    def alive(self) -> bool:
        return self.init.alive()

    def end(self) -> None:
        """End every process inside. Harmless if they are gone."""
        self.init.kill()
        self.holder.kill()


def _wait_for(process: Process, name: str, timeout: float = 10.0) -> None:
    """Wait until the process is the one of this name (`sleep`): then unshare has made the namespaces."""
    deadline = time.monotonic() + timeout
    while process.alive():
        if Path(f"/proc/{process.pid}/comm").read_text(encoding="ascii").strip() == name:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {process.pid} has not made its namespaces after {timeout:.0f} s")
        time.sleep(0.005)
    raise ProcessLookupError(f"process {process.pid} has ended")
