# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The turns of control_plane_rollout, by the tasks and variables of the role, run by Ansible with what each look sees given.

A row: what is seen at one look after the other (the first one is what the plan is made of; with no other no turn is taken), and what comes of it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.tests.unit.rotation.control_plane import reads, results

HERE = Path(__file__).parent / "turns"
ROLES = Path(__file__).resolve().parents[3] / "roles"
NOW = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

DUE = {"days": 5}
RENEWED = {"days": 365, "started": 0.1}
AWAY = {"loopback": {"chain": [], "error": "connection refused"}}
SLOW = {"process": {"arguments": {"request-timeout": "300s"}}}

ROWS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "due": ([{"cp1": DUE}, {"cp1": DUE}], {"worked": ["cp1"], "spared": [], "stopped": ""}),
    "renewed": ([{"cp1": DUE}, {"cp1": RENEWED}], {"worked": [], "spared": ["cp1"], "stopped": ""}),
    "down": (
        [{"cp1": DUE}, {"cp1": AWAY}],
        {"worked": [], "spared": [], "stopped": "Before cp1: whether it is still due is not known: cannot be judged: connection refused"},
    ),
    "up": ([{"cp1": DUE}, {"cp1": AWAY}, {"cp1": RENEWED}], {"worked": [], "spared": ["cp1"], "stopped": ""}),
    # 315 to drain, 30 for the program, 300 to come back, 30 to stay, 30 for load balancers, 60 to be looked at
    "slow": ([{"cp1": DUE, "cp2": SLOW}], {"seconds": 765.0}),
    "said_more": ([{"cp1": DUE, "cp2": SLOW}], {"seconds": 900.0}),
    "said_less": ([{"cp1": DUE, "cp2": SLOW}], {"seconds": 765.0}),
}
SAID = {"said_more": 900, "said_less": 300}


def _looks(hosts: Mapping[str, Any]) -> list[dict[str, Any]]:
    listening = {host: {"address": "127.0.0.1", "port": 1, **hosts.get(host, {})} for host in ("cp1", "cp2", "cp3")}
    return results({"now": NOW, "hosts": listening})


@pytest.fixture(scope="module")
def became(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of each row."""
    folder = tmp_path_factory.mktemp("turns")
    role = ROLES / "control_plane_rollout"
    for part in ("tasks", "vars", "defaults"):
        shutil.copytree(role / part, folder / part)
    for part in ("vars", "defaults"):
        shutil.copytree(ROLES / "apiserver_loopback" / part, folder / "loopback" / part)
    for name in ("play.yml", "settings.yml"):
        shutil.copy(HERE / name, folder)
    shutil.copy(HERE / "look.yml", folder / "tasks")
    (folder / "tasks" / "lock.yml").write_text("[]\n", encoding="utf-8")
    (folder / "tasks" / "proof.yml").write_text("[]\n", encoding="utf-8")
    (folder / "roles" / "step" / "tasks").mkdir(parents=True)
    step = [{"ansible.builtin.set_fact": {"worked": "{{ worked + [control_plane_rollout_host] if control_plane_rollout_server.hostname else [] }}"}}]
    (folder / "roles" / "step" / "tasks" / "main.yml").write_text(json.dumps(step), encoding="utf-8")
    _hurry(folder / "tasks")
    lines = ["[rows]", *(f"{row} user_seconds={SAID[row]}" if row in SAID else row for row in ROWS), "[nodes]", "cp1", "cp2", "cp3"]
    (folder / "hosts").write_text("\n".join([*lines, "[all:vars]", "ansible_connection=local", ""]), encoding="utf-8")
    given = {"looks": {row: [_looks(hosts) for hosts in looks] for row, (looks, dummy) in ROWS.items()}, "api": reads({"now": NOW})}
    (folder / "given.json").write_text(json.dumps(given), encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "-i", "hosts", "-e", "@given.json", "play.yml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "ANSIBLE_PIPELINING": "true"},
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    found: dict[str, dict[str, Any]] = json.loads((folder / "became.json").read_text(encoding="utf-8"))
    return found


def _hurry(tasks: Path) -> None:
    """Nobody comes up in a test, so it is not waited for."""
    for name, key in (("turn.yml", "ansible.builtin.wait_for"), ("spare.yml", None)):
        book = yaml.safe_load((tasks / name).read_text(encoding="utf-8"))
        for task in book:
            if key and key in task:
                task[key]["timeout"] = 1
            if "retries" in task:
                task.update(retries=1, delay=0)
        (tasks / name).write_text(yaml.safe_dump(book, sort_keys=False), encoding="utf-8")


@pytest.mark.parametrize("row", ROWS)
def test_what_becomes_of_a_turn(row: str, became: dict[str, dict[str, Any]]) -> None:
    expected = ROWS[row][1]
    assert became[row]["plan"] == "go"
    assert {name: became[row][name] for name in expected} == expected


def test_a_check_waits_for_one_that_is_not_ready_as_a_run_does() -> None:
    """Else the second look follows the first one at once, and a check refuses what a run would let pass."""
    tasks = yaml.safe_load((ROLES / "control_plane_rollout" / "tasks" / "main.yml").read_text(encoding="utf-8"))
    (wait,) = [task for task in tasks if "ansible.builtin.wait_for" in task]
    assert wait["check_mode"] is False


def test_no_role_hides_what_a_user_says_of_the_worst_case() -> None:
    """Variables of an include go before the inventory's and the play's."""
    given = [task.get("vars", {}) for path in ROLES.glob("*/tasks/*.yml") for task in yaml.safe_load(path.read_text(encoding="utf-8")) if _rolls_out(task)]
    assert len(given) == 3
    for variables in given:
        assert "control_plane_rollout_step_seconds" in variables and "control_plane_rollout_seconds_per_server" not in variables


def _rolls_out(task: Mapping[str, Any]) -> bool:
    included = task.get("ansible.builtin.include_role", {})
    return str(included.get("name")).endswith(".control_plane_rollout") and "tasks_from" not in included
