# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs that tests share, and the table of faults at the end of the run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from doctorlab import Lab, Options
from lab_diagnosis import Diagnosis, diagnose

ROW = "row"  # of a report's properties, which also a worker of pytest-xdist hands over


@pytest.fixture(scope="session")
def endpoint_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """All faults, with endpoint routing."""
    with Lab(tmp_path_factory.mktemp("endpoint") / "lab", Options(routing="endpoint")) as lab:
        yield lab


@pytest.fixture(scope="session")
def endpoint_diagnosis(endpoint_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    return diagnose(endpoint_lab, tmp_path_factory.mktemp("endpoint") / "report")


@pytest.fixture(scope="session")
def cluster_ip_diagnosis(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    """All faults, with ClusterIP routing."""
    folder = tmp_path_factory.mktemp("cluster-ip")
    with Lab(folder / "lab", Options(routing="cluster_ip")) as lab:
        return diagnose(lab, folder / "report")


@pytest.fixture(scope="session")
def old_diagnosis(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    """All faults, on the oldest Kubernetes of the range."""
    folder = tmp_path_factory.mktemp("old")
    with Lab(folder / "lab", Options(kubernetes="1.30.14")) as lab:
        return diagnose(lab, folder / "report")


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Add a line to the table that ends the run."""
    return lambda line: request.node.user_properties.append((ROW, line))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for name in ("passed", "failed", "error") for report in terminalreporter.stats.get(name, ()) if report.when == "call"]
    rows = {str(value) for report in reports for name, value in report.user_properties if name == ROW}
    if rows:
        terminalreporter.section("what was made, and what was found")
        for line in sorted(rows):
            terminalreporter.line(line)
