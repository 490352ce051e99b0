# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""examples/collect.sh against a real cluster: what it writes is judged like the cluster itself, as far as files reach, and holds no Secret."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from doctorlab import Lab, Options, paths
from lab_diagnosis import Diagnosis, diagnose, judge_again

SCRIPT = paths.CHECKOUT / "examples" / "collect.sh"
PLANTED = "planted-77aa"
OBJECTS = [
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted", "namespace": "fault-healthy"}, "stringData": {"password": f"{PLANTED}-secret"}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "planted", "namespace": "fault-healthy"}, "data": {"password": f"{PLANTED}-config"}},
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "planned", "namespace": "fault-healthy"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]},
    },
]


def told(diagnosis: Diagnosis) -> set[tuple[str, str]]:
    return {(finding["code"], finding["subject"]["name"]) for finding in diagnosis.report["findings"] if finding["severity"] == "error"}


def test_a_dump_says_what_the_configuration_says(tmp_path: Path) -> None:
    with Lab(tmp_path / "lab", Options(faults="healthy,configuration")) as lab:
        lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(OBJECTS))
        done = lab.run(["sh", str(SCRIPT), str(tmp_path / "dump")], user="diagnose", capture_output=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        live = diagnose(lab, tmp_path / "live", user="diagnose")
    files = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "dump").iterdir()}
    assert PLANTED not in "".join(files.values())
    assert files["errors.txt"] == "", "the rights of docs/rbac/diagnose.yaml are enough for all that it asks"
    assert "validatingwebhookconfigurations.admissionregistration.k8s.io.yaml" in files and "version.yaml" in files
    assert not [name for name in files if name.endswith((".part", ".err"))]
    dumped = judge_again(tmp_path / "dump", tmp_path / "judged")
    assert dumped.returncode == 0, dumped.output[-3000:]
    assert told(dumped) == told(live)
    assert len(told(dumped)) >= 5
    facts = json.loads((tmp_path / "judged" / "bundle.json").read_text(encoding="utf-8"))["facts"]
    assert facts["version"]["git_version"] == "v1.36.3" and facts["version"]["go_version"]
    assert facts["platform"]["nodes"] and [policy["name"] for policy in facts["network"]["policies"]] == ["planned"]
    missing = {entry["what"] for entry in facts["coverage"] if entry["reason"] == "not_in_dump"}
    assert "pods" not in missing and "events" not in missing
