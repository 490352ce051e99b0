# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the real call of every target and prints the API server's own words: the lab's self-check, and the source of texts for other tests."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import faults, inside, objects, paths, targets
from .api import MERGE_PATCH, Client, each, path_of
from .objects import Object
from .targets import Target

if TYPE_CHECKING:
    from .lifecycle import Lab


def ask(lab: Lab) -> int:
    """Ask inside the lab's network; JSON lines go to standard output. Returns the exit status."""
    return _asking(lab).returncode


def answers(lab: Lab) -> list[dict[str, Any]]:
    """The same for tests: {fault, role, status, text, ...} of every target; text is null where the call went well."""
    done = _asking(lab, check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _asking(lab: Lab, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "doctorlab.texts"]
    given = json.dumps({"state": str(lab.state), "faults": lab.options.faults, "routing": lab.options.routing, "front": lab.options.front})
    return lab.run(command, input=given, env={"PYTHONPATH": str(paths.LAB), "PYTHONDONTWRITEBYTECODE": "1"}, **options)


def request_for(target: Target) -> tuple[str, str, Object | None]:
    """(method, path, body) of the call that makes the API server call the target. Nothing is changed by it."""
    kind = target.make.call_out.kind
    if kind == "conversion":
        return "GET", objects.custom_resource_path(target), None
    if kind == "apiservice":
        return "GET", f"/apis/{target.domain}/{targets.AGGREGATED_VERSION}/namespaces/{target.namespace}/{targets.GAUGES}", None
    path = {
        "configmaps": path_of(objects.config_map(target.namespace)),
        "pods": f"/api/v1/namespaces/{target.namespace}/pods/webhook-0",
        "nodes": "/api/v1/nodes/lab-worker",
    }
    resource = target.make.call_out.rules[0].resources[0]
    if resource not in path or target.make.call_out.namespaces:
        return "GET", "/readyz", None  # intercepted elsewhere; nothing to ask in this namespace
    return "PATCH", f"{path[resource]}?dryRun=All", {"metadata": {"annotations": {"lab.example.com/asked": "yes"}}}


def _answer(client: Client, routing: str, target: Target) -> dict[str, Any]:
    method, path, body = request_for(target)
    started = time.monotonic()
    status, answer = client.request(method, path, body, MERGE_PATCH)
    line = {"fault": target.fault, "role": target.role, "routing": routing, "status": status, "seconds": round(time.monotonic() - started, 2)}
    message = answer.get("message") if isinstance(answer, dict) else str(answer).strip()
    line["text"] = message if status >= 400 else None
    if target.make.call_out.kind == "conversion":
        dummy, listed = client.request("GET", f"/apis/{target.domain}/{targets.ASKED_VERSION}/{targets.GAUGES}")
        line["list_text"] = listed.get("message")
        conditions = client.get(path_of(objects.call_out(target, "")))["status"]["conditions"]
        line["condition"] = next({key: each[key] for key in ("status", "reason", "message")} for each in conditions if each["type"] == "Established")
    if target.make.call_out.kind == "apiservice":
        name = f"{targets.AGGREGATED_VERSION}.{target.domain}"
        dummy, found = client.request("GET", f"/apis/apiregistration.k8s.io/v1/apiservices/{name}")
        conditions = (found.get("status") or {}).get("conditions", []) if isinstance(found.get("status"), dict) else []
        line["condition"] = next(({key: each[key] for key in ("status", "reason", "message")} for each in conditions), None)
    if target.make.events:
        events = client.get(f"/api/v1/namespaces/{target.apps_namespace}/events")["items"]
        line["events"] = sorted({event["message"] for event in events if event["reason"] == "FailedCreate"})
    return line


def main() -> int:
    given = json.load(sys.stdin)
    client = inside.connect(Path(given["state"]), given["front"])
    chosen = targets.allot(faults.select(faults.load(paths.FAULTS), given["faults"]))
    for line in each(lambda target: _answer(client, given["routing"], target), chosen, threads=24):
        print(json.dumps(line, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
