# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the diagnose playbook inside a lab, and ask its report about the lab's targets."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doctorlab import Lab
from doctorlab.targets import Target

# What a person at a terminal would not see either.
QUIET = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_NOCOLOR": "1"}
FINISHED = 0, 2  # ansible-playbook: all well; a task failed


@dataclass(frozen=True)
class Diagnosis:
    """What a run of the playbook printed and wrote."""

    output: str
    returncode: int
    folder: Path

    @property
    def report(self) -> dict[str, Any]:
        return json.loads((self.folder / "report.json").read_text(encoding="utf-8"))

    def found(self, target: Target) -> list[dict[str, Any]]:
        """The errors and warnings that concern a target."""
        mine = set(self.callouts(target))
        assert mine, f"the facts have no call-out of {target.namespace}"
        return [finding for finding in self.report["findings"] if finding["severity"] != "info" and mine & set(finding["affects"])]

    def callouts(self, target: Target) -> Iterator[str]:
        """The ids of a target's call-outs."""
        for callout in self.report["bundle"]["facts"]["callouts"]:
            service = callout["client"]["service"]
            if callout["object"]["name"] in (target.namespace, f"gauges.{target.domain}") or (service and service["namespace"] == target.namespace):
                yield callout["id"]


def diagnose(lab: Lab, folder: Path, *, user: str = "diagnose-probing", variables: dict[str, Any] | None = None, verbose: bool = False) -> Diagnosis:
    """Run `ansible-playbook kubeops.webhook_doctor.diagnose` inside the lab's network, as a user with the rights of docs/rbac."""
    values = {"webhook_doctor_report_dir": str(folder), **(variables or {})}
    command = ["ansible-playbook", "kubeops.webhook_doctor.diagnose", "-e", json.dumps(values), *(["-vvv"] if verbose else [])]
    done = lab.run(command, user=user, env=QUIET, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, cwd=folder.parent)
    assert done.returncode in FINISHED and (folder / "report.json").exists(), done.stdout[-4000:]
    return Diagnosis(done.stdout, done.returncode, folder)


def summary_rows(output: str) -> list[tuple[str, str]]:
    """Of the summary that ends a run over many clusters: how each is, in its order."""
    return re.findall(r"^(FAILED|ERROR|WARN|OK) +(\w+)", output.split("TASK [Sum up]")[1].split("PLAY RECAP")[0], re.MULTILINE)


def judge_again(bundle: Path, folder: Path) -> Diagnosis:
    """Judge a bundle, where no cluster is."""
    values = {"webhook_doctor_source": str(bundle), "webhook_doctor_report_dir": str(folder)}
    command = ["ansible-playbook", "kubeops.webhook_doctor.diagnose", "-e", json.dumps(values)]
    done = subprocess.run(command, env={**os.environ, **QUIET, "KUBECONFIG": "/nonexistent"}, capture_output=True, text=True, timeout=120, check=False)
    return Diagnosis(done.stdout + done.stderr, done.returncode, folder)
