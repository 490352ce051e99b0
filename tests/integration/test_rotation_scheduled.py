# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduled rotation with the real playbook, on two control-plane nodes: exit codes, reports, metrics. And the detector, on real API servers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options
from lab_diagnosis import QUIET
from rotation_lab import QUICK, USER, fleet, names
from schedulers import program

from ansible_collections.kubeops.webhook_doctor.tests.unit.schedule.test_metrics import samples

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "roles" / "rotation_schedule" / "files"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need cgroups, and those need root")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("scheduled") / "lab", Options(faults="none", control_plane=2)) as lab:
        yield lab


def command(folder: Path, *inventories: str, **variables: Any) -> list[str]:
    """As the unit of rotation_schedule starts it."""
    settings = {
        "inventory": inventories,
        "state": str(folder / "state"),
        "ansible_playbook": str(shutil.which("ansible-playbook")),
        "variables": {**QUICK, **variables},
        "metrics": str(folder / "rotation.prom"),
        "working_directory": str(folder),
    }
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    return [sys.executable, str(SCRIPTS / "scheduled_rotation.py"), "--settings", str(folder / "settings.json")]


def outcome(folder: Path, step: str) -> str | None:
    report = folder / "state" / step / "rotation.json"
    return str(json.loads(report.read_text(encoding="utf-8"))["outcome"]) if report.exists() else None


def scheduled(lab: Lab, folder: Path, **variables: Any) -> tuple[int, str, str | None, str | None, Mapping[str, float]]:
    """Exit code, output, outcomes of check and run (null where it was not begun), and the metrics."""
    done = lab.run(
        command(folder, str(lab.inventory()), **variables), user=USER, env=QUIET, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, cwd=folder
    )
    return done.returncode, done.stdout, outcome(folder, "check"), outcome(folder, "run"), samples((folder / "rotation.prom").read_text(encoding="utf-8"))


def test_a_cluster_that_cannot_be_reached(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text("kube_control_plane: {hosts: {cp-1: {ansible_connection: local}}}\n", encoding="utf-8")
    (tmp_path / "kubeconfig").write_text(
        json.dumps(
            {
                "clusters": [{"name": "gone", "cluster": {"server": "https://127.0.0.1:1"}}],
                "contexts": [{"name": "gone", "context": {"cluster": "gone", "user": "nobody"}}],
                "users": [{"name": "nobody", "user": {"token": "x"}}],
                "current-context": "gone",
            }
        ),
        encoding="utf-8",
    )
    done = subprocess.run(
        command(tmp_path, str(tmp_path / "hosts.yml"), webhook_doctor_kubeconfig=str(tmp_path / "kubeconfig")),
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1, done.stdout[-4000:] + done.stderr
    assert "the check failed (exit code 1, " in done.stderr
    assert outcome(tmp_path, "run") is None
    assert samples((tmp_path / "rotation.prom").read_text(encoding="utf-8"))["webhook_doctor_rotation_run_exit_code"] == 1


def test_the_window_is_not_open(lab: Lab, tmp_path: Path) -> None:
    before, later = names(lab), datetime.now(timezone.utc) + timedelta(hours=6)
    code, output, check, run, metrics = scheduled(lab, tmp_path, control_plane_rollout_window=[f"{later:%H}:00-{later:%H}:59"])
    assert (code, check, run) == (2, "waiting", None), output[-4000:]
    assert metrics["webhook_doctor_rotation_run_exit_code"] == 2
    assert names(lab) == before


def test_a_guard_refuses(lab: Lab, tmp_path: Path) -> None:
    before, node = names(lab), lab.control_plane[0].name
    lab.kubectl("cordon", node)
    try:
        code, output, check, run, metrics = scheduled(lab, tmp_path)
    finally:
        lab.kubectl("uncordon", node)
    assert (code, check, run) == (2, "refused", None), output[-4000:]
    assert [value for name, value in metrics.items() if 'outcome="refused"' in name] == [1]
    assert names(lab) == before


def test_of_two_clusters_one_is_refused_and_the_other_is_lost(lab: Lab, tmp_path: Path) -> None:
    before, node = names(lab), lab.control_plane[0].name
    _option, clusters, *_rest = fleet(lab, tmp_path)
    lab.kubectl("cordon", node)
    try:
        done = lab.run(
            command(tmp_path, str(lab.inventory()), clusters, webhook_doctor_hosts="clusters"),
            user=USER,
            env=QUIET,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=900,
            cwd=tmp_path,
        )
    finally:
        lab.kubectl("uncordon", node)
    assert done.returncode == 1, done.stdout[-4000:]
    metrics = samples((tmp_path / "rotation.prom").read_text(encoding="utf-8"))
    outcomes = {name for name, value in metrics.items() if name.startswith("webhook_doctor_rotation_outcome") and value == 1}
    assert outcomes == {f'webhook_doctor_rotation_outcome{{cluster="{name}",outcome="{told}"}}' for name, told in (("blue", "refused"), ("grey", "failed"))}
    assert "blue: refused: " in done.stdout and "grey: failed: " in done.stdout
    assert names(lab) == before


def test_what_is_due_is_renewed_and_then_nothing_is(lab: Lab, tmp_path: Path) -> None:
    before = names(lab)
    code, output, check, run, metrics = scheduled(lab, tmp_path)
    assert (code, check, run) == (0, "preview", "done"), output[-4000:]
    assert metrics["webhook_doctor_rotation_run_last_success_timestamp_seconds"] == metrics["webhook_doctor_rotation_run_last_timestamp_seconds"]
    after = names(lab)
    assert not set(before.values()) & set(after.values())
    (tmp_path / "again").mkdir()
    code, output, check, run, metrics = scheduled(lab, tmp_path / "again", apiserver_loopback_days=30)
    assert (code, check, run) == (0, "nothing", None), output[-4000:]
    assert names(lab) == after


def test_the_detector_reads_what_real_api_servers_present(lab: Lab) -> None:
    for node in lab.control_plane:
        address = f"{node.address}:6443"
        looked = lab.run(
            [sys.executable, str(SCRIPTS / "apiserver_loopback_metrics.py"), "--address", address, "--output", "-"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        found, where = samples(looked.stdout), f'{{address="{address}"}}'
        assert found[f"kube_apiserver_loopback_cert_probe_success{where}"] == 1, looked.stderr
        assert f"apiserver-loopback-client@{found[f'kube_apiserver_loopback_cert_start_seconds{where}']:.0f}" == node.loopback_name()
        life = found[f"kube_apiserver_loopback_cert_not_after_seconds{where}"] - found[f"kube_apiserver_loopback_cert_not_before_seconds{where}"]
        assert life == 1096 * 86400


def test_the_project_of_awx_in_check_mode(lab: Lab, tmp_path: Path) -> None:
    """As AWX starts it: ansible-runner, with the project's playbook, an inventory, extra variables and --check."""
    runner, before, job = program("ansible-runner"), names(lab), tmp_path / "job"
    shutil.copytree(ROOT / "examples" / "scheduling" / "awx" / "project", job / "project")
    (job / "inventory").mkdir()
    shutil.copy(lab.inventory(), job / "inventory" / "hosts.yml")
    (job / "env").mkdir()
    (job / "env" / "extravars").write_text(json.dumps(QUICK), encoding="utf-8")
    (job / "env" / "cmdline").write_text("--check", encoding="utf-8")
    done = lab.run([runner, "run", str(job), "--playbook", "rotate.yml"], user=USER, env=QUIET, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    artifacts = next((job / "artifacts").iterdir())
    assert (artifacts / "rc").read_text(encoding="utf-8") == "0", done.stdout[-4000:]
    assert (artifacts / "status").read_text(encoding="utf-8") == "successful"
    assert "check mode: nothing was changed" in " ".join(done.stdout.split())
    assert names(lab) == before
