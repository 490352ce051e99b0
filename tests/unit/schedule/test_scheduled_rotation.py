# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that runs the rotation by schedule, with a program in the place of ansible-playbook that does what a row says.

tests/integration runs it with the real one.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.roles.rotation_schedule import files
from ansible_collections.kubeops.webhook_doctor.tests.unit.schedule.test_metrics import samples

SCRIPT = Path(next(iter(files.__path__))) / "scheduled_rotation.py"
ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "runs.yml").read_text(encoding="utf-8"))
# Notes its arguments, writes the reports, ends with the code.
PROGRAM = """\
#!{python}
import json, pathlib, sys, time
here = pathlib.Path(__file__).parent
row = json.loads((here / "row.json").read_text())
step = "check" if "--check" in sys.argv else "run"
variables = json.loads(pathlib.Path(next(word for word in sys.argv if word.startswith("@"))[1:]).read_text())
with (here / "calls").open("a") as calls:
    calls.write(json.dumps([step, sys.argv[1:], variables]) + chr(10))
code, reports, *lost = row[step]
folder = pathlib.Path(variables["webhook_doctor_report_dir"])
for name, outcome in reports.items():
    alone = not row.get("hosts") or ("--limit" in sys.argv and "," not in sys.argv[sys.argv.index("--limit") + 1])
    target = folder if alone else folder / name
    target.mkdir(parents=True, exist_ok=True)
    context = "kubernetes" if row.get("hosts") else name
    (target / "rotation.json").write_text(json.dumps({{"cluster": context, "outcome": outcome, "says": "as the row says"}}))
if row.get("hosts"):
    states = {{name: "failed" if outcome in ("refused", "stopped") else "good" for name, outcome in reports.items()}}
    states.update((name, "failed") for names in lost for name in names)
    clusters = [{{"host": name, "state": state, "why": "it ended too early" if state == "failed" else None}} for name, state in states.items()]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rotation-clusters.json").write_text(json.dumps({{"clusters": clusters}}))
print("the playbook's own output", flush=True)
time.sleep(row.get("sleep", 0))
sys.exit(code)
"""


class Scheduled:
    """A folder with settings, and the program."""

    def __init__(self, folder: Path, row: dict[str, Any], **settings: Any) -> None:
        self.folder = folder
        program = folder / "ansible-playbook"
        if row.get("check", [0])[0] is not None:
            program.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
            program.chmod(0o755)
        (folder / "row.json").write_text(json.dumps(row), encoding="utf-8")
        given = {
            "inventory": ["hosts.yml"],
            "state": str(folder / "state"),
            "ansible_playbook": str(program),
            "metrics": str(folder / "rotation.prom"),
            **settings,
        }
        (folder / "settings.json").write_text(json.dumps(given), encoding="utf-8")

    @property
    def command(self) -> list[str]:
        return [sys.executable, str(SCRIPT), "--settings", str(self.folder / "settings.json")]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.command, *arguments], capture_output=True, text=True, check=False, timeout=60)

    @property
    def calls(self) -> list[list[Any]]:
        calls = self.folder / "calls"
        return [json.loads(line) for line in calls.read_text(encoding="utf-8").splitlines()] if calls.exists() else []

    @property
    def metrics(self) -> str:
        return (self.folder / "rotation.prom").read_text(encoding="utf-8")


def told(step: list[Any]) -> dict[str, str]:
    """Cluster -> outcome, of a row's check or run."""
    code, reports, *lost = step
    names = [name for names in lost for name in names if code and reports.get(name) not in ("refused", "stopped", "preview")]
    return {**reports, **dict.fromkeys(names, "failed")}


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_runs(row: dict[str, Any], tmp_path: Path, promtool: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    scheduled = Scheduled(tmp_path, row, arguments=row.get("arguments", []))
    done = scheduled.run()
    assert done.returncode == row["exit"], done.stderr
    assert f"(exit code {row['exit']}, " in done.stderr
    begun = ["check"] if row["check"][0] is not None else []
    assert [call[0] for call in scheduled.calls] == [*begun, *(["run"] if row["run"] else [])]
    if row["run"]:
        arguments = scheduled.calls[1][1]
        assert (arguments[arguments.index("--limit") + 1].split(",") if "--limit" in arguments else None) == row["limit"]
    found = samples(scheduled.metrics)
    assert found["webhook_doctor_rotation_run_exit_code"] == row["exit"]
    assert ("webhook_doctor_rotation_run_last_success_timestamp_seconds" in found) == (row["exit"] == 0)
    last = {**told(row["check"]), **(told(row["run"]) if row["run"] else {})}
    shown = {name for name, value in found.items() if name.startswith("webhook_doctor_rotation_outcome") and value == 1}
    known = ("nothing", "done", "waiting", "refused", "stopped", "failed")
    assert shown == {f'webhook_doctor_rotation_outcome{{cluster="{name}",outcome="{outcome}"}}' for name, outcome in last.items() if outcome in known}
    checked = promtool("check", "metrics", stdin=scheduled.metrics)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_what_the_playbook_is_given(tmp_path: Path) -> None:
    row = {"check": [0, {"blue": "preview"}], "run": [0, {"blue": "done"}]}
    scheduled = Scheduled(tmp_path, row, inventory=["a.yml", "b.yml"], variables={"apiserver_loopback_days": 60}, arguments=["--forks", "3"])
    done = scheduled.run()
    assert "the playbook's own output" in done.stdout
    for step, arguments, variables in scheduled.calls:
        assert arguments[0] == "kubeops.webhook_doctor.rotate_apiserver_loopback"
        assert arguments[1:5] == ["--inventory", "a.yml", "--inventory", "b.yml"]
        assert arguments[7:9] == ["--forks", "3"]
        assert ("--check" in arguments) == (step == "check")
        assert variables["apiserver_loopback_days"] == 60
    assert (tmp_path / "state" / "variables.json").stat().st_mode & 0o777 == 0o600


def test_a_check_only_changes_nothing(tmp_path: Path) -> None:
    scheduled = Scheduled(tmp_path, {"check": [0, {"blue": "preview"}], "run": [0, {"blue": "done"}]})
    done = scheduled.run("--check-only")
    assert (done.returncode, [call[0] for call in scheduled.calls]) == (0, ["check"])
    assert "would go on with: blue" in done.stderr
    assert not (tmp_path / "rotation.prom").exists()


def test_the_last_success_is_kept_through_failures(tmp_path: Path) -> None:
    Scheduled(tmp_path, {"check": [0, {"blue": "nothing"}]}).run()
    name = "webhook_doctor_rotation_run_last_success_timestamp_seconds"
    first = samples((tmp_path / "rotation.prom").read_text(encoding="utf-8"))[name]
    time.sleep(1.1)
    scheduled = Scheduled(tmp_path, {"check": [4, {}]})
    assert scheduled.run().returncode == 1
    found = samples(scheduled.metrics)
    assert found[name] == first < found["webhook_doctor_rotation_run_last_timestamp_seconds"]


def test_another_run_is_under_way(tmp_path: Path) -> None:
    scheduled = Scheduled(tmp_path, {"check": [0, {"blue": "nothing"}]})
    (tmp_path / "state").mkdir()
    with (tmp_path / "state" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = scheduled.run()
    assert (done.returncode, scheduled.calls) == (75, [])
    assert "another run is under way" in done.stderr
    assert not (tmp_path / "rotation.prom").exists()
    assert scheduled.run().returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended(number: signal.Signals, tmp_path: Path) -> None:
    scheduled = Scheduled(tmp_path, {"check": [0, {"blue": "nothing"}], "sleep": 30})
    with subprocess.Popen(scheduled.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "the playbook's own output\n"
        process.send_signal(number)
        _output, errors = process.communicate(timeout=10)
    assert process.returncode == 1
    assert f"interrupted by {number.name}" in errors
    assert samples(scheduled.metrics)["webhook_doctor_rotation_run_exit_code"] == 1


def test_metrics_that_cannot_be_written(tmp_path: Path) -> None:
    done = Scheduled(tmp_path, {"check": [0, {"blue": "nothing"}]}, metrics=str(tmp_path / "nowhere" / "rotation.prom")).run()
    assert done.returncode == 1
    assert "could not be written" in done.stderr


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"inventory": []}, "inventory is missing"),
        ({"inventory": "hosts"}, "inventory is 'hosts'; expected: list"),
        ({"inventories": ["hosts"]}, "there is no setting inventories"),
    ],
)
def test_settings_that_are_wrong(settings: dict[str, Any], says: str, tmp_path: Path) -> None:
    done = Scheduled(tmp_path, {}, **settings).run()
    assert (done.returncode, says in done.stderr) == (64, True), done.stderr


def test_arguments_that_are_wrong() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--now"], capture_output=True, text=True, check=False)
    assert done.returncode == 64


def test_help_tells_the_exit_codes() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--help"], capture_output=True, text=True, check=True)
    for line in ("  2   deferred", "  75  another run is under way", "  inventory "):
        assert line in done.stdout


def test_a_report_that_is_none_is_a_failure_with_metrics(tmp_path: Path) -> None:
    scheduled = Scheduled(tmp_path, {"check": [0, {"blue": None}]})
    done = scheduled.run()
    assert done.returncode == 1 and "rotation.json" not in done.stdout
    assert samples(scheduled.metrics)["webhook_doctor_rotation_run_exit_code"] == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_a_state_of_another_user_is_left_alone(tmp_path: Path) -> None:
    """Else root's files would be in the way of the timer's next run."""
    scheduled = Scheduled(tmp_path, {"check": [0, {"blue": "nothing"}]})
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 65534, -1)
    done = scheduled.run("--check-only")
    assert (done.returncode, scheduled.calls, list((tmp_path / "state").iterdir())) == (64, [], [])
    assert "belongs to nobody" in done.stderr


def test_a_state_that_cannot_be_written_is_a_failure_with_metrics(tmp_path: Path) -> None:
    scheduled = Scheduled(tmp_path, {"check": [0, {"blue": "nothing"}]})
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "check").write_text("a file, where a folder is made")
    done = scheduled.run()
    assert (done.returncode, scheduled.calls) == (1, []) and str(tmp_path / "state" / "check") in done.stderr
    assert samples(scheduled.metrics)["webhook_doctor_rotation_run_exit_code"] == 1
