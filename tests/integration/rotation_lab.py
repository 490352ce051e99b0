# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations in a lab: how the playbook is run there, what a rotation must not touch, and a client that works meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doctorlab import Lab, addresses
from doctorlab.api import wait
from lab_diagnosis import QUIET
from remedy_lab import Played, reap, spawn

USER = "rotate"
# Every certificate is due, the restarts are short ones, and nobody is waited for.
QUICK: dict[str, Any] = {
    "apiserver_loopback_days": 100000,
    "apiserver_loopback_cool_down_hours": 0,
    "apiserver_loopback_stop_timeout": 5,
    "apiserver_loopback_ready_timeout": 90,
    "apiserver_loopback_stable_seconds": 3,
    "control_plane_rollout_readmission": 2,
    "control_plane_rollout_become": False,
    "webhook_doctor_vantages": ["apiserver"],
}


def command(lab: Lab, folder: Path, *arguments: str, **variables: Any) -> list[str]:
    values = {**QUICK, "webhook_doctor_report_dir": str(folder), **variables}
    playbook = ["ansible-playbook", "-i", str(lab.inventory()), "kubeops.webhook_doctor.rotate_apiserver_loopback"]
    return [*playbook, "-e", json.dumps(values), *arguments]


def rotate(lab: Lab, folder: Path, *arguments: str, **variables: Any) -> Played:
    """Run the playbook inside the lab's network, with the rights of docs/rbac/rotate.yaml."""
    began = time.monotonic()
    done = lab.run(
        command(lab, folder, *arguments, **variables), user=USER, env=QUIET, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, cwd=folder.parent
    )
    return Played(done.stdout, done.returncode, time.monotonic() - began)


@contextmanager
def begun(lab: Lab, folder: Path, arguments: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A playbook in the lab's network, as a process group of its own; what is left of it in the end is killed."""
    process = spawn(lab, arguments, USER, folder)
    try:
        yield process
    finally:
        reap(process)


def read_until(process: subprocess.Popen[str], task: str, nth: int = 1) -> None:
    """Until Ansible tells of this task of the collection for the nth time."""
    said, times = [], 0
    for line in process.stdout or ():
        said.append(line)
        times += line.startswith(f"TASK [kubeops.webhook_doctor.{task}]")
        if times == nth:
            return
    raise AssertionError(f"{task}: " + "".join(said)[-4000:])


def all_ready(lab: Lab) -> None:
    """All are, and stay so: one that was just told to end still is at first."""
    quiet = 0

    def stay() -> bool:
        nonlocal quiet
        quiet = quiet + 1 if all(node.ready() for node in lab.control_plane) else 0
        return quiet == 4

    wait("every API server is ready, and stays so", stay, timeout=180, pause=0.5)


def fleet(lab: Lab, folder: Path) -> list[str]:
    """Arguments that make it a run over two clusters: blue is the lab, and the kubeconfig of grey is not there."""
    inventory = folder / "clusters.yml"
    blue = {"webhook_doctor_kubeconfig": str(lab.kubeconfig_for(USER)), "webhook_doctor_control_plane": "kube_control_plane"}
    hosts = {"grey": {"webhook_doctor_kubeconfig": str(folder / "nowhere.yaml")}, "blue": blue}
    common = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory.write_text(json.dumps({"clusters": {"hosts": hosts, "vars": common}}), encoding="utf-8")
    return ["-i", str(inventory), "-e", "webhook_doctor_hosts=clusters"]


def report(folder: Path) -> dict[str, Any]:
    """Of the last run."""
    return dict(json.loads((folder / "rotation.json").read_text(encoding="utf-8")))


def outcomes(folder: Path) -> dict[str, str]:
    return {one["host"]: one["outcome"] for one in report(folder)["instances"]}


def ends(folder: Path) -> dict[str, str]:
    """Node -> when the certificate of its API server ends, by the last report."""
    return {one["host"]: (one["new"] or one["old"])["not_after"] for one in report(folder)["instances"]}


def names(lab: Lab) -> dict[str, str | None]:
    """Node -> the name in the loopback certificate of its API server: another one is another process."""
    return {node.name: node.loopback_name() for node in lab.control_plane}


def lease(lab: Lab) -> Mapping[str, Any]:
    """The lock: {metadata, spec}; {} where there is none yet."""
    text = lab.kubectl("-n", "kube-system", "get", "lease", "webhook-doctor", "--ignore-not-found", "-o", "json")
    return dict(json.loads(text)) if text.strip() else {}


@dataclass
class Load:
    """What the client saw: see api_load.py."""

    requests: int = 0
    failed: list[str] = field(default_factory=list)
    lost: int = 0
    outages: dict[str, list[float]] = field(default_factory=dict)

    def check(self, servers: int) -> None:
        """No request failed, no write was lost, and never were two API servers away at once."""
        assert not self.failed and not self.lost, (self.failed[:3], self.lost)
        assert len(self.outages) == servers, "the client has not met every restart: it proves nothing"
        spans = sorted((first, last) for first, last, _times in self.outages.values())
        assert all(last < first for (_first, last), (first, _last) in zip(spans, spans[1:], strict=False)), spans


@contextmanager
def load(lab: Lab) -> Iterator[Load]:
    """A client that reads and writes through the API servers' own addresses meanwhile; the result is filled in at the end."""
    seen = Load()
    servers = [f"{node.address}:{addresses.API_PORT}" for node in lab.control_plane]
    script = Path(__file__).parent / "api_load.py"
    client = subprocess.Popen(
        lab.command([sys.executable, str(script), str(lab.kubeconfig), *servers]),
        env=lab.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert client.stdout and client.stdout.readline() == "ready\n", client.stderr and client.stderr.read()
        yield seen
        out, error = client.communicate("\n", timeout=60)
        assert client.returncode == 0, error
        for key, value in json.loads(out).items():
            setattr(seen, key, value)
    finally:
        client.kill()
        client.wait()


def table_row(lab: Lab, what: str, stopped_by: str, folder: Path, seen: Load | None = None, **more: Any) -> str:
    """A line of the rotation table at the end of the tests."""
    made = report(folder)
    seconds = [f"{one['seconds']:.0f}" for one in made["instances"] if one["seconds"] is not None]
    ends = [f"{one['old']['not_after'][:16]}->{one['new']['not_after'][:16]}" for one in made["instances"] if one["outcome"] == "done"]
    parts = [
        f"rotation  {what}: Kubernetes {lab.running.about['kubernetes']}, {len(made['instances'])} instances",
        f"stopped by {stopped_by or 'nothing'}",
        f"{seen.requests} requests, {len(seen.failed)} failed" if seen else "",
        f"seconds per server {'/'.join(seconds)}" if seconds else "no server touched",
        f"certificates {', '.join(ends)}" if ends else "",
        *(f"{key} {value}" for key, value in more.items()),
    ]
    return ", ".join(part for part in parts if part)
