# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of loopback certificates on three control-plane nodes with three members of etcd: previewed, under load, run again, refused, and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options
from doctorlab.api import wait
from lab_diagnosis import QUIET
from remedy_lab import reap
from rotation_lab import USER, command, lease, load, names, outcomes, report, rotate, table_row

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need cgroups, and those need root")

Row = Callable[[str], None]
GUARDS = "supported known single peers etcd webhooks aggregated_apis busy nodes kured clocks window alerts lock".split()
# What is shown when a run is about to do something.
LOCKED, RESTARTING, RESTARTED = "rollout : Keep the lock", "apiserver_loopback : Restart kube-apiserver", "rollout : Prove it"
MARGIN = 60.0  # seconds


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("rotation") / "lab", Options(faults="none", control_plane=3, etcd_members=3)) as lab:
        yield lab


def test_three_servers_one_after_the_other_under_load(lab: Lab, tmp_path: Path, row: Row) -> None:
    folder, before = tmp_path / "report", names(lab)
    preview = rotate(lab, folder, "--check")
    assert (preview.returncode, preview.changed) == (0, 3), preview.output[-4000:]
    assert names(lab) == before and not lease(lab) and not folder.exists(), "check mode has changed something"
    assert all(f"  {number}.  lab-control-plane" in preview.output for number in (1, 2, 3)), preview.output
    assert [guard for guard in GUARDS if f"  ok       {guard}" not in preview.output] == []

    with load(lab) as seen:
        done = rotate(lab, folder)
    assert (done.returncode, done.changed) == (0, 3), done.output[-4000:]
    after = names(lab)
    assert not set(before.values()) & set(after.values()) and None not in after.values()
    assert set(outcomes(folder).values()) == {"done"}
    for one in report(folder)["instances"]:
        assert one["new"]["not_after"] > one["old"]["not_after"] and one["new"]["container_id"] != one["old"]["container_id"], one
    seen.check(servers=3)
    held = lease(lab)
    assert held["spec"]["holderIdentity"] == "" and all(name in held["metadata"]["annotations"]["webhook-doctor.kubeops.io/rotation"] for name in after)
    line = table_row(lab, "three under load", "", folder, seen)

    again = rotate(lab, folder, apiserver_loopback_cool_down_hours=24)
    assert (again.returncode, again.changed) == (0, 0), again.output[-4000:]
    assert names(lab) == after and set(outcomes(folder).values()) == {"cooling"}
    row(f"{line}, check mode changes 0, second run 0")


def test_a_member_of_etcd_is_down(lab: Lab, tmp_path: Path, row: Row) -> None:
    folder, before = tmp_path / "report", names(lab)
    lab.control_plane[2].stop_etcd()
    try:
        refused = rotate(lab, folder)
        assert names(lab) == before
    finally:
        lab.control_plane[2].start_etcd()
    assert refused.returncode == 2 and "2 of 3 members healthy, quorum is 2" in " ".join(refused.output.split()), refused.output[-4000:]
    assert set(outcomes(folder).values()) == {"not_touched"}
    row(table_row(lab, "a member of etcd is down", "etcd", folder))


def test_a_run_that_is_killed_is_gone_on_with(lab: Lab, tmp_path: Path, row: Row) -> None:
    """Killed under the lock, while a server ends, and between two: each time the next run takes over, and no server is restarted twice."""
    folder = tmp_path / "report"
    wait("every API server is ready", lambda: all(node.ready() for node in lab.control_plane), timeout=180)
    before = names(lab)
    newest = max(int(str(name).split("@")[1]) for name in before.values())
    time.sleep(max(0.0, newest + MARGIN + 5 - time.time()))
    began = time.time()
    begun: dict[str, str | None] = {}
    for line, until in (
        (LOCKED, lambda: True),
        (RESTARTING, lambda: not all(node.ready() for node in lab.control_plane)),
        (RESTARTED, lambda: True),
    ):
        process = _start(lab, folder, began)
        try:
            _read_until(process, line)
            wait("it is at work", until, timeout=60, pause=0.05)
            os.killpg(process.pid, signal.SIGKILL)
        finally:
            reap(process)
        assert lease(lab)["spec"]["holderIdentity"], "it was killed before it had the lock"
        wait("every API server is ready", lambda: all(node.ready() for node in lab.control_plane), timeout=180)
        now = names(lab)
        assert {name: now[name] for name in begun} == begun, "a server was restarted once more"
        begun = {name: now[name] for name in now if now[name] != before[name]}
    assert len(begun) == 2, "nothing was restarted before the lock, then one by each run"
    done = rotate(lab, folder, apiserver_loopback_cool_down_hours=_since(began))
    assert done.returncode == 0 and done.changed == 1, done.output[-4000:]
    assert sorted(outcomes(folder).values()) == ["cooling", "cooling", "done"] and not lease(lab)["spec"]["holderIdentity"]
    now = names(lab)
    assert {name: now[name] for name in begun} == begun and not set(now.values()) & set(before.values())
    row(table_row(lab, "killed three times, then run again", "", folder))


def _since(began: float) -> float:
    """The cool-down (hours) in which everything lies that was started since then, and nothing of before."""
    return (time.time() - began + MARGIN) / 3600


def _start(lab: Lab, folder: Path, began: float) -> subprocess.Popen[str]:
    environment: dict[str, Any] = {**lab.environment(USER), **QUIET, "PYTHONUNBUFFERED": "1"}
    arguments = lab.command(command(lab, folder, apiserver_loopback_cool_down_hours=_since(began)))
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)


def _read_until(process: subprocess.Popen[str], text: str) -> None:
    said = []
    for line in process.stdout or ():
        said.append(line)
        if text in line:
            return
    raise AssertionError("".join(said)[-4000:])
