# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A saved observation, judged again where no cluster is, gives the same findings; a dump of kubectl gives what can be told without probing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from doctorlab import Lab, faults, paths, targets
from lab_diagnosis import Diagnosis, judge_again

TARGETS = {(target.role, target.fault): target for target in targets.allot(faults.load(paths.FAULTS))}
DUMPED = (
    "validatingwebhookconfigurations,mutatingwebhookconfigurations,customresourcedefinitions,apiservices,"
    "services,endpointslices,pods,namespaces,events,replicasets"
)


def test_a_bundle_gives_the_same_findings(endpoint_diagnosis: Diagnosis, tmp_path: Path) -> None:
    again = judge_again(endpoint_diagnosis.folder / "bundle.json", tmp_path / "report")
    assert again.returncode == 0, again.output[-2000:]
    assert again.report["findings"] == endpoint_diagnosis.report["findings"]


@pytest.fixture(scope="module", params=["yaml", "json"])
def dump(request: pytest.FixtureRequest, endpoint_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    folder = tmp_path_factory.mktemp("dump")
    written = folder / f"cluster.{request.param}"
    with open(written, "w", encoding="utf-8") as handle:
        command = ["kubectl", "get", DUMPED, "--all-namespaces", "-o", request.param]
        assert endpoint_lab.run(command, stdout=handle, stderr=subprocess.PIPE).returncode == 0
    return judge_again(written, folder / "report")


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("service-missing", ["WD101"]),
        ("service-port-missing", ["WD102"]),
        ("no-endpoints", ["WD103"]),
        ("endpoints-not-ready", ["WD104"]),
        ("target-port-unknown", ["WD105"]),
        ("ca-expired", ["WD313"]),
        ("ca-expires-soon", ["WD306"]),
        ("own-namespace", ["WD520"]),
        ("apiservice-service-missing", ["WD101"]),
        ("healthy", []),
    ],
)
def test_a_dump_tells_what_needs_no_probe(dump: Diagnosis, fault: str, codes: list[str]) -> None:
    assert dump.returncode == 0, dump.output[-2000:]
    assert [finding["code"] for finding in dump.found(TARGETS["fault", fault])] == codes


def test_a_dump_says_that_nothing_was_probed(dump: Diagnosis) -> None:
    assert "seen through: nothing; this judges only what is configured" in dump.output
    assert dump.report["summary"]["seen_through"] == []
