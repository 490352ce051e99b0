# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run over many clusters: those that fail do not stop the others, one summary tells of all, and the exit code counts them.

Two labs, each in a network of its own (the modules of a cluster's host run in its lab), a cluster whose API server does not answer, and one whose kubeconfig
is not there.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from doctorlab import Lab, Options
from lab_diagnosis import QUIET, summary_rows

DIED = "red", "grey"


@dataclass(frozen=True)
class Fleet:
    """The inventory of the clusters blue, green (labs), red and grey (which cannot be looked at), and the folder where runs are made."""

    inventory: Path
    folder: Path

    def play(self, *arguments: str, playbook: str = "diagnose", environment: dict[str, str] | None = None, **variables: Any) -> Fleetwide:
        values = {"webhook_doctor_hosts": "clusters", "webhook_doctor_settle": 1, **variables}
        command = ["ansible-playbook", f"kubeops.webhook_doctor.{playbook}", "-i", str(self.inventory), "-e", json.dumps(values), *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **QUIET, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        return Fleetwide(done.stdout, done.returncode, self.folder / "webhook-doctor")


@dataclass(frozen=True)
class Fleetwide:
    """What a run printed and wrote, and how it ended."""

    output: str
    returncode: int
    written: Path

    @property
    def summary(self) -> str:
        """What is shown last, before Ansible's own recap."""
        return self.output.split("TASK [Sum up]")[1].split("PLAY RECAP")[0]

    @property
    def rows(self) -> list[tuple[str, str]]:
        return summary_rows(self.output)

    def data(self, name: str = "clusters") -> dict[str, Any]:
        return json.loads((self.written / f"{name}.json").read_text(encoding="utf-8"))

    def cluster(self, host: str, name: str = "clusters") -> dict[str, Any]:
        return next(cluster for cluster in self.data(name)["clusters"] if cluster["host"] == host)


def host(folder: Path, name: str, lab: Lab, user: str) -> dict[str, Any]:
    """The variables of a host whose modules run in the lab's network."""
    python = folder / f"{name}-python"
    python.write_text(f'#!/bin/sh\nexec {shlex.join(lab.command([sys.executable]))} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return {"ansible_python_interpreter": str(python), "webhook_doctor_kubeconfig": str(lab.kubeconfig_for(user))}


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, Lab]]:
    folder = tmp_path_factory.mktemp("labs")
    with (
        Lab(folder / "blue", Options(faults="certificate-expired,leases")) as blue,
        Lab(folder / "green", Options(faults="service-missing-fail-open")) as green,
    ):
        yield blue, green


def fleet_of(labs: tuple[Lab, Lab], folder: Path, user: str = "diagnose-probing") -> Fleet:
    silent = folder / "silent.yaml"
    silent.write_text(re.sub(r"https://\S+:\d+", "https://127.0.0.1:1", labs[0].kubeconfig_for(user).read_text(encoding="utf-8")), encoding="utf-8")
    hosts = {
        "red": {"webhook_doctor_kubeconfig": str(silent), "ansible_python_interpreter": sys.executable},
        "green": host(folder, "green", labs[1], user),
        "blue": host(folder, "blue", labs[0], user),
        "grey": {"webhook_doctor_kubeconfig": str(folder / "nowhere.yaml"), "ansible_python_interpreter": sys.executable},
    }
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"clusters": {"hosts": hosts, "vars": {"ansible_connection": "local"}}}, sort_keys=False), encoding="utf-8")
    return Fleet(inventory, folder)


@pytest.fixture(scope="module")
def fleet(labs: tuple[Lab, Lab], tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return fleet_of(labs, tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def diagnosed(fleet: Fleet) -> Fleetwide:
    return fleet.play()


def test_each_cluster_has_its_row_worst_first(diagnosed: Fleetwide) -> None:
    assert diagnosed.rows == [("FAILED", "red"), ("FAILED", "grey"), ("ERROR", "blue"), ("WARN", "green")], diagnosed.output[-4000:]
    shown = " ".join(diagnosed.summary.split())
    assert "red https://127.0.0.1:1: connection refused" in shown
    assert "nowhere.yaml: no such file" in shown
    assert "blue Kubernetes 1.36.3" in shown and "WD307 fault-certificate-expired" in shown
    assert "4 clusters: 2 failed, 1 with errors, 1 with warnings" in shown
    assert "ends with failure: red, grey (failed)" in shown


def test_the_same_as_data(diagnosed: Fleetwide) -> None:
    data = diagnosed.data()
    assert data["counts"] == {"clusters": 4, "failed": 2, "error": 1, "warning": 1, "good": 0}
    blue, green, red = (diagnosed.cluster(name) for name in ("blue", "green", "red"))
    assert blue["worst"]["code"] == "WD307" and blue["findings"]["error"] == 1 and blue["kubernetes"] == "v1.36.3"
    assert green["worst"]["code"] == "WD101" and green["findings"] == {"error": 0, "warning": 1, "info": 0, "suppressed": 0}
    assert "connection refused" in red["why"] and red["files"] is None and red["findings"] is None


def test_each_cluster_has_its_report_and_a_page_leads_there(diagnosed: Fleetwide) -> None:
    page = (diagnosed.written / "clusters.html").read_text(encoding="utf-8")
    assert re.findall(r'href="([^"]+)"', page) == ["blue/report.html", "green/report.html"]
    for name, code in (("blue", "WD307"), ("green", "WD101")):
        report = json.loads((diagnosed.written / name / "report.json").read_text(encoding="utf-8"))
        assert code in {finding["code"] for finding in report["findings"]}
    assert not (diagnosed.written / "report.json").exists() and not (diagnosed.written / "red").exists()


def test_a_cluster_that_could_not_be_looked_at_is_a_failure(diagnosed: Fleetwide) -> None:
    assert diagnosed.returncode == 2
    recap = diagnosed.output.split("PLAY RECAP")[1]
    failed = {line.split()[0] for line in recap.splitlines() if re.search(r"failed=[1-9]", line)}
    assert failed == set(DIED)


@pytest.mark.parametrize(
    ("limit", "fail_on", "code", "named"),
    [
        ("blue,green", "never", 0, None),
        ("blue,green", "error", 2, "ends with failure: blue (webhook_doctor_fail_on)"),
        ("blue,green", "warning", 2, "ends with failure: green, blue (webhook_doctor_fail_on)"),
        ("green", "error", 0, None),
        ("green", "warning", 2, "ends with failure: green (webhook_doctor_fail_on)"),
    ],
)
def test_the_exit_code_is_as_asked_for(fleet: Fleet, limit: str, fail_on: str, code: int, named: str | None) -> None:
    done = fleet.play("--limit", limit, webhook_doctor_fail_on=fail_on, webhook_doctor_report_dir=str(fleet.folder / "limited"))
    assert done.returncode == code, done.output[-4000:]
    assert named in " ".join(done.summary.split()) if named else "ends with failure" not in done.summary
    assert {path.name for path in (fleet.folder / "limited").iterdir() if path.is_dir()} >= set(limit.split(",")), "each has its directory, also alone"


@pytest.mark.parametrize("colour", ["0", "1"])
def test_what_is_said_of_one_cluster_is_not_torn_apart(fleet: Fleet, colour: str) -> None:
    forced = {"ANSIBLE_FORCE_COLOR": "1", "ANSIBLE_NOCOLOR": "0"} if colour == "1" else {}
    done = fleet.play("--limit", "blue,green", environment=forced, webhook_doctor_show_each=True, webhook_doctor_report_dir=str(fleet.folder / "each"))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.output)
    assert (plain != done.output) == bool(forced)
    for name, code in (("blue", "WD307"), ("green", "WD101")):
        whole = plain.split(f"── {name} ──")[1].split("bundle: ")[0]
        assert "cluster lab · Kubernetes" in whole and code in whole and "──" not in whole and "ok: [" not in whole
        assert f"each/{name}/report.html" in whole


def test_nothing_is_written_in_check_mode(fleet: Fleet) -> None:
    done = fleet.play("--check", "--limit", "blue,green", webhook_doctor_report_dir=str(fleet.folder / "unwritten"))
    assert done.returncode == 0 and "Check mode: no summary was written." in done.summary
    assert not (fleet.folder / "unwritten").exists()


def test_a_gate_over_many_clusters(fleet: Fleet) -> None:
    done = fleet.play("--limit", "blue,green,grey", playbook="gate", webhook_gate_timeout=20, webhook_gate_select="[?starts_with(object, 'twin-')]")
    assert done.rows == [("FAILED", "grey"), ("OK", "green"), ("OK", "blue")], done.output[-4000:]
    assert done.returncode == 2 and "call-outs proven" in done.summary
    shut = fleet.play("--limit", "blue,green", playbook="gate", webhook_gate_timeout=3, webhook_gate_select="[?object=='fault-certificate-expired']")
    blue = shut.cluster("blue", "gate-clusters")
    assert blue["state"] == "failed" and "WD307" in blue["why"] and blue["worst"]["code"] == "WD307"
    assert "── blue ──" in shut.output


def test_remedies_over_many_clusters(labs: tuple[Lab, Lab], tmp_path: Path) -> None:
    fleet = fleet_of(labs, tmp_path, "admin")
    asked = {"playbook": "remediate", "webhook_doctor_remedies": ["webhook_timeouts"]}
    preview = fleet.play("--check", "--diff", **asked)
    assert preview.returncode == 2 and preview.rows[:2] == [("FAILED", "red"), ("FAILED", "grey")], preview.output[-4000:]
    assert "Would be changed:" in preview.output.split("── blue ──")[1]
    assert "Nothing to change" in preview.output.split("── green ──")[1].split("TASK")[0]
    done = fleet.play("--limit", "blue,green", **asked)
    assert done.returncode == 0, done.output[-4000:]
    assert done.cluster("blue", "remediate-clusters")["says"] == "1 of 1 changes were made."
    assert done.cluster("green", "remediate-clusters")["says"] == "Nothing to change."
    back = fleet.play("--limit", "blue,green,grey", playbook="rollback")
    assert back.returncode == 2 and back.rows == [("FAILED", "grey"), ("OK", "green"), ("OK", "blue")], back.output[-4000:]
    assert "── blue ──" in back.output and back.cluster("blue", "rollback-clusters")["says"] == "1 change was taken back."
    assert "nowhere.yaml: no such file" in back.cluster("grey", "rollback-clusters")["why"]
