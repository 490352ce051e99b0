# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event-Driven Ansible: the real ansible-rulebook with the rulebook that is shipped, and alerts as Alertmanager posts them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dateutil.rrule import rrulestr
from lab_diagnosis import QUIET
from schedulers import FOLDER, program

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "secret"


class Rulebook:
    """A running ansible-rulebook; its inventory has the cluster blue, which is a saved observation."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        blue = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "webhook_doctor_source": str(ROOT / "examples" / "broken-cluster" / "bundle.json"),
            "webhook_doctor_report_dir": str(folder / "report"),
        }
        (folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": {"blue": blue}}}), encoding="utf-8")
        variables = {"webhook_doctor_eda_token": TOKEN, "webhook_doctor_eda_port": self.port}
        (folder / "variables.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
        command = [program("ansible-rulebook"), "--rulebook", "kubeops.webhook_doctor.alerts", "--inventory", "inventory.yml", "--vars", "variables.yml"]
        # ansible-playbook and ansible-galaxy are those of the tests, ansible-runner is beside ansible-rulebook.
        environment = {**os.environ, **QUIET, "PATH": f"{os.environ['PATH']}:{FOLDER}", "KUBECONFIG": "/nonexistent"}
        with self.log.open("w") as output:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)

    def end(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def post(self, *alerts: dict[str, Any], token: str = TOKEN) -> int:
        """Alertmanager's webhook, version 4. The status of the answer; waits until somebody listens."""
        times = {"startsAt": "2026-11-26T12:00:00Z", "endsAt": "0001-01-01T00:00:00Z"}
        payload = {
            "version": "4",
            "status": "firing",
            "receiver": "webhook-doctor",
            "alerts": [{"status": "firing", "annotations": {}, **times, **one} for one in alerts],
        }
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/alerts", json.dumps(payload).encode(), headers)
        for _attempt in range(300):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                return error.code
            except OSError:
                assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
                time.sleep(0.2)
        raise AssertionError(self.log.read_text(encoding="utf-8"))

    def recaps(self, wanted: int) -> str:
        """Everything that was printed, once so many playbooks have ended."""
        for _attempt in range(600):
            text = self.log.read_text(encoding="utf-8")
            if text.count("PLAY RECAP") >= wanted:
                return text
            time.sleep(0.2)
        raise AssertionError(text)


@pytest.fixture
def rulebook(tmp_path: Path) -> Iterator[Rulebook]:
    started = Rulebook(tmp_path)
    try:
        yield started
    finally:
        started.end()


def alert(name: str, action: str, **labels: str) -> dict[str, Any]:
    return {"labels": {"alertname": name, "webhook_doctor": action, **labels}}


def test_alerts_start_playbooks(rulebook: Rulebook) -> None:
    assert rulebook.post(alert("A", "diagnose", cluster="blue"), token="wrong") == 401
    # Others, and what is over, start nothing; what is repeated starts it once.
    ended = {**alert("B", "diagnose", cluster="blue"), "status": "resolved"}
    assert rulebook.post({"labels": {"alertname": "Watchdog"}}, ended, alert("A", "diagnose", cluster="blue"), alert("A", "diagnose", cluster="blue")) == 200
    first = rulebook.recaps(1)
    assert "8 errors, 3 warnings" in first
    assert json.loads((rulebook.folder / "report" / "report.json").read_text(encoding="utf-8"))["findings"]

    # Without the label `cluster` it is localhost, whose kubeconfig leads nowhere here: the playbook was started, and says so.
    assert rulebook.post(alert("KubeAPIServerLoopbackCertificateExpired", "rotate")) == 200
    second = rulebook.recaps(2)
    assert second.count("PLAY [Renew the loopback certificates of a control plane]") == 1
    assert "/nonexistent" in second
    assert second.count("PLAY RECAP") == 2


def test_the_schedule_of_awx_is_a_rule_that_awx_takes() -> None:
    play = yaml.safe_load((ROOT / "examples" / "scheduling" / "awx" / "schedule.yml").read_text(encoding="utf-8"))[0]
    rule = play["vars"]["schedule_rule"]
    assert "INTERVAL=" in rule and rule.startswith("DTSTART;TZID=")
    first, second = rrulestr(rule.replace(" RRULE:", "\nRRULE:"))[:2]
    assert (second - first).days == 1 and first.hour == 3
