# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cert-manager's own controller, Let's Encrypt's Pebble, a proxy and a name server: issuers that fail, each for a reason of its own, and what mends them.

The tests of this file go through one lab one after the other; the commands that mend are those that the findings print.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options, addresses
from doctorlab.acme import PROXY, Outside, cert_manager_outside
from doctorlab.api import wait
from doctorlab.cert_manager import CertManager
from lab_diagnosis import Diagnosis, diagnose

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose as judge

LETS_ENCRYPT = "acme-v02.api.letsencrypt.org"
API = addresses.CONTROL_PLANES[addresses.FIRST]
# Where the API server is for pods; on AKS such variables lead to its public name.
VALUES = {
    "webhook": {"replicaCount": 2},
    "extraEnv": [{"name": "KUBERNETES_SERVICE_HOST", "value": API}, {"name": "KUBERNETES_SERVICE_PORT", "value": str(addresses.API_PORT)}],
}


@dataclass(frozen=True)
class World:
    lab: Lab
    outside: Outside
    cert_manager: CertManager

    def condition(self, issuer: str) -> dict[str, Any]:
        """Its condition Ready, {} while there is none."""
        item = self.cert_manager.pods.get("clusterissuer", issuer)
        return next((one for one in item.get("status", {}).get("conditions", ()) if one["type"] == "Ready"), {})

    def shell(self, command: str) -> None:
        """Run a command of a finding, as a person pastes it, and let kubelets do what follows."""
        done = self.lab.run(["bash", "-c", command], capture_output=True)
        assert done.returncode == 0, done.stderr
        self.cert_manager.reconcile()


def issuer(name: str, server: str, authority: str | None) -> dict[str, Any]:
    bundle = {"caBundle": base64.b64encode(authority.encode()).decode()} if authority else {}
    solvers = [{"http01": {"ingress": {"class": "nginx"}}}]
    acme = {"server": server, "privateKeySecretRef": {"name": f"{name}-key"}, "solvers": solvers, **bundle}
    return {"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer", "metadata": {"name": name}, "spec": {"acme": acme}}


def certificate(name: str, issuer_name: str, domain: str) -> dict[str, Any]:
    spec = {"secretName": name, "dnsNames": [domain], "issuerRef": {"kind": "ClusterIssuer", "name": issuer_name}}
    return {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Lab(tmp_path_factory.mktemp("acme") / "lab", Options(faults="none")) as lab:
        outside = Outside(lab)
        corporate, public = outside.authority("corporate-ca"), outside.authority("public-root")
        near = outside.acme_server("acme.corp.example.net", corporate, blocked=["blocked.example.net"])
        far = outside.acme_server("acme.far.example.net", public, public=True)
        outside.only_through_the_proxy(far)
        # A search domain whose zone answers for every name: here for the one that is asked for.
        outside.record(f"{LETS_ENCRYPT}.wild.example.net", outside.free_address())
        outside.start_proxy()
        cert_manager = cert_manager_outside(lab, outside, VALUES, "wild.example.net")
        cert_manager.install()
        world = World(lab, outside, cert_manager)
        cert_manager.apply(
            [
                issuer("good", near.directory, near.ca),
                issuer("private", near.directory, None),
                issuer("far", far.directory, far.ca),
                issuer("search", f"https://{LETS_ENCRYPT}/directory", None),
            ]
        )
        wait("all issuers have a condition", lambda: all(world.condition(name) for name in ("good", "private", "far", "search")), timeout=90)
        yield world


def told(diagnosis: Diagnosis) -> dict[str, str]:
    """Subject -> code, of what is said about ACME. This cert-manager is an old one, which others have something to say about."""
    return {
        finding["subject"]["name"]: finding["code"] for finding in diagnosis.report["findings"] if finding["code"].startswith(("WD83", "WD84", "WD2", "WD3"))
    }


def finding(diagnosis: Diagnosis, code: str) -> dict[str, Any]:
    (one,) = [finding for finding in diagnosis.report["findings"] if finding["code"] == code]
    return one


def seen_later(diagnosis: Diagnosis, minutes: float) -> list[dict[str, Any]]:
    """What the same observation says if it was made so much later."""
    facts = diagnosis.report["bundle"]["facts"]
    at = datetime.fromisoformat(facts["source"]["observed_at"].replace("Z", "+00:00")) + timedelta(minutes=minutes)
    return judge({**facts, "source": {**facts["source"], "observed_at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}})


def command(one: dict[str, Any], beginning: str) -> str:
    """The command of the remedy that begins like this."""
    return next(step for step in one["remedy"]["manual"] if step.startswith(beginning))


@pytest.mark.covers("acme-register-deadline", "acme-no-route", code="WD830")
@pytest.mark.covers("acme-private-ca", code="WD835")
@pytest.mark.covers("acme-dns-search-domain", code="WD833")
def test_each_issuer_fails_for_a_reason_of_its_own(world: World, tmp_path: Path, row: Callable[[str], None]) -> None:
    assert world.condition("good")["status"] == "True"
    diagnosis = diagnose(world.lab, tmp_path / "report")
    found = told(diagnosis)
    assert found == {"private": "WD835", "far": "WD830", "search": "WD833"}, diagnosis.output
    for name, code in found.items():
        row(f"{'acme ' + name:36} {'issuer':15} found {code}: {world.condition(name)['message'][:120]}")
    assert "its certificate is of a private CA, and the issuer has no caBundle" in " ".join(finding(diagnosis, "WD835")["evidence"])
    assert "no proxy is seen anywhere" in " ".join(finding(diagnosis, "WD830")["evidence"])
    assert f"{LETS_ENCRYPT} has 3 dots" in " ".join(finding(diagnosis, "WD833")["evidence"])


@pytest.mark.covers("acme-host-differs")
def test_the_line_about_the_hosts_is_no_failure(world: World, tmp_path: Path) -> None:
    log = world.cert_manager.pods.log(world.cert_manager.component("controller")[0])
    (line, *dummy) = [line for line in log.splitlines() if "registration host differ" in line]
    values = {"webhook_doctor_error": line, "webhook_doctor_report_dir": str(tmp_path)}
    done = world.lab.run(["ansible-playbook", "kubeops.webhook_doctor.diagnose", "-e", json.dumps(values)], capture_output=True)
    assert done.returncode == 0 and "This line tells of no failure" in " ".join(done.stdout.split()), done.stdout


@pytest.mark.covers("acme-proxy-needed", code="WD831")
def test_others_use_a_proxy_and_the_printed_command_mends_it(world: World, tmp_path: Path) -> None:
    world.shell(f"kubectl -n cert-manager set env deployment/cert-manager-cainjector HTTPS_PROXY={PROXY} NO_PROXY={API},10.96.0.1,.svc")
    world.cert_manager.ready()
    diagnosis = diagnose(world.lab, tmp_path / "report")
    assert told(diagnosis)["far"] == "WD831"
    needed = finding(diagnosis, "WD831")
    assert any(line.startswith("Pod cert-manager/cert-manager-cainjector") and f"HTTPS_PROXY={PROXY}" in line for line in needed["evidence"]), needed

    world.shell(command(needed, "kubectl -n cert-manager set env"))
    world.cert_manager.ready()
    wait("the issuer is ready through the proxy", lambda: world.condition("far").get("status") == "True", timeout=90)
    after = told(diagnose(world.lab, tmp_path / "after"))
    assert "far" not in after and "WD832" not in after.values(), after


@pytest.mark.covers("acme-no-proxy-incomplete", code="WD832")
def test_a_controller_that_loses_the_api_server(world: World, tmp_path: Path) -> None:
    world.shell("kubectl -n cert-manager set env deployment/cert-manager NO_PROXY=.svc,.cluster.local,kubernetes.default.svc")
    world.cert_manager.ready()  # it has no readiness probe
    (controller,) = world.cert_manager.component("controller")
    wait("the proxy refuses its calls", lambda: f"https://{API}" in world.cert_manager.pods.log(controller), timeout=90)
    diagnosis = diagnose(world.lab, tmp_path / "report")
    lost = finding(diagnosis, "WD832")
    assert lost["subject"] == {"kind": "Deployment", "namespace": "cert-manager", "name": "cert-manager", "webhook": None}
    # Whether the proxy reaches the cluster shows in time: the lease that nobody renews.
    (later,) = [one for one in seen_later(diagnosis, minutes=3) if one["code"] == "WD832"]
    assert later["severity"] == "error" and any("no controller works" in line for line in later["evidence"]), later["evidence"]

    world.shell(command(lost, "kubectl -n cert-manager set env"))
    world.cert_manager.ready()
    wait("a controller works again", lambda: "successfully acquired lease" in world.cert_manager.pods.log(world.cert_manager.component("controller")[0]), 150)
    assert "WD832" not in told(diagnose(world.lab, tmp_path / "after")).values()


def test_the_acme_server_refuses_and_a_challenge_waits(world: World, tmp_path: Path) -> None:
    world.cert_manager.apply([certificate("refused", "good", "a.blocked.example.net"), certificate("waits", "good", "nowhere.example.net")])

    def reason(plural: str) -> list[str]:
        return [item["status"].get("reason", "") for item in world.cert_manager.pods.get("-n", "default", plural)["items"] if item.get("status")]

    wait("the order is refused", lambda: any("rejectedIdentifier" in words for words in reason("orders")), timeout=90)
    wait("the challenge waits", lambda: any("propagation" in words for words in reason("challenges")), timeout=90)
    diagnosis = diagnose(world.lab, tmp_path / "report")
    refused = finding(diagnosis, "WD838")
    assert "rejectedIdentifier" in " ".join(refused["evidence"])
    assert "The authority does not issue for this name" in " ".join(refused["remedy"]["manual"])
    # A challenge that is young waits for DNS and routes; the same observation half an hour later is a finding.
    token = world.cert_manager.pods.get("-n", "default", "challenges")["items"][0]["spec"]["token"]
    assert token not in json.dumps(diagnosis.report), "tokens are secrets"
    assert [one["code"] for one in seen_later(diagnosis, minutes=30) if one["subject"]["kind"] == "Challenge"] == ["WD842"]
