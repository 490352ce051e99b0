# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation of three control-plane nodes whose run is killed (SIGKILL, with all its children) at every step, and then simply run again.

Each time all API servers are ready afterwards without help, the next run takes the lock over, and no server is restarted twice.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from doctorlab import Lab, Options
from doctorlab.api import wait
from rotation_lab import all_ready, begun, command, ends, lease, names, outcomes, read_until, rotate, table_row

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need cgroups, and those need root")

Row = Callable[[str], None]
Names = dict[str, str | None]
MARGIN = 3.0  # seconds by which the time in a certificate may be wrong


@dataclass(frozen=True)
class Step:
    """When a run is killed: as soon as Ansible tells of this task (for the nth time), and `until` holds.

    restarts: how many API servers that run has restarted by then; None: that is left to chance. locked: whether it certainly has the lock.
    """

    task: str
    restarts: int | None
    locked: bool
    nth: int = 1
    until: Callable[[Lab, Names], bool] = lambda lab, before: True


def _one_ends(lab: Lab, before: Names) -> bool:
    return not all(node.ready() for node in lab.control_plane)


def _one_is_back(lab: Lab, before: Names) -> bool:
    """And is still watched, for it has to stay so."""
    return bool(set(names(lab).values()) - set(before.values()) - {None}) and all(node.ready() for node in lab.control_plane)


ROLLOUT, RESTART = "control_plane_rollout", "apiserver_loopback : Restart kube-apiserver"
# Each round begins with three servers that are due. A task that includes others is told of before these.
ROUNDS: dict[str, list[Step]] = {
    "before the first server, at it, and in the report": [
        Step(f"{ROLLOUT} : Look at the API server of each host", 0, locked=False),
        Step(f"{ROLLOUT} : Take the lock, or keep it", 0, locked=False),
        Step(f"{ROLLOUT} : Look once more", 0, locked=True),
        Step(f"{ROLLOUT} : Keep the lock", 0, locked=True),
        Step(f"{ROLLOUT} : Begin", None, locked=True),
        Step(RESTART, None, locked=True),
        Step(RESTART, 1, locked=True, until=_one_ends),
        Step(f"{ROLLOUT} : Judge how it ended", None, locked=False),
    ],
    "after a server, and after all": [
        Step(f"{ROLLOUT} : Look at the API server as it is now", 1, locked=True),
        Step(f"{ROLLOUT} : Let load balancers take it back", 1, locked=True),
        Step(f"{ROLLOUT} : Look at the whole when all is done", 1, locked=True),
    ],
    "between two, while one is watched, and before the lock is given back": [
        Step(f"{ROLLOUT} : Go through another API server than the one that is next", 1, locked=True, nth=2),
        Step(RESTART, 1, locked=True, until=_one_is_back),
        Step(f"{ROLLOUT} : Give the lock back, and leave a record", 1, locked=False),
    ],
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("killed") / "lab", Options(faults="none", control_plane=3)) as lab:
        yield lab


@pytest.mark.parametrize("which", ROUNDS)
def test_a_run_that_is_killed_is_gone_on_with(lab: Lab, tmp_path: Path, row: Row, which: str) -> None:
    folder, before = tmp_path / "report", names(lab)
    newest = max(int(str(name).split("@")[1]) for name in before.values())
    time.sleep(max(0.0, newest + 2 * MARGIN - time.time()))
    # Until it is through, whoever was started before the round is due, and who was since is not.
    due = {"apiserver_loopback_cool_down_hours": f"{{{{ (now().timestamp() - {newest + MARGIN}) / 3600 }}}}"}
    restarted: Names = {}
    for step in ROUNDS[which]:
        _killed_at(lab, folder, due, step)
        all_ready(lab)
        now = names(lab)
        assert {name: now[name] for name in restarted} == restarted, f"{step.task}: a server was restarted once more"
        newly = {name: now[name] for name in now if now[name] != before[name] and name not in restarted}
        assert step.restarts is None or len(newly) == step.restarts, f"{step.task}: {newly}"
        restarted |= newly
    done = rotate(lab, folder, **due)
    assert done.returncode == 0 and done.changed == len(before) - len(restarted), done.output[-4000:]
    assert sorted(outcomes(folder).values()) == sorted(["cooling"] * len(restarted) + ["done"] * done.changed)
    now = names(lab)
    assert {name: now[name] for name in restarted} == restarted and not set(now.values()) & set(before.values())
    left = lease(lab)
    assert not left["spec"]["holderIdentity"]
    # Of each server, whether a dead run restarted it or the last one did.
    record = json.loads(left["metadata"]["annotations"]["webhook-doctor.kubeops.io/rotation"])
    assert {name: entry["new_not_after"] for name, entry in record.items()} == ends(folder)
    row(table_row(lab, f"killed {which} ({len(ROUNDS[which])} times), then run again", "", folder))


def _killed_at(lab: Lab, folder: Path, due: dict[str, str], step: Step) -> None:
    before = names(lab)
    with begun(lab, folder.parent, command(lab, folder, **due)) as process:
        read_until(process, step.task, step.nth)
        wait(f"it is at work: {step.task}", lambda: step.until(lab, before), timeout=60, pause=0.05)
        os.killpg(process.pid, signal.SIGKILL)
    holder = (lease(lab).get("spec") or {}).get("holderIdentity") or ""
    assert holder or not step.locked, f"{step.task}: it was killed before it had the lock"
