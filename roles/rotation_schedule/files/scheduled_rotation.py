# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the playbook kubeops.webhook_doctor.rotate_apiserver_loopback as a timer has to: first with --check, then for those clusters that it would go on with.

Only one such run goes on at a time, whoever starts it. What comes of it is told three times: in the log, as an exit code, and as metrics for Prometheus.
Needs nothing but Python 3.9 or newer, ansible-playbook, and apiserver_loopback_metrics.py beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from apiserver_loopback_metrics import Metric, exposition, log, write_atomically

PLAYBOOK = "kubeops.webhook_doctor.rotate_apiserver_loopback"
REPORT = "rotation.json"
SUMMARY = "rotation-clusters.json"  # of a run over several clusters
DONE, FAILED, DEFERRED, USAGE, BUSY = 0, 1, 2, 64, 75
# Outcomes of a report (kubeops.webhook_doctor.rotation_report), and `failed` of a cluster whose run ended too early. What they mean for the exit code:
EXIT_CODES = {"nothing": DONE, "done": DONE, "waiting": DEFERRED, "refused": DEFERRED, "stopped": FAILED, "failed": FAILED}
PREVIEW = "preview"

EPILOG = """\
settings (JSON; the role rotation_schedule writes it):
  inventory          list of inventories; {"inventory": ["/etc/ansible/hosts"]}
  state              folder for the lock and the last reports (check/, run/)
  ansible_playbook   program (default: ansible-playbook)
  variables          object that is passed as extra variables
  environment        object; a value replaces that of the environment
  working_directory  folder in which it runs (default: this one)
  metrics            file for node_exporter's textfile collector (default: none)
  arguments          list of more arguments for ansible-playbook

exit codes:
  0   nothing was to be done, or it was done and proven
  1   failed: a playbook failed, or the rotation stopped on the way; somebody should look
  2   deferred: a guard refused, or the window is not open; nothing was changed, and the next run tries again
  64  the settings are wrong
  75  another run is under way
With several clusters the worst counts: 1 before 2 before 0.
"""


class InvalidSettings(Exception):
    """The text names the setting, and what was expected."""


class Interrupted(Exception):
    """Somebody ends this program. The text says how."""


class Unreadable(Exception):
    """What the playbook has written is not what it writes. The text names the file."""


@dataclass(frozen=True)
class Settings:
    """What the file says; EPILOG explains it."""

    inventory: list[str]
    state: Path
    ansible_playbook: str = "ansible-playbook"
    variables: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: Path = Path()
    metrics: Path | None = None
    arguments: Sequence[str] = ()

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Raises InvalidSettings."""
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidSettings(f"{path} cannot be read: {error}") from error
        if not isinstance(given, dict):
            raise InvalidSettings(f"{path} is no JSON object")
        types = {
            "inventory": list,
            "state": str,
            "ansible_playbook": str,
            "variables": dict,
            "environment": dict,
            "working_directory": str,
            "metrics": str,
            "arguments": list,
        }
        for name, value in given.items():
            if name not in types:
                raise InvalidSettings(f"{path}: there is no setting {name}; expected some of: {', '.join(types)}")
            if not isinstance(value, types[name]):
                raise InvalidSettings(f"{path}: {name} is {value!r}; expected: {types[name].__name__}")
        for name in ("inventory", "state"):
            if not given.get(name):
                raise InvalidSettings(f"{path}: {name} is missing")
        paths = {name: Path(given[name]) for name in ("state", "working_directory", "metrics") if given.get(name)}
        return cls(**{**{name: value for name, value in given.items() if name not in ("working_directory", "metrics")}, **paths})


# --- What came of it --------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """Of one cluster. host: the inventory's host that stands for it; null where the run was about one only."""

    cluster: str
    host: str | None
    outcome: str
    says: str


@dataclass(frozen=True)
class Step:
    """A run of the playbook: its exit code (null: it could not be started), and what the reports say."""

    code: int | None
    outcomes: Sequence[Outcome]

    @property
    def failed(self) -> bool:
        """Whether anything went wrong that no outcome tells, such as a host that could not be reached. Those that tell of it come with code 2."""
        explained = any(one.outcome in ("refused", "stopped", "failed") for one in self.outcomes)
        return self.code != 0 and not (self.code == 2 and explained)

    @property
    def goes_on(self) -> list[Outcome]:
        return [one for one in self.outcomes if one.outcome == PREVIEW]


@dataclass(frozen=True)
class Result:
    """Of all steps. code: the exit code."""

    code: int
    says: str
    outcomes: Sequence[Outcome] = ()


def limit(check: Step) -> list[str] | None:
    """Hosts of the inventory that the real run is about; null for all, empty for none.

    Who would be gone on with has passed its guards, also where a server that cannot be judged makes the check fail.
    """
    if check.code == 0 and len(check.goes_on) == len(check.outcomes):
        return None  # also where nothing is known of anybody
    if any(one.host is None for one in check.goes_on):
        return None  # it is about one cluster, and that is it
    return [one.host for one in check.goes_on if one.host]


def judge(check: Step, run: Step | None) -> Result:
    """The worst of what was reported; a failure that nobody reported is the worst. `run` is null where the check showed nothing to go on with."""
    last = {one.cluster: one for one in (*check.outcomes, *(run.outcomes if run else ())) if one.outcome != PREVIEW}
    outcomes = [last[cluster] for cluster in sorted(last)]
    codes = [EXIT_CODES.get(one.outcome, FAILED) for one in outcomes]
    failed = [f"{name} failed" for name, step in (("the check", check), ("the run", run)) if step and step.failed]
    if run and run.code == 0 and not run.outcomes:
        failed.append("the run has looked at no cluster (does webhook_doctor_hosts name a group of the inventory?)")
    says = [f"{one.cluster}: {one.outcome}: {one.says}" for one in outcomes] + failed
    if check.goes_on and run is None:
        says.append(f"would go on with: {', '.join(one.cluster for one in check.goes_on)}")
    code = FAILED if failed or FAILED in codes else DEFERRED if DEFERRED in codes else DONE
    return Result(code, "; ".join(says) or "done", outcomes)


def metrics(result: Result, began: float, ended: float, last_success: float | None) -> list[Metric]:
    """Times in seconds since 1970. A run that was deferred is no success, nor a failure."""
    prefix = "webhook_doctor_rotation"
    success = ended if result.code == DONE else last_success
    return [
        Metric(f"{prefix}_run_exit_code", "Exit code of the last scheduled rotation: 0 done or nothing to do, 1 failed, 2 deferred.", [({}, result.code)]),
        Metric(f"{prefix}_run_duration_seconds", "How long the last scheduled rotation took.", [({}, ended - began)]),
        Metric(f"{prefix}_run_last_timestamp_seconds", "When a rotation ended last, seconds since 1970.", [({}, ended)]),
        Metric(
            f"{prefix}_run_last_success_timestamp_seconds",
            "When a scheduled rotation ended last with nothing left to do, seconds since 1970.",
            [] if success is None else [({}, success)],
        ),
        Metric(
            f"{prefix}_outcome",
            "How it ended: 1 for that outcome, 0 for the others.",
            [({"cluster": one.cluster, "outcome": name}, int(name == one.outcome)) for one in result.outcomes for name in EXIT_CODES],
        ),
    ]


def reports(folder: Path, code: int, only: str | None = None) -> list[Outcome]:
    """What the playbook has written: one report, or one in a folder for each host. code: how it ended. `only`: the host that it was limited to.

    Raises Unreadable.
    """
    found = {}
    clusters = _clusters(folder)
    only = only or (clusters[0]["host"] if len(clusters) == 1 else None)  # where its arguments have limited it
    for path in sorted(folder.rglob(REPORT)):
        host = only if path.parent == folder else str(path.parent.relative_to(folder))
        with _readable(path) as report:
            name = host or str(report.get("cluster") or "cluster")
            found[name] = Outcome(name, host, str(report["outcome"]), str(report["says"]))
    # Whose run ended too early no report tells: there is none, or one from before that.
    told = {name for name, one in found.items() if one.outcome in ("refused", "stopped", PREVIEW)}
    lost = [one for one in clusters if code != 0 and one["state"] == "failed" and one["host"] not in told]
    return list({**found, **{one["host"]: Outcome(one["host"], one["host"], "failed", one["why"]) for one in lost}}.values())


def _clusters(folder: Path) -> list[dict[str, str]]:
    """{host, state, why} of each, where there are several. Raises Unreadable."""
    path = folder / SUMMARY
    if not path.exists():
        return []
    with _readable(path) as summary:
        return [{key: str(one[key]) for key in ("host", "state", "why")} for one in summary["clusters"]]


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[Any]:
    """What is in the file; whatever it lacks is told with its name."""
    try:
        yield json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path} is not what the playbook writes: {error!r}") from error


# --- Doing it ---------------------------------------------------------------------------------------------------------------------------------------


def rotate(settings: Settings, check_only: bool) -> Result:
    check = step(settings, "check", True)
    hosts = limit(check)
    if check_only or hosts == []:
        return judge(check, None)
    return judge(check, step(settings, "run", False, hosts))


def step(settings: Settings, name: str, check: bool, hosts: Sequence[str] | None = None) -> Step:
    """One run of the playbook, whose output is this program's. Raises Interrupted, Unreadable, OSError."""
    folder = settings.state / name
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    # In a file, because others see the arguments of processes.
    variables = settings.state / "variables.json"
    with open(os.open(variables, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({**settings.variables, "webhook_doctor_report_dir": str(folder), "control_plane_rollout_report_in_check_mode": True}, file)
    command = [settings.ansible_playbook, PLAYBOOK, *(word for one in settings.inventory for word in ("--inventory", one))]
    command += ["--extra-vars", f"@{variables}", *settings.arguments, *(["--check"] if check else []), *(["--limit", ",".join(hosts)] if hosts else [])]
    log(f"{name}: {' '.join(command)}")
    try:
        process = subprocess.Popen(command, cwd=settings.working_directory, env={**os.environ, **settings.environment}, stdin=subprocess.DEVNULL)
    except OSError as error:
        log(f"{settings.ansible_playbook} cannot be started: {error}")
        return Step(None, [])
    try:
        code = process.wait()
    except Interrupted:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    return Step(code, reports(folder, code, hosts[0] if hosts and len(hosts) == 1 else None))


@contextlib.contextmanager
def alone(state: Path) -> Iterator[bool]:
    """Whether no other run is under way; as long as this lasts none can begin. The kernel gives the lock back, however it ends."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def owner(state: Path) -> str | None:
    """Whose the folder is, if it is somebody else's."""
    if not state.exists() or state.stat().st_uid == os.geteuid():
        return None
    try:
        return state.owner()
    except KeyError:
        return str(state.stat().st_uid)


def last_success(state: Path) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        return float((state / "last-success").read_text(encoding="utf-8"))
    return None


class Arguments(argparse.ArgumentParser):
    """argparse ends with 2, which here means deferred."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def interrupted(number: int, _frame: object) -> NoReturn:
    raise Interrupted(f"interrupted by {signal.Signals(number).name}; the playbook was ended, and what it was doing is in its log")


def main() -> int:
    parser = Arguments(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=Path, required=True, help="file with the settings")
    parser.add_argument("--check-only", action="store_true", help="change nothing: end after the check")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupted)
    try:
        settings = Settings.read(options.settings)
    except InvalidSettings as error:
        log(str(error))
        return USAGE
    somebody = owner(settings.state)
    if somebody:
        log(f"{settings.state} belongs to {somebody}, who has to run this (sudo -u {somebody} ...): else the next scheduled run could not write there")
        return USAGE
    with alone(settings.state) as free:
        if not free:
            log(f"another run is under way (it holds {settings.state}/lock); nothing was done")
            return BUSY
        began = time.time()
        try:
            result = rotate(settings, options.check_only)
        except (Interrupted, Unreadable, OSError) as error:
            result = Result(FAILED, str(error))
        ended = time.time()
        log(f"{result.says} (exit code {result.code}, {ended - began:.0f} s)")
        if options.check_only:
            return result.code
        if result.code == DONE:
            write_atomically(settings.state / "last-success", f"{ended:.0f}\n")
        if settings.metrics:
            try:
                write_atomically(settings.metrics, exposition(metrics(result, began, ended, last_success(settings.state))))
            except OSError as error:
                log(f"{settings.metrics} could not be written: {error}")
                return FAILED
        return result.code


if __name__ == "__main__":
    sys.exit(main())
