# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dashboard asks for metrics that there are, in a language that Prometheus understands; its picture is what it shows."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.tests.tools import prometheus

ROOT = Path(__file__).resolve().parents[3]
DASHBOARD = json.loads((ROOT / "examples" / "monitoring" / "loopback-dashboard.json").read_text(encoding="utf-8"))
RULES = (ROOT / "examples" / "monitoring" / "loopback.rules.yml").read_text(encoding="utf-8")
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
SCRIPTS = ROOT / "roles" / "rotation_schedule" / "files"
PROMTOOL = Callable[..., subprocess.CompletedProcess[str]]
METRIC = re.compile(r"\b(?:kube_apiserver_loopback_cert|webhook_doctor_rotation)_\w+")


def written() -> set[str]:
    """Names of the metrics that the scripts write, by their own functions, and of those that the role itself writes."""
    program = (
        "import scheduled_rotation as r, apiserver_loopback_metrics as d;"
        "seen = {d.Address('a', 1): d.Loopback(1, 2, 3)};"
        "print(*(m.name for m in [*d.metrics(seen, 0), *r.metrics(r.Result(0, '', []), 0, 0, 0)]))"
    )
    by_role = re.findall(r"# TYPE (\w+) gauge", (SCRIPTS.parent / "tasks" / "rotator_present.yml").read_text(encoding="utf-8"))
    return {*subprocess.run([sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True, check=True).stdout.split(), *by_role}


@pytest.mark.parametrize("text", [*EXPRESSIONS, RULES], ids=[*(f"panel query {number}" for number in range(len(EXPRESSIONS))), "alert rules"])
def test_only_metrics_that_are_written(text: str) -> None:
    asked = set(METRIC.findall(text))
    assert asked and asked <= written()


def test_every_metric_is_used() -> None:
    used = set(METRIC.findall(" ".join([*EXPRESSIONS, RULES])))
    # How long a run took, and when it began to be valid: for whom it interests; the last success too.
    assert written() - used == {
        "kube_apiserver_loopback_cert_not_before_seconds",
        "webhook_doctor_rotation_run_duration_seconds",
        "webhook_doctor_rotation_run_last_success_timestamp_seconds",
    }


def test_prometheus_understands_its_queries(promtool: PROMTOOL, tmp_path: Path) -> None:
    rules = [{"record": f"panel:query:{number}", "expr": text.replace("$instance", ".*")} for number, text in enumerate(EXPRESSIONS)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    checked = promtool("check", "rules", str(tmp_path / "rules.yml"))
    assert checked.returncode == 0, checked.stdout


def test_panels_have_numbers_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above
        assert one["x"] + one["w"] <= 24


def test_the_picture_is_what_it_shows(promtool: PROMTOOL) -> None:
    """With promtool there is Prometheus, too. Draw it anew: tests/tools/dashboard_picture.py."""
    assert promtool("--version").returncode == 0
    drawn = subprocess.run(
        [sys.executable, "-c", "import dashboard_picture; print(dashboard_picture.draw(), end='')"],
        cwd=Path(prometheus.__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert drawn == (ROOT / "docs" / "images" / "loopback-dashboard.svg").read_text(encoding="utf-8")
