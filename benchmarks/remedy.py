# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remediating many webhooks in one run: seconds, and requests to the API server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from doctorlab import Lab, Options
from taking import once

HERE = Path(__file__).resolve().parent
MANY = 50
_COUNTED = re.compile(r"^apiserver_request_total\{(.*)\} (\d+)", re.MULTILINE)


def measure(folder: Path) -> dict[str, Any]:
    """Time-outs of fifty webhook configurations: previewed, changed and proven. Goal: under 15 s for the run that changes them."""
    with Lab(folder / "lab", Options(faults="none")) as lab:
        lab.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [_configuration(number) for number in range(MANY)]}))
        ping = _play(lab, folder, [str(HERE / "ping.yml")])
        preview = _play(lab, folder, ["kubeops.webhook_doctor.remediate", "--check"])
        before = _requests(lab)
        applied = _play(lab, folder, ["kubeops.webhook_doctor.remediate"])
        made = {key: count - before.get(key, 0) for key, count in _requests(lab).items()}
        seconds = [
            entry["timeoutSeconds"]
            for item in json.loads(lab.kubectl("get", "validatingwebhookconfigurations", "-o", "json"))["items"]
            for entry in item["webhooks"]
        ]
    if seconds.count(15) != MANY:
        raise SystemExit(f"remediate-fifty: {seconds.count(15)} of {MANY} time-outs were changed")
    return {
        "goal": "remediate_s < 15",
        "remediate_s": applied,
        "preview_s": preview,
        "ratio_to_ping": applied / ping,
        "requests_per_item": {key: count / MANY for key, count in sorted(made.items()) if count >= MANY},
        "requests_besides": sum(count for count in made.values() if count < MANY),
    }


def _play(lab: Lab, folder: Path, arguments: list[str]) -> float:
    options = ["-e", f"webhook_doctor_remedies=webhook_timeouts webhook_doctor_journal_dir={folder / 'journal'}"]
    return float(once(lab.run, folder / "output", ["ansible-playbook", *arguments, *options])["seconds"])


def _requests(lab: Lab) -> dict[str, int]:
    """What the API server has counted about webhook configurations, by verb and whether it was a dry run."""
    found: dict[str, int] = {}
    for labels, count in _COUNTED.findall(lab.kubectl("get", "--raw", "/metrics")):
        said = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if said.get("resource") == "validatingwebhookconfigurations" and said["verb"] != "WATCH":
            key = f"{said['verb']}{' (dry run)' if said.get('dry_run') else ''}"
            found[key] = found.get(key, 0) + int(count)
    return found


def _configuration(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": f"long-{number}"},
        "webhooks": [
            {
                "name": f"policy-{number}.example.com",
                "clientConfig": {"url": f"https://127.0.0.1:9/{number}"},
                "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
                "failurePolicy": "Ignore",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 30,
            }
        ],
    }
