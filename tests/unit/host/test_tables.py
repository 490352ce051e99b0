# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables busy.yml and proof.yml, and the wait for a new API server."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.busy import busy
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.loopback import Loopback
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import Process, processes
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.proof import Look, missing, wait
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.machine import Machine

HERE = Path(__file__).parent
NOW = 1_700_100_000.0


def rows(name: str) -> list[Any]:
    return [pytest.param(row, id=row["name"]) for row in yaml.safe_load((HERE / name).read_text())]


@pytest.mark.parametrize("row", rows("busy.yml"))
def test_what_is_under_way_is_seen(row: dict[str, Any], machine: Machine) -> None:
    for number, words in enumerate(row.get("processes", ()), 10):
        machine.process(number, words)
    if "minutes" in row:
        path = machine.file("/etc/kubernetes/tmp/kubeadm-backup-manifests-2026/kube-apiserver.yaml").parent
        os.utime(path, (NOW, NOW - row["minutes"] * 60))
    if "scheduled" in row:
        machine.file("/run/systemd/shutdown/scheduled", row["scheduled"])
    host = Host(machine.root)
    found = busy(host, processes(host), NOW)
    assert [entry["what"] for entry in found] == row["expect"]
    assert all(entry["because"] for entry in found)


def look(given: dict[str, Any]) -> Look:
    process = Process(given["process"][0], 1, ("kube-apiserver",), given["process"][1], 0.0) if given["process"] else None
    since = given["since"]
    served = Loopback(None, "connection refused", None) if since == "none" else Loopback(("pem",), None, since)
    return Look(process, given["container"], served, given["unhealthy"])


OLD = {"process": [10, 100], "container": "old", "since": 900, "unhealthy": None}
NEW = {"process": [20, 500], "container": "new", "since": 1003, "unhealthy": None}


@pytest.mark.parametrize("row", rows("proof.yml"))
def test_a_new_api_server_is_told_from_the_old_one(row: dict[str, Any]) -> None:
    before = look({**OLD, **row.get("before", {})})
    assert missing(before, look(row["now"]), 1000.5) == row["missing"]


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def waited(seen: Callable[[float], dict[str, Any]], ready_timeout: float = 60, stable_seconds: float = 10) -> tuple[str | None, float, tuple[str, ...]]:
    """What was missing at the end, after how many seconds, and the history; `seen`: what is there at a time."""
    time, before = Time(), look(OLD)
    outcome = wait(lambda: look(seen(time())), lambda now: missing(before, now, 1000.5), ready_timeout, stable_seconds, time, time.sleep)
    return outcome.lacks, time.now, outcome.history


def test_ready_at_once_and_stays_so() -> None:
    assert waited(lambda now: NEW) == (None, 10, ())


def test_ready_after_a_while() -> None:
    lacks, seconds, history = waited(lambda now: NEW if now >= 20 else {**NEW, "unhealthy": "/readyz says 500"} if now >= 5 else {**OLD, "process": None})
    assert (lacks, seconds) == (None, 30)
    assert history == ("no process of it is there", "/readyz says 500")


def test_never_ready() -> None:
    assert waited(lambda now: {**NEW, "unhealthy": "/readyz says 500"})[:2] == ("/readyz says 500", 60)


def test_it_falls_and_stands_up_again() -> None:
    assert waited(lambda now: {**NEW, "unhealthy": "/readyz says 500"} if 5 <= now < 8 else NEW)[:2] == (None, 18)


def test_it_falls_too_late() -> None:
    assert waited(lambda now: {**NEW, "unhealthy": "/readyz says 500"} if now >= 65 or now < 58 else NEW)[:2] == ("/readyz says 500", 65)


def test_another_new_one_begins_its_own_time() -> None:
    """A server that is ready between two crashes is not stable, although it is never seen unready."""
    assert waited(lambda now: {**NEW, "process": [20 + int(now // 6), 500]} if now < 30 else NEW)[:2] == (None, 40.5)


def test_they_do_not_follow_one_another_for_ever() -> None:
    lacks, seconds, _history = waited(lambda now: {**NEW, "process": [20 + int(now // 6), 500]})
    assert lacks == "it ended, and process 30 has taken its place" and seconds == 60


def test_somebody_is_ready_too_late() -> None:
    assert waited(lambda now: NEW if now >= 60 else {**NEW, "unhealthy": "/readyz says 500"})[:2] == (None, 70)


def test_no_time_to_be_stable_is_wanted() -> None:
    assert waited(lambda now: NEW, stable_seconds=0)[:2] == (None, 0)
