# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run remediate and rollback inside a lab, and compare what the cluster holds before and after."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doctorlab import Lab
from lab_diagnosis import QUIET

PLAYBOOKS = "kubeops.webhook_doctor"
# All that a remedy could change; ConfigMaps hold copies of deleted objects, which are not part of the comparison.
KINDS = (
    "validatingwebhookconfigurations,mutatingwebhookconfigurations,customresourcedefinitions,apiservices,deployments,services,networkpolicies,roles,"
    "rolebindings,namespaces,configmaps,secrets"
)
CAINJECTOR_LEASE = "cert-manager-cainjector-leader-election"
NOT_ELECTED = 62.0  # seconds after which a part of cert-manager that has no lease is reported


@dataclass(frozen=True)
class Played:
    """What a playbook printed, and how it ended."""

    output: str
    returncode: int
    seconds: float

    @property
    def changed(self) -> int:
        """Of the line that ends the run."""
        recap = next(line for line in reversed(self.output.splitlines()) if "changed=" in line)
        return int(recap.split("changed=")[1].split()[0])

    @property
    def run(self) -> str:
        """The name of the run, from the line that says how to take it back."""
        return self.output.split("webhook_doctor_run=")[1].split()[0]


def play(lab: Lab, folder: Path, playbook: str, *arguments: str, user: str = "admin", variables: Mapping[str, Any] | None = None) -> Played:
    """Run a playbook of the collection (or a file) inside the lab's network."""
    name = playbook if playbook.endswith(".yml") else f"{PLAYBOOKS}.{playbook}"
    values = {"webhook_doctor_journal_dir": str(folder / "journal"), **(variables or {})}
    command = ["ansible-playbook", name, "-e", json.dumps(values), *arguments]
    began = time.monotonic()
    done = lab.run(command, user=user, env=QUIET, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, cwd=folder)
    return Played(done.stdout, done.returncode, time.monotonic() - began)


def start(lab: Lab, folder: Path, playbook: str, *, user: str = "admin", variables: Mapping[str, Any] | None = None) -> subprocess.Popen[str]:
    """The same, without waiting for its end."""
    values = {"webhook_doctor_journal_dir": str(folder / "journal"), **(variables or {})}
    return spawn(lab, ["ansible-playbook", f"{PLAYBOOKS}.{playbook}", "-e", json.dumps(values)], user, folder)


def spawn(lab: Lab, command: Sequence[str], user: str, folder: Path) -> subprocess.Popen[str]:
    """A command in the lab's network, as a process group of its own, whose output is there as soon as it is printed. `reap` ends it."""
    environment = {**lab.environment(user), **QUIET, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        lab.command(command), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, start_new_session=True
    )


def exists(lab: Lab, *what: str) -> bool:
    """Whether `kubectl get` of these words finds something."""
    return bool(lab.kubectl("get", *what, "--ignore-not-found", "-o", "name").strip())


def versions(lab: Lab) -> dict[str, str]:
    """The version of everything that a remedy could change: equal versions mean that nothing was written."""
    items = json.loads(lab.kubectl("get", KINDS, "-A", "-o", "json"))["items"]
    return {_key(item): item["metadata"]["resourceVersion"] for item in items if not _moves(item)}


def written(lab: Lab, before: Mapping[str, str]) -> list[str]:
    """What has another version than before, is new, or is gone."""
    now = versions(lab)
    return sorted(key for key in {*before, *now} if before.get(key) != now.get(key))


def specs(lab: Lab) -> dict[str, Any]:
    """What these objects say, without what the API server and controllers keep about them."""
    items = json.loads(lab.kubectl("get", KINDS, "-A", "-o", "json"))["items"]
    return {_key(item): _said(item) for item in items if not _moves(item)}


def _key(item: Mapping[str, Any]) -> str:
    metadata = item["metadata"]
    return "/".join((item["kind"], metadata.get("namespace", ""), metadata["name"]))


def _moves(item: Mapping[str, Any]) -> bool:
    """What others write all the time, and copies of what was deleted."""
    metadata = item["metadata"]
    elects = "control-plane.alpha.kubernetes.io/leader" in (metadata.get("annotations") or {})  # istiod's leases
    return item["kind"] == "ConfigMap" and (metadata["name"].startswith("webhook-doctor-") or metadata["namespace"] == "kube-system" or elects)


def _said(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = item["metadata"]
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if not key.startswith("deployment.kubernetes.io/")}
    kept = {"labels": metadata.get("labels") or {}, "annotations": annotations}
    return {**{key: value for key, value in item.items() if key not in ("metadata", "status")}, "metadata": kept}


def journal_says(folder: Path, process: subprocess.Popen[str], wanted: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
    """Wait until the journal of the run that this process makes has such a line; its first one, which is about the run."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        lines = [json.loads(line) for path in folder.glob("2*.jsonl") for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
        if any(wanted(line) for line in lines):
            return lines[0]
        assert process.poll() is None, process.stdout and process.stdout.read()
        time.sleep(0.02)
    raise AssertionError(f"no such line in {folder} in two minutes")


def reap(process: subprocess.Popen[str]) -> None:
    """End what `start` or `spawn` has started, if it runs, and leave nothing of it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
    if process.stdout:
        process.stdout.close()


def worker_of(run: Mapping[str, Any]) -> int:
    """The process that makes the changes, from the journal's line about the run: Ansible's workers live on when ansible-playbook is killed."""
    return int(run["holder"].split(" pid ")[1].split(".")[0])


@dataclass(frozen=True)
class Cycle:
    """A fault's way: previewed, mended, run again, taken back."""

    preview: Played
    applied: Played
    again: Played
    rolled_back: Played

    @property
    def seconds(self) -> float:
        return self.preview.seconds + self.applied.seconds + self.again.seconds + self.rolled_back.seconds

    def row(self, fault: str, role: str, became: str = "mended", taken_back: str = "rolled back") -> str:
        """A line of the table at the end of the tests; `cycle` has seen that it is true, and the test what it gives in other words."""
        return f"remedy  {fault}: {role}, check-mode changes 0, {became}, second run 0, {taken_back}, {self.seconds:.0f} s"


def cycle(
    lab: Lab,
    folder: Path,
    *,
    user: str,
    variables: Mapping[str, Any],
    mended: Callable[[], bool],
    irreversible: bool = False,
    others_write: Collection[str] = (),
    stays: Collection[str] = (),
    before_rollback: Callable[[Played], None] = lambda dummy: None,
) -> Cycle:
    """broken -> --check (nothing is written) -> remediate -> mended -> again (nothing) -> rollback -> as before.

    irreversible: nothing is compared after the rollback. stays: keys of `specs` that cannot be taken back. before_rollback: what befalls the user by then.
    others_write: what an application writes once it is mended, as <kind>/<namespace>/<name>; that may stay.
    """
    before, content = versions(lab), specs(lab)
    preview = play(lab, folder, "remediate", "--check", "--diff", user=user, variables=variables)
    assert preview.returncode == 0, preview.output[-4000:]
    assert not written(lab, before), f"check mode has written {written(lab, before)}"
    assert preview.changed, preview.output[-4000:]
    assert not mended(), "it was no fault"
    applied = play(lab, folder, "remediate", user=user, variables=variables)
    assert applied.returncode == 0, applied.output[-4000:]
    assert mended(), applied.output[-4000:]
    settled = versions(lab)
    again = play(lab, folder, "remediate", user=user, variables=variables)
    assert (again.returncode, again.changed) == (0, 0), again.output[-4000:]
    assert not written(lab, settled), f"the second run has written {written(lab, settled)}"
    before_rollback(applied)
    rolled_back = play(lab, folder, "rollback", user=user)
    assert rolled_back.returncode == 0, rolled_back.output[-4000:]
    if not irreversible:
        now = specs(lab)
        different = sorted(key for key in {*now, *content}.difference(others_write) if now.get(key) != content.get(key))
        assert different == sorted(stays), f"not as before: {different}\n{rolled_back.output[-4000:]}"
    return Cycle(preview, applied, again, rolled_back)
