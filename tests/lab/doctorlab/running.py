# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs of a lab, and the file that remembers it (state.json), so that another process can use it or end it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import cgroups, network, tools
from .namespace import Namespace
from .process import Process


@dataclass
class Running:
    """The namespaces and processes of one lab. `about` is what `status` tells: id, kubernetes, options."""

    state: Path
    namespace: Namespace
    about: dict[str, Any]
    nodes: dict[str, Namespace] = field(default_factory=dict)  # of the nodes that have a network of their own
    processes: dict[str, Process] = field(default_factory=dict)
    ready: bool = False

    @classmethod
    def read(cls, state: Path) -> Running | None:
        """Return what the state folder remembers; None if it remembers nothing."""
        path = state / "state.json"
        if not path.exists():
            return None
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            state,
            Namespace.from_dict(data["namespace"]),
            data["about"],
            {name: Namespace.from_dict(node) for name, node in data["nodes"].items()},
            {name: Process.from_dict(process) for name, process in data["processes"].items()},
            data["ready"],
        )

    def save(self) -> None:
        """Write state.json; it appears whole or not at all."""
        data = {
            "about": self.about,
            "ready": self.ready,
            "namespace": self.namespace.as_dict(),
            "nodes": {name: node.as_dict() for name, node in self.nodes.items()},
            "processes": {name: process.as_dict() for name, process in self.processes.items()},
        }
        new = self.state / ".state.json.new"
        new.write_text(json.dumps(data, indent=1), encoding="utf-8")
        new.replace(self.state / "state.json")

    def start(self, name: str, command: list[str], *, node: str | None = None, environment: dict[str, str] | None = None) -> None:
        """Start a process of the lab; its output goes to logs/<name>.log. It outlives this one and ends with the namespace."""
        inside = self.nodes.get(node, self.namespace) if node else self.namespace
        with open(self.log(name), "w", encoding="utf-8") as output:
            process = subprocess.Popen(
                [*inside.enter(pid=True), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"PATH": tools.search_path(), "HOME": str(self.state), **(environment or {})},
                start_new_session=True,
            )
        self.processes[name] = Process.of(process.pid)
        self.save()

    def stop(self, name: str, timeout: float = 10.0) -> None:
        """End one process, as a kubelet does: SIGTERM, and SIGKILL where that does not help. Harmless if it has ended."""
        process = self.processes.pop(name, None)
        self.save()
        if process is None or not process.alive():
            return
        with contextlib.suppress(ProcessLookupError, TimeoutError):
            inner = process.child()  # what was started; the outer one is nsenter, which ends with it
            os.kill(inner.pid, signal.SIGTERM)
            deadline = time.monotonic() + timeout
            while inner.alive() and time.monotonic() < deadline:
                time.sleep(0.02)
            inner.kill()
        process.kill()

    def add_pod_network(self, name: str, device: str, address: str) -> None:
        """Make a network of its own for a pod, wired to the lab's; `name` is what `start` takes as node."""
        self.nodes[name] = self.namespace.create_node()
        self.save()
        network.set_up_pod(self.namespace, self.nodes[name], device, address, network.hub(self.about["options"]["control_plane"]))

    def remove_pod_network(self, name: str) -> None:
        """Take it away, and with it everything that runs in it."""
        node = self.nodes.pop(name, None)
        self.save()
        if node:
            node.end()

    def alive(self) -> bool:
        return self.namespace.alive() and not self.dead()

    def dead(self) -> list[str]:
        """The names of processes that have ended."""
        return [name for name, process in self.processes.items() if not process.alive()]

    def log(self, name: str) -> Path:
        return self.state / "logs" / f"{name}.log"

    def last_words(self, name: str, lines: int = 8) -> str:
        """The end of a process's log."""
        path = self.log(name)
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:]) or "(it said nothing)"

    def end(self) -> None:
        """End everything. Harmless if nothing runs any more."""
        self.namespace.end()
        for node in self.nodes.values():
            node.end()
        for process in self.processes.values():
            process.kill()  # nsenter, which ends a moment after what it has started
        cgroups.remove(self.about["id"])  # where nodes with a kubelet were
