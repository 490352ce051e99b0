# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the API server of this machine is ended, so that whoever watches over it starts a new one; gracefully, and nothing else. PRIVATE to the collection.

Never the pod's sandbox (its containers are killed without grace), never a file of the manifests' folder, never the kubelet.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from typing import NamedTuple, Union

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host import container
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host, ProgramFailed
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import Process, cgroup, process
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.server import Server

_SPARE = 30.0  # what a program may take beyond the time that it was given
_POLL = 0.2
_K3S_UNIT = "k3s.service"
_MICROK8S_UNIT = "microk8s.daemon-kubelite"


class CannotStop(Exception):
    """It was not stopped, or did not end; the text says what was tried and what came of it. `begun`: it may have been told to end."""

    def __init__(self, text: str, begun: bool = False) -> None:
        super().__init__(text)
        self.begun = begun


class Command(NamedTuple):
    """Run a program. `seconds`: until it has to have ended."""

    argv: Sequence[str]
    seconds: float

    def __str__(self) -> str:
        return " ".join(self.argv)


class Terminate(NamedTuple):
    """Send SIGTERM to one process, which is looked at once more before. `container`: the id that its cgroup has to name."""

    process: Process
    container: str | None
    seconds: float

    def __str__(self) -> str:
        within = f" in container {self.container[:13]}" if self.container else ""
        return f"SIGTERM to process {self.process.pid} ({self.process.name}{within})"


Way = Union[Command, Terminate]


def way(host: Host, server: Server, cri: container.Runtime, seconds: int) -> Way:
    """What would be done. Raises CannotStop where nothing is known that is safe."""
    name = server.distribution.name
    if server.manages_by == "static_pod" and server.process and server.container:
        if cri.crictl:
            return Command(cri.command("stop", "--timeout", str(seconds), server.container.id), seconds + _SPARE)
        return Terminate(server.process, server.container.id, seconds)
    if server.manages_by == "child" and server.process:
        return Terminate(server.process, None, seconds)
    if name == "k3s":
        return Command([_program(host, "systemctl"), "--no-block", "restart", server.unit or _K3S_UNIT], _SPARE)
    if name == "microk8s":
        return Command([_program(host, "snap"), "restart", _MICROK8S_UNIT], seconds + _SPARE)
    raise CannotStop(f"How this API server is restarted is not known ({server.distribution.because}).")


def stop(host: Host, chosen: Way) -> None:
    """Do it, and wait until it has ended. Raises CannotStop."""
    if isinstance(chosen, Terminate):
        _terminate(host, chosen)
        return
    try:
        done = host.run(chosen.argv, chosen.seconds)
    except ProgramFailed as error:
        raise CannotStop(f"{error}.", begun=True) from error
    if done.status:
        raise CannotStop(f"`{chosen}` failed: {container.last_line(done)}", begun=True)


def _program(host: Host, name: str) -> str:
    path = host.program(name)
    if path is None:
        raise CannotStop(f"{name} is not there, so the service cannot be restarted.")
    return str(path)


def _terminate(host: Host, chosen: Terminate) -> None:
    """A pidfd names the process itself: between the look and the signal the pid cannot become another's (Linux >= 5.3; before, the pid has to do)."""
    pid = chosen.process.pid
    handle = _open(pid)
    try:
        _look_again(host, chosen)
        if handle is None:
            os.kill(pid, signal.SIGTERM)
        else:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
    except ProcessLookupError as error:
        raise CannotStop(f"Process {pid} has ended meanwhile; nothing was done.") from error
    except PermissionError as error:
        raise CannotStop(f"Process {pid} may not be signalled.{host.advice()}") from error
    finally:
        if handle is not None:
            os.close(handle)
    until = time.monotonic() + chosen.seconds
    while chosen.process.same(process(host, pid)):
        if time.monotonic() > until:
            raise CannotStop(f"{chosen}: it has not ended within {chosen.seconds:g} s. Nothing more was done to it.", begun=True)
        time.sleep(_POLL)


def _open(pid: int) -> int | None:
    opener = getattr(os, "pidfd_open", None)
    if opener is None or not hasattr(signal, "pidfd_send_signal"):
        return None
    try:
        handle: int = opener(pid)
    except OSError:
        return None
    return handle


def _look_again(host: Host, chosen: Terminate) -> None:
    """Raises CannotStop unless the process is still the API server that was observed, in its container."""
    now = process(host, chosen.process.pid)
    if not chosen.process.same(now) or now is None or now.name != container.NAME:
        raise CannotStop(f"Process {chosen.process.pid} is another one than before; nothing was done.")
    if chosen.container:
        place = container.place(cgroup(host, now.pid))
        if place is None or place.id != chosen.container:
            raise CannotStop(f"Process {now.pid} is not in container {chosen.container}; nothing was done.")
