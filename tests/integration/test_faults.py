# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of the lab is found with the right code and cause, and its healthy twin yields nothing: in both routings, and on the oldest Kubernetes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from doctorlab import faults, paths, targets
from lab_diagnosis import Diagnosis

ALL = faults.load(paths.FAULTS)
TARGETS = {(target.role, target.fault): target for target in targets.allot(ALL)}
# Column of the table -> (fixture that diagnoses, routing of the expectation)
LABS = {"endpoint": ("endpoint_diagnosis", "endpoint"), "cluster_ip": ("cluster_ip_diagnosis", "cluster_ip"), "endpoint, 1.30": ("old_diagnosis", "endpoint")}


@pytest.fixture(params=LABS)
def lab_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def diagnosis(lab_name: str, request: pytest.FixtureRequest) -> Diagnosis:
    return request.getfixturevalue(LABS[lab_name][0])


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_the_fault_is_found(fault: faults.Fault, lab_name: str, diagnosis: Diagnosis, row: Callable[[str], None]) -> None:
    expected = fault.expect[LABS[lab_name][1]]
    found = diagnosis.found(TARGETS["fault", fault.name])
    words = ", ".join(f"{finding['code']} {finding['cause'] or '-'} ({finding['severity']})" for finding in found) or "nothing"
    wanted = f"{expected.code} {expected.cause or '-'} ({fault.severity})" if expected.code else "nothing"
    row(f"{fault.name:36} {lab_name:15} expected {wanted:46} found {words}")
    assert words == wanted


@pytest.mark.parametrize("fault", [fault for fault in ALL if fault.twin], ids=lambda fault: fault.name)
def test_the_healthy_twin_yields_nothing(fault: faults.Fault, diagnosis: Diagnosis) -> None:
    assert [(finding["code"], finding["evidence"]) for finding in diagnosis.found(TARGETS["twin", fault.name])] == []


def test_every_kind_of_file_is_written(endpoint_diagnosis: Diagnosis) -> None:
    assert {path.name for path in Path(endpoint_diagnosis.folder).iterdir()} == {"bundle.json", "report.html", "report.json", "report.md"}


def test_the_output_is_calm(diagnosis: Diagnosis) -> None:
    assert "WARNING" not in diagnosis.output
    assert "Traceback" not in diagnosis.output
    assert max(map(len, diagnosis.output.splitlines())) < 500, "a result was dumped"
