# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook gate: it opens for what the API servers really call, waits for what is on its way, and stays shut with the reason for what is broken."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options
from doctorlab.api import wait
from doctorlab.cert_manager import CertManager
from lab_diagnosis import QUIET

TWIN, BROKEN, OPEN = "twin-certificate-expired", "fault-certificate-expired", "twin-certificate-expired-fail-open"


def gate(lab: Lab, user: str = "diagnose-probing", output: int = subprocess.PIPE, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run the playbook with the rights of docs/rbac; `variables` without their prefix."""
    values = {f"webhook_gate_{name}": value for name, value in variables.items()}
    return play(lab, user, values, output)


def play(lab: Lab, user: str, values: dict[str, Any], output: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    command = ["ansible-playbook", "kubeops.webhook_doctor.gate", "-e", json.dumps(values)]
    return lab.run(command, user=user, env=QUIET, stdout=output, stderr=subprocess.STDOUT, timeout=600)


@dataclass(frozen=True)
class UnderWay:
    """A gate in the background, and the file that it writes to."""

    future: Future[subprocess.CompletedProcess[str]]
    file: Path

    def said(self) -> str:
        return one_line(self.file.read_text(encoding="utf-8"))

    def output(self) -> str:
        """What it has said, once it has opened."""
        assert self.future.result().returncode == 0, self.said()
        return self.said()


@contextmanager
def waiting(lab: Lab, file: Path, until: str, **variables: Any) -> Iterator[UnderWay]:
    """The same in the background, where it has said that this is missing."""
    with file.open("wb") as written, ThreadPoolExecutor(1) as pool:
        under_way = UnderWay(pool.submit(gate, lab, output=written.fileno(), **variables), file)
        while until not in under_way.said():
            assert not under_way.future.done(), under_way.said()
            time.sleep(0.2)
        yield under_way


def one_line(text: str) -> str:
    """Whatever the width of the terminal."""
    return " ".join(text.split())


def opened(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-4000:]
    return one_line(done.stdout)


def shut(done: subprocess.CompletedProcess[str]) -> str:
    """The message of the failed task."""
    assert done.returncode == 2, done.stdout[-4000:]
    return next(line for line in done.stdout.splitlines() if line.startswith("[ERROR]"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("gate") / "lab", Options(faults="certificate-expired,certificate-expired-fail-open")) as lab:
        yield lab


def test_it_opens_for_what_works_beside_what_is_broken(lab: Lab) -> None:
    output = opened(gate(lab, select=f"[?object=='{TWIN}']", expect=[f"ValidatingWebhookConfiguration/{TWIN}"], timeout=90))
    assert "2 of 2 call-outs proven" in output
    assert "looking again (1 of 2)" in output


def test_it_stays_shut_for_what_is_broken_and_says_why(lab: Lab) -> None:
    done = gate(lab, select=f"[?object=='{TWIN}' || object=='{BROKEN}']", timeout=12)
    message = shut(done)
    assert "Not proven within" in message and "WD307" in message and BROKEN in message and TWIN not in message
    assert "ERROR  WD307" in done.stdout, "the finding is told as the report tells it"


def test_what_fails_open_is_reachable_at_best(lab: Lab) -> None:
    assert "2 reachable" in opened(gate(lab, select=f"[?object=='{OPEN}']", timeout=90))


def test_what_fails_open_is_refused_at_once_where_a_proof_is_wanted(lab: Lab) -> None:
    began = time.monotonic()
    message = shut(gate(lab, select=f"[?object=='{OPEN}']", fail_open="proven", timeout=300))
    assert "Waiting does not help" in message and "no dry run can prove it" in message
    assert time.monotonic() - began < 100


def test_what_is_expected_and_never_comes(lab: Lab) -> None:
    message = shut(gate(lab, select=f"[?object=='{TWIN}']", expect=["policy"], timeout=10))
    assert "policy: nothing of this name" in message


def test_rights_that_permit_no_dry_run_are_told_at_once(lab: Lab) -> None:
    message = shut(gate(lab, user="diagnose", select=f"[?object=='{TWIN}']", timeout=300))
    assert "Waiting does not help" in message and "docs/rbac/diagnose-probing.yaml" in message


def test_it_opens_when_what_is_missing_has_come(lab: Lab, tmp_path: Path) -> None:
    service = json.loads(lab.kubectl("-n", TWIN, "get", "service", "webhook", "-o", "json"))
    lab.kubectl("-n", TWIN, "delete", "service", "webhook")
    with waiting(lab, tmp_path / "output", "0 of 2 call-outs proven, waiting for 2", select=f"[?object=='{TWIN}']", timeout=120) as under_way:
        service["metadata"] = {"name": "webhook", "namespace": TWIN}
        lab.kubectl("create", "-f", "-", stdin=json.dumps(service))
        output = under_way.output()
    assert output.index(f"Service {TWIN}/webhook does not exist") < output.index("looking again (1 of 2)")


def test_an_api_server_that_does_not_answer_is_waited_for(lab: Lab, tmp_path: Path) -> None:
    kubeconfig = lab.kubeconfig_for("diagnose-probing").read_text(encoding="utf-8").replace(":6443", ":6444")
    (tmp_path / "kubeconfig").write_text(kubeconfig, encoding="utf-8")
    message = shut(play(lab, "diagnose-probing", {"webhook_gate_timeout": 8, "webhook_doctor_kubeconfig": str(tmp_path / "kubeconfig")}))
    assert "Not proven within" in message and ":6444" in message and "refused" in message


def test_it_opens_when_cert_manager_has_been_installed_meanwhile(tmp_path: Path) -> None:
    both = [f"{kind}WebhookConfiguration/cert-manager-webhook" for kind in ("Validating", "Mutating")]
    absent = "MutatingWebhookConfiguration/cert-manager-webhook: nothing of this name"
    with Lab(tmp_path / "lab", Options(faults="none")) as lab, waiting(lab, tmp_path / "output", absent, expect=both, timeout=240) as under_way:
        cert_manager = CertManager(lab)
        cert_manager.install()
        while not under_way.future.done():
            cert_manager.reconcile()
            time.sleep(1)
        output = under_way.output()
    assert "call-outs proven" in output.rpartition("looking again")[2]


def instances_of(lab: Lab) -> list[str]:
    return lab.kubectl("get", "endpointslice", "kubernetes", "-o", "jsonpath={.endpoints[*].addresses[0]}").split()


def test_every_api_server_has_to_call_it(tmp_path: Path) -> None:
    with Lab(tmp_path / "lab", Options(faults="certificate-expired", api_servers=2, broken_instance="packet-filter")) as lab:
        wait("both API servers: registered", lambda: len(instances_of(lab)) == 2, timeout=60)
        instances = instances_of(lab)
        message = shut(gate(lab, select=f"[?object=='{TWIN}']", timeout=30))
    named = [instance for instance in instances if f"at API server {instance}:" in message]
    assert len(named) == 1 and "WD610" in message, message
