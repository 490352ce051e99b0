# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With the read-only rights alone, what cannot be seen is said, and what is found is still right."""

from __future__ import annotations

import pytest
from doctorlab import Lab, faults, paths, targets
from lab_diagnosis import Diagnosis, diagnose

ALL = faults.load(paths.FAULTS)
TARGETS = {(target.role, target.fault): target for target in targets.allot(ALL)}
# What only the API server itself can tell; without its dry run these may go unseen, but are never called by another name.
ONLY_THE_API_SERVER_SEES = {"conversion", "network"}


@pytest.fixture(scope="module")
def read_only(endpoint_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    return diagnose(endpoint_lab, tmp_path_factory.mktemp("read-only") / "report", user="diagnose")


def test_what_was_not_seen_is_said(read_only: Diagnosis) -> None:
    unseen = next(line for line in read_only.output.splitlines() if line.startswith("not seen"))
    assert "API server dry run" in unseen
    assert "docs/rbac/diagnose-probing.yaml" in read_only.output


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_the_fault_is_found_or_unseen(fault: faults.Fault, read_only: Diagnosis) -> None:
    expected = fault.expect["endpoint"]
    found = [finding["code"] for finding in read_only.found(TARGETS["fault", fault.name])]
    acceptable = [[expected.code] if expected.code else []]
    if fault.family in ONLY_THE_API_SERVER_SEES:
        acceptable.append([])
    assert found in acceptable


@pytest.mark.parametrize("fault", [fault for fault in ALL if fault.twin], ids=lambda fault: fault.name)
def test_no_false_alarm(fault: faults.Fault, read_only: Diagnosis) -> None:
    assert [finding["code"] for finding in read_only.found(TARGETS["twin", fault.name])] == []
