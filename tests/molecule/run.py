#!/usr/bin/env python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Molecule with containers that end with the run.

Makes the image, and settings of podman's own (the machine's are neither read nor written), then calls `molecule` with the arguments given.
`test` runs in a pid and mount namespace of its own: however it ends, the kernel ends the containers with it.
Where podman cannot run, the scenarios are skipped, and the last line counts them.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

import image
from doctorlab import paths, tools
from doctorlab.errors import LabError

ROOT = paths.CHECKOUT
SCENARIOS = ROOT / "extensions" / "molecule"

# runc, because crun wants a kernel's features that not all have; no limits above those of whoever runs this, since only CAP_SYS_RESOURCE may raise them.
# Locks in files: those in shared memory are one table for all podmans of a machine.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "{run}/libpod"
"""
STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{storage}"
runroot = "{run}/storage"
"""
# A shell as process 1, because it reaps orphans (podman waits for the end of those that it left), and a /run folder that is new each time, as after a boot.
# Should this program be killed, the kernel kills unshare, by that the first process of the namespace, and by that all others.
NAMESPACE = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
FIRST_PROCESS = 'mount -t tmpfs -o mode=700 tmpfs "$0" && "$@"; exit $?'


class Skipped(Exception):
    """Podman cannot run here; the text says why."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=ROOT / ".cache" / "molecule", help="folder for podman's storage and Molecule's state")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what molecule is called with (test --all, converge -s NAME, destroy), or podman ...")
    options = parser.parse_args()
    arguments = options.arguments or ["test", "--all"]
    signal.signal(signal.SIGTERM, end)
    whole = arguments[0] == "test"
    # What is made step by step outlives this program, so a test of all leaves it alone.
    state = options.state.resolve() / ("test" if whole else "steps")
    state.parent.mkdir(parents=True, exist_ok=True)
    with state.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log(f"another run uses {state}; wait for it, or take another folder with --state")
            return 75
        started = time.monotonic()
        try:
            return test(state, arguments) if whole else step(state, arguments)
        except Skipped as skipped:
            names = sorted(path.parent.name for path in SCENARIOS.glob("*/molecule.yml") if path.parent.name != "default")
            log(f"{len(names)} skipped ({', '.join(names)}): {skipped}")
            return 0
        finally:
            log(f"{time.monotonic() - started:.0f} s in all")


def test(state: Path, arguments: list[str]) -> int:
    """From nothing to nothing."""
    shutil.rmtree(state, ignore_errors=True)  # of a run that was killed
    try:
        podman = Podman.with_own_settings(state, apart=True)
        podman.load_image()
        tried = podman.run("podman", "run", "--rm", "--privileged", "--systemd=always", "--network=none", image.name(), "/bin/true", quiet=True)
        if tried.returncode:
            raise Skipped(f"podman cannot run a container here: {last_line(tried.stderr)}")
        return podman.run("molecule", *arguments).returncode
    finally:
        shutil.rmtree(state, ignore_errors=True)
        shutil.rmtree(volatile(state), ignore_errors=True)
        remove_cgroups()


def step(state: Path, arguments: list[str]) -> int:
    """One command of molecule's (or podman's); containers stay until `destroy`."""
    podman = Podman.with_own_settings(state, apart=False)
    podman.load_image()
    return podman.run(*(arguments if arguments[0] == "podman" else ["molecule", *arguments])).returncode


@dataclass(frozen=True)
class Podman:
    """Commands that use podman, with settings and a storage of their own."""

    environment: dict[str, str]
    prefix: tuple[str, ...]

    @classmethod
    def with_own_settings(cls, state: Path, *, apart: bool) -> Podman:
        """`apart`: each command in namespaces of its own. Raises Skipped where that is impossible."""
        if os.geteuid() != 0:
            raise Skipped("needs root (containers with systemd, debootstrap)")
        try:
            tools.ensure(tools.MOLECULE, log)
        except LabError as error:
            raise Skipped(str(error).splitlines()[-1]) from error
        for folder in (state, volatile(state)):
            folder.mkdir(parents=True, exist_ok=True)
        for file, text in (("containers.conf", CONTAINERS_CONF), ("storage.conf", STORAGE_CONF)):
            (state / file).write_text(text.format(run=volatile(state), storage=state / "storage"), encoding="utf-8")
        environment = {
            **os.environ,
            "PATH": tools.search_path(),
            "CONTAINERS_CONF": str(state / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(state / "storage.conf"),
            "MOLECULE_EPHEMERAL_DIRECTORY": str(state / "ephemeral"),
            "KUBEOPS_MOLECULE_IMAGE": image.name(),
        }
        return cls(environment, (*NAMESPACE, "bash", "-c", FIRST_PROCESS, str(volatile(state))) if apart else ())

    def run(self, *command: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.prefix, *command], cwd=ROOT, env=self.environment, capture_output=quiet, text=True, check=False)

    def load_image(self) -> None:
        """A build that fails is an error, not a reason to skip."""
        if self.run("podman", "image", "exists", image.name(), quiet=True).returncode == 0:
            return
        archive = image.archive(paths.cache("molecule"), log)
        imported = self.run("podman", "import", "--quiet", "--change", 'CMD ["/lib/systemd/systemd"]', str(archive), image.name(), quiet=True)
        if imported.returncode:
            raise Skipped(f"podman cannot store an image here: {last_line(imported.stderr)}")


def volatile(state: Path) -> Path:
    """What podman must forget at the next boot; one folder for each state folder, so that checkouts do not touch each other."""
    return Path("/run/kubeops-molecule") / str(state).strip("/").replace("/", "-")


def remove_cgroups() -> None:
    """Those that podman and systemd have left. Where another run's containers are in them, they are that run's to remove."""
    for parent in (*Path("/sys/fs/cgroup").glob("libpod_parent"), *Path("/sys/fs/cgroup").glob("*/libpod_parent")):
        if any(file.read_text(encoding="utf-8") for file in parent.rglob("cgroup.procs")):
            continue
        for folder, _folders, _files in os.walk(parent, topdown=False):
            with contextlib.suppress(OSError):  # somebody has just begun
                Path(folder).rmdir()


def end(number: int, dummy: FrameType | None) -> None:
    """A signal ends this program as an exception does: what has to be done at the end is done."""
    raise SystemExit(128 + number)


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["(it says nothing)"])[-1]


def log(text: str) -> None:
    print(f"molecule: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
