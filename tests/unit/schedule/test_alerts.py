# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alert rules, asked by promtool: the table of what is so, and which alerts fire."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "examples" / "monitoring" / "loopback.rules.yml"
ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "alerts.yml").read_text(encoding="utf-8"))
ALERTS = [rule["alert"] for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
PROMTOOL = Callable[..., subprocess.CompletedProcess[str]]
DAY = 86400


def series(given: dict[str, Any], now: int) -> Iterator[tuple[str, float]]:
    """Name and value, as the scripts of the role write them. `now`: seconds since 1970."""
    node, automation = '{instance="cp-1:9100",address="127.0.0.1:6443"}', '{instance="bastion:9100"}'
    times = {
        "ends": ("kube_apiserver_loopback_cert_not_after_seconds", node),
        "started": ("kube_apiserver_loopback_cert_start_seconds", node),
        "looked": ("kube_apiserver_loopback_cert_last_run_timestamp_seconds", '{instance="cp-1:9100"}'),
        "scheduled": ("webhook_doctor_rotation_scheduled_timestamp_seconds", automation),
        "ran": ("webhook_doctor_rotation_run_last_timestamp_seconds", automation),
    }
    for key, (name, labels) in times.items():
        if key in given:
            yield name + labels, now + given[key] * DAY
    if "probe" in given:
        yield "kube_apiserver_loopback_cert_probe_success" + node, given["probe"]
    if "exit" in given:
        yield "webhook_doctor_rotation_run_exit_code" + automation, given["exit"]
    if "outcome" in given:
        yield f'webhook_doctor_rotation_outcome{{instance="bastion:9100",cluster="blue",outcome="{given["outcome"]}"}}', 1


def question(row: dict[str, Any]) -> dict[str, Any]:
    """A test for promtool, whose time begins with 1970: what was before is before that. All is so from the beginning until now, `for` hours later."""
    hours = row["given"]["for"]
    return {
        "interval": "1h",
        "input_series": [{"series": name, "values": f"{value:.0f}x{hours}"} for name, value in series(row["given"], hours * 3600)],
        "alert_rule_test": [{"alertname": alert, "eval_time": f"{hours}h"} for alert in ALERTS],
    }


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_alerts(row: dict[str, Any], promtool: PROMTOOL, tmp_path: Path) -> None:
    tests = tmp_path / "test.yml"
    tests.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1h", "tests": [question(row)]}), encoding="utf-8")
    # It is told that nothing fires, and names what does.
    answer = promtool("test", "rules", str(tests))
    assert ("SUCCESS" in answer.stdout) == (answer.returncode == 0) == (not row["fire"]), answer.stdout
    assert set(re.findall(r"alertname: ?(\w+), time", answer.stdout)) == set(row["fire"]), answer.stdout
    assert "%!" not in answer.stdout and "<no value>" not in answer.stdout


def test_every_alert_fires_somewhere() -> None:
    assert {alert for row in ROWS for alert in row["fire"]} == set(ALERTS)


def test_the_rules_are_right(promtool: PROMTOOL) -> None:
    checked = promtool("check", "rules", str(RULES))
    assert checked.returncode == 0, checked.stdout
    assert f"SUCCESS: {len(ALERTS)} rules found" in checked.stdout


def test_no_alert_of_these_keeps_a_rotation_off() -> None:
    """Else one that says that a rotation failed or was deferred would see to it that the next one is, too."""
    defaults = yaml.safe_load((ROOT / "roles" / "control_plane_rollout" / "defaults" / "main.yml").read_text(encoding="utf-8"))
    ignored = re.compile(defaults["control_plane_rollout_ignore_alerts"])
    assert [alert for alert in ALERTS if not ignored.search(alert)] == []
    assert not ignored.search("KubeAPIDown")
