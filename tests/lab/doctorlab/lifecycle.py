# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: the API that tests and the command line use."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from . import addresses, build, control_plane_node, controlplane, faults, kubeadm, paths, start, targets, tools, worker
from .control_plane_node import ControlPlaneNode
from .errors import LabError
from .namespace import Namespace
from .node import Node
from .options import Options
from .running import Running
from .versions import choose


def _quiet(dummy: str) -> None:
    pass


class Lab:
    """A real control plane with faults, in a network namespace of its own.

        with Lab(Path("/tmp/lab"), Options(faults="syn-dropped")) as lab:
            lab.run(["kubectl", "get", "pods", "--all-namespaces"])

    `state` is a folder that belongs to this lab: credentials, logs, state.json. Labs with different folders do not touch each other.
    Entering starts it (`up`), leaving ends it (`down`), also after an exception. Everything that a lab starts is one process tree in one pid
    namespace; ending its first process ends it all.
    """

    def __init__(self, state: Path, options: Options | None = None, log: Callable[[str], None] = _quiet) -> None:
        self.state = state.absolute()
        self.options = options or Options()
        self._log = log
        self._running: Running | None = None
        self._node: Node | None = None

    def __enter__(self) -> Lab:
        self.up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.down()

    @classmethod
    def attach(cls, state: Path) -> Lab:
        """Return the lab that runs with this state folder. Raises LabError if none does."""
        running = Running.read(state.absolute())
        way_out = f"Start it: python tests/lab/lab.py --state {state} up"
        if running is None or not running.ready:
            raise LabError(f"no lab runs in {state}. {way_out}")
        if not running.alive():
            raise LabError(f"the lab in {state} has died ({', '.join(running.dead()) or 'its namespace is gone'}; logs: {state}/logs). {way_out}")
        lab = cls(state, Options(**running.about["options"]))
        lab._running = running
        return lab

    def up(self) -> None:
        """Start it; what an interrupted lab left in the folder is ended first. Raises LabError, and then nothing runs."""
        began = time.monotonic()
        if self.options.kubelets and os.geteuid() != 0:
            raise LabError("nodes with a kubelet (--node, --control-plane) need root: containers need cgroups. Run it as root, or leave them out.")
        of_nodes = tools.CONTROL_PLANE if self.options.control_plane else tools.NODE if self.options.node else ()
        tools.ensure([*tools.ALWAYS, *(("tinyproxy",) if start.needs_tinyproxy(self.options) else ()), *of_nodes], self._log)
        if self.options.kubelets:
            worker.raise_limit(self._log)
        version = choose(self.options.kubernetes, paths.VERSIONS)
        chosen = self.targets
        own = {name: build.ensure_own(name, self._log) for name in build.OWN}
        node_programs = kubeadm.ensure(version, self._log) if self.options.control_plane else worker.ensure(version, self._log) if self.options.node else {}
        programs = start.Programs(version, build.ensure(version, self._log), own, node_programs)
        with self._locked():
            left = Running.read(self.state)
            if left and left.ready and left.alive():
                raise LabError(f"a lab runs in {self.state} already. Use it, or end it: python tests/lab/lab.py --state {self.state} down")
            self._remove(left)
            about = {"id": f"wd-lab-{secrets.token_hex(3)}", "kubernetes": str(version), "options": self.options.as_dict()}
            running = Running(self.state, Namespace.create(), about)
            try:
                running.save()
                start.start(running, self.options, programs, chosen, self._log)
                running.ready = True
                running.save()
            except BaseException:  # also an interrupt: nothing may go on running
                self._remove(running)
                raise
            self._running = running
        self._log(f"up: Kubernetes {version}, {self.options.routing} routing, {len(chosen)} targets, in {time.monotonic() - began:.1f} s")

    def down(self) -> None:
        """End everything that it started and remove what it wrote, but the logs. Harmless if it is down."""
        if self.state.exists():
            with self._locked():
                self._remove(Running.read(self.state))
        self._running = self._node = None

    @property
    def targets(self) -> list[targets.Target]:
        """The faults and the twins that this lab has, in a fixed order."""
        return targets.allot(faults.select(faults.load(paths.FAULTS), self.options.faults))

    @property
    def kubeconfig(self) -> Path:
        """Of an administrator."""
        return self.kubeconfig_for("admin")

    def kubeconfig_for(self, user: str, node: str | None = None) -> Path:
        """Of "admin", or of the ServiceAccount "diagnose" or "diagnose-probing" (docs/rbac). Raises LabError.

        For the API server of a node; null: for the only or first one, or for the load balancer where the lab has one.
        """
        path = self.state / "kubeconfigs" / controlplane.kubeconfig_name(user, node)
        if not path.exists():
            raise LabError(f"{path} does not exist; there are {', '.join(sorted(each.name for each in path.parent.glob('*')))}.")
        return path

    def kubeconfig_of_account(self, namespace: str, account: str) -> Path:
        """Of a ServiceAccount, with its rights and no others. Raises LabError."""
        path = self.state / "kubeconfigs" / f"{namespace}-{account}.kubeconfig"
        if not path.exists():
            token = self.kubectl("-n", namespace, "create", "token", account, "--duration=24h").strip()
            controlplane.write_kubeconfig(path, self.state / "pki", account, self.options.front, token)
        return path

    def command(self, command: list[str]) -> list[str]:
        """The command line that runs a command inside the lab's network."""
        return [*self._up().namespace.enter(), *command]

    def environment(self, user: str = "admin") -> dict[str, str]:
        """The caller's environment with KUBECONFIG, the lab's kubectl in PATH, and no proxy."""
        proxies = {"http_proxy", "https_proxy", "no_proxy", "all_proxy"}
        own = {name: value for name, value in os.environ.items() if name.lower() not in proxies}
        path = os.pathsep.join([str(self.state / "bin"), tools.search_path()])
        return {**own, "KUBECONFIG": str(self.kubeconfig_for(user)), "PATH": path}

    def run(
        self, command: list[str], *, user: str = "admin", env: dict[str, str] | None = None, check: bool = False, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside the lab's network. `env` is added to `environment(user)`; `options` are those of subprocess.run, text is the default."""
        return subprocess.run(self.command(command), env={**self.environment(user), **(env or {})}, check=check, **{"text": True, **options})

    def kubectl(self, *arguments: str, stdin: str = "", env: dict[str, str] | None = None) -> str:
        """Run kubectl as an administrator and return its output. Raises LabError."""
        done = self.run(["kubectl", *arguments], env=env, input=stdin, capture_output=True)
        if done.returncode:
            raise LabError(f"`kubectl {' '.join(arguments[:6])}` failed: {done.stderr.strip()}")
        return str(done.stdout)

    def status(self) -> dict[str, Any]:
        """What runs: {id, kubernetes, options, server, processes: {name: {pid, alive}}, kubeconfigs, logs}."""
        running = self._up()
        return {
            **running.about,
            "server": addresses.api_server(self.options.front),
            "processes": {name: {"pid": process.pid, "alive": process.alive()} for name, process in running.processes.items()},
            "kubeconfigs": sorted(str(path) for path in (self.state / "kubeconfigs").glob("*.kubeconfig")),
            "logs": str(self.state / "logs"),
        }

    @property
    def node(self) -> Node:
        """The node with a real kubelet. Raises LabError if this lab has none."""
        if addresses.NODE not in self._up().nodes:
            raise LabError("this lab has no node with a real kubelet: Options(node=True).")
        if self._node is None:
            self._node = Node(self, worker.ensure_containerd(self._log) / "ctr")
        return self._node

    @property
    def control_plane(self) -> list[ControlPlaneNode]:
        """The control-plane nodes with a kubelet. Raises LabError if this lab has none."""
        if not self.options.control_plane:
            raise LabError("this lab has no control-plane nodes with a kubelet: Options(control_plane=2).")
        self._up()
        version = choose(self.options.kubernetes, paths.VERSIONS)
        programs = {"etcd": build.ensure(version, self._log)["etcd"], "crictl": kubeadm.ensure_crictl(self._log)}
        return [ControlPlaneNode(self, node.name, programs) for node in kubeadm.machines(self.options.control_plane)]

    def inventory(self) -> Path:
        """Write an Ansible inventory of the control-plane nodes (group kube_control_plane), and return its path. Raises LabError."""
        path = self.state / "inventory.yml"
        path.write_text(control_plane_node.inventory(self.control_plane), encoding="utf-8")
        return path

    @property
    def running(self) -> Running:
        """What runs, for those who start more in it. Raises LabError if it is not up."""
        return self._up()

    def _up(self) -> Running:
        if self._running is None:
            raise LabError(f"the lab in {self.state} is not up.")
        return self._running

    def _remove(self, left: Running | None) -> None:
        if left:
            left.end()
        files = ("state.json", ".state.json.new", "resolv.conf", "tinyproxy.conf", "haproxy.cfg", "inventory.yml")
        for entry in (*files, *(path.name for path in self.state.glob("kube-*.json"))):
            (self.state / entry).unlink(missing_ok=True)
        for entry in ("bin", "etcd", "etcd-events", "kubeconfigs", "nodes", "pki", "servers"):
            shutil.rmtree(self.state / entry, ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One `up` or `down` at a time in a state folder."""
        self.state.mkdir(parents=True, exist_ok=True)
        with open(self.state / ".lock", "w", encoding="ascii") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
