# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real cert-manager: healthy it yields nothing; broken in many ways, each is named.

The tests share one installation and run in the order of this file. Each takes away what it did; the first ones need it young, the others grown up.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options, pki
from doctorlab import network as lab_network
from doctorlab.cert_manager import CertManager
from lab_diagnosis import Diagnosis, diagnose, judge_again

NAMESPACE = "cert-manager"
SETTLED = 125.0  # seconds after which nobody says any more that it was just installed
CAINJECTOR, WEBHOOK, CONTROLLER = "deployment/cert-manager-cainjector", "deployment/cert-manager-webhook", "deployment/cert-manager"
LEASE = "cert-manager-cainjector-leader-election"
WEBHOOKS = 2
COUNTED = "WD621"  # what the API server has counted since its start: the faults of the tests before
CONFIGURATIONS = ("validatingwebhookconfiguration", "mutatingwebhookconfiguration")


def another_ca() -> str:
    """A CA that signed nothing here, base64 of PEM."""
    authorities = pki.make_authorities(datetime.now(timezone.utc))
    return base64.b64encode(authorities["ca"].certificate_pem.encode()).decode()


class World:
    """The lab, the installation, and when it was made."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.it = CertManager(lab, values={"webhook": {"replicaCount": WEBHOOKS}})  # a single one is worth a warning
        self.it.pods.held = {"cert-manager-cainjector"}
        self.it.create()
        self.made = time.monotonic()
        self.wait("the webhook has its certificate", lambda: self.it.component("webhook") and self.it.ca())

    def wait(self, what: str, so: Any, timeout: float = 90) -> None:
        self.it.pods.wait(NAMESPACE, what, so, timeout)

    def settle(self) -> None:
        self.it.pods.held.clear()
        while time.monotonic() - self.made < SETTLED:
            time.sleep(1)
        self.it.ready()
        self.it.wait_injected()

    def own(self, *arguments: str, stdin: str | None = None) -> str:
        """kubectl in cert-manager's namespace."""
        return self.it.kubectl("-n", NAMESPACE, *arguments, stdin=stdin)

    def scale(self, deployment: str, replicas: int) -> None:
        self.own("scale", deployment, f"--replicas={replicas}")
        self.wait(f"{deployment} is scaled", lambda: len(self._pods(deployment)) == replicas)

    def _pods(self, deployment: str) -> list[str]:
        return self.it.component({CAINJECTOR: "cainjector", WEBHOOK: "webhook", CONTROLLER: "controller"}[deployment])

    def wipe(self) -> None:
        """Empty the caBundles; cainjector is expected not to fill them again."""
        for kind in CONFIGURATIONS:
            self.it.kubectl("patch", kind, "cert-manager-webhook", "--type=json", "-p", '[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]')

    def patch(self, deployment: str, operations: list[dict[str, Any]], replicas: int = WEBHOOKS) -> None:
        """Change a Deployment while it has no pods, as if it had been installed so."""
        self.scale(deployment, 0)
        self.own("patch", deployment, "--type=json", "-p", json.dumps(operations))
        self.scale(deployment, replicas)

    def arguments(self, deployment: str) -> list[str]:
        return list(json.loads(self.own("get", deployment, "-o", "json"))["spec"]["template"]["spec"]["containers"][0]["args"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Lab(tmp_path_factory.mktemp("cert-manager") / "lab", Options(faults="none")) as lab:
        yield World(lab)


@pytest.fixture(scope="module")
def settled(world: World) -> World:
    world.settle()
    return world


@contextmanager
def mended(world: World) -> Iterator[None]:
    """Put the chart's objects back afterwards, whatever was done to them."""
    try:
        yield
    finally:
        world.it.apply([item for item in world.it.rendered() if item["kind"] != "CustomResourceDefinition"])
        for deployment, replicas in ((CAINJECTOR, 1), (WEBHOOK, WEBHOOKS), (CONTROLLER, 1)):
            world.own("scale", deployment, f"--replicas={replicas}")
        world.it.ready()
        world.it.wait_injected()


def found(diagnosis: Diagnosis) -> dict[str, str]:
    """code -> severity of what is no mere information; each code once."""
    shown = [finding for finding in diagnosis.report["findings"] if finding["severity"] != "info" and finding["code"] != COUNTED]
    assert len({finding["code"] for finding in shown}) == len(shown), shown
    return {finding["code"]: finding["severity"] for finding in shown}


def evidence(diagnosis: Diagnosis, code: str) -> str:
    return "\n".join(line for finding in diagnosis.report["findings"] if finding["code"] == code for line in finding["evidence"])


def dump(world: World, folder: Path) -> Path:
    """What a user without rights to run the diagnosis is asked for."""
    folder.mkdir()
    kinds = (
        "validatingwebhookconfigurations,mutatingwebhookconfigurations,apiservices,services,endpointslices,pods,namespaces,events,deployments,leases,jobs,crd"
    )
    (folder / "all.yaml").write_text(world.it.kubectl("get", kinds, "-A", "-o", "yaml"), encoding="utf-8")
    return folder


def affected(diagnosis: Diagnosis, code: str) -> list[str]:
    return sorted({callout.partition("/")[0] for finding in diagnosis.report["findings"] if finding["code"] == code for callout in finding["affects"]})


def checks(diagnosis: Diagnosis) -> list[Any]:
    return [probe["check"]["done"] for probe in diagnosis.report["bundle"]["probes"] if probe.get("check")]


# ---- young


@pytest.mark.covers("cm-concept-just-installed", code="WD815")
def test_just_installed(world: World, tmp_path: Path) -> None:
    """cainjector's image is still being pulled, so the caBundles are empty."""
    diagnosis = diagnose(world.lab, tmp_path / "report")
    assert found(diagnosis) == {"WD815": "error"}
    world.it.pods.held.clear()
    world.it.ready()
    world.it.wait_injected()


@pytest.mark.covers("cm-concept-end-to-end", code=None)
def test_healthy(world: World, tmp_path: Path) -> None:
    world.it.ready()
    diagnosis = diagnose(world.lab, tmp_path / "report")
    assert found(diagnosis) == {}
    assert checks(diagnosis) == [True, True]
    seen = diagnosis.report["bundle"]["facts"]["apps"]["cert_manager"]
    assert [(one["component"], one["ready"], one["version"]) for one in seen["deployments"]] == [
        ("controller", 1, "1.11.5"),
        ("cainjector", 1, "1.11.5"),
        ("webhook", WEBHOOKS, "1.11.5"),
    ]
    assert all(lease["found"] and lease["holder"] for lease in seen["leases"])
    requests = world.it.kubectl("get", "certificaterequests", "-A", "-o", "name")
    assert requests == "", "a dry run was stored"


# ---- grown up


def test_healthy_when_grown_up(settled: World, tmp_path: Path) -> None:
    diagnosis = diagnose(settled.lab, tmp_path / "report")
    assert found(diagnosis) == {}
    assert "WD813" in [finding["code"] for finding in diagnosis.report["findings"]]


def test_with_reading_rights_alone(settled: World, tmp_path: Path) -> None:
    assert found(diagnose(settled.lab, tmp_path / "report", user="diagnose")) == {}


@pytest.mark.covers("cm-cainjector-not-running", code="WD801")
def test_cainjector_scaled_away(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        settled.scale(CAINJECTOR, 0)
        healthy_still = diagnose(settled.lab, tmp_path / "still")
        assert found(healthy_still) == {"WD801": "warning"}
        settled.wipe()
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD801": "error"}
        assert affected(diagnosis, "WD801") == ["mutating", "validating"]
        assert "0 of 0 replicas ready" in evidence(diagnosis, "WD801")
        dumped = judge_again(dump(settled, tmp_path / "dump"), tmp_path / "from-dump")
        assert found(dumped) == {"WD801": "error"}


@pytest.mark.covers("cm-unknown-authority", code="WD801")
@pytest.mark.covers("cm-bundle-differs-from-secret", code="WD801")
def test_a_new_ca_while_cainjector_is_down(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        settled.scale(CAINJECTOR, 0)
        old = settled.it.ca()
        settled.own("delete", "secret", "cert-manager-webhook-ca")
        settled.wait("the webhook has made a new CA", lambda: settled.it.ca() not in ("", old))
        for pod in settled.it.component("webhook"):  # as long as it keeps its connections, the API server sees no new certificate
            settled.it.pods.restart(pod)
        settled.it.ready()
        diagnosis = diagnose(settled.lab, tmp_path / "report", user="admin", variables={"webhook_doctor_read_ca_secrets": True})
        assert found(diagnosis) == {"WD801": "error"}
        said = evidence(diagnosis, "WD801")
        assert "x509: certificate signed by unknown authority" in said
        assert "the same chain verifies with the CA of Secret cert-manager/cert-manager-webhook-ca" in said


@pytest.mark.covers("cm-autopilot-leases", code="WD803")
def test_cainjector_may_not_make_its_lease(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        settled.scale(CAINJECTOR, 0)
        settled.it.kubectl("-n", "kube-system", "delete", "rolebinding", "cert-manager-cainjector:leaderelection")
        settled.it.kubectl("-n", "kube-system", "delete", "lease", LEASE)
        settled.wipe()
        settled.scale(CAINJECTOR, 1)
        (pod,) = settled.it.component("cainjector")
        settled.wait("it is refused", lambda: "cannot" in settled.it.pods.log(pod))
        assert 'cannot create resource "leases"' in settled.it.pods.log(pod) or 'cannot get resource "leases"' in settled.it.pods.log(pod)
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD803": "error"}
        assert f"Lease kube-system/{LEASE}" in evidence(diagnosis, "WD803")


@pytest.mark.covers("cm-cainjector-not-elected", code="WD802")
def test_somebody_else_is_elected(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        settled.scale(CAINJECTOR, 0)
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
        held = {"spec": {"holderIdentity": "cert-manager-cainjector-of-before_1c9e", "renewTime": now, "acquireTime": now, "leaseDurationSeconds": 60}}
        settled.it.kubectl("-n", "kube-system", "patch", "lease", LEASE, "--type=merge", "-p", json.dumps(held))
        settled.wipe()
        settled.scale(CAINJECTOR, 1)
        settled.it.ready()
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD802": "error"}
        assert "held by cert-manager-cainjector-of-before_1c9e, which is none of its pods" in evidence(diagnosis, "WD802")
        settled.it.kubectl("-n", "kube-system", "delete", "lease", LEASE)


def test_the_annotation_is_gone(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        for kind in CONFIGURATIONS:
            settled.it.kubectl("annotate", kind, "cert-manager-webhook", "cert-manager.io/inject-ca-from-secret-")
        settled.wipe()
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD804": "error"}
        assert affected(diagnosis, "WD804") == ["mutating", "validating"]


@pytest.mark.covers("cm-cainjector-secret-missing", code="WD804")
@pytest.mark.covers("cm-check-api-not-injected", code="WD804")
def test_the_annotation_names_another_namespace(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        for kind in CONFIGURATIONS:
            wrong = "cert-manager.io/inject-ca-from-secret=elsewhere/cert-manager-webhook-ca"
            settled.it.kubectl("annotate", "--overwrite", kind, "cert-manager-webhook", wrong)
        settled.wipe()
        (pod,) = settled.it.component("cainjector")
        settled.wait("cainjector says so", lambda: "unable to fetch associated secret" in settled.it.pods.log(pod))
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD804": "error"}
        assert "elsewhere/cert-manager-webhook-ca" in evidence(diagnosis, "WD804")


@contextmanager
def converting(world: World, path: str, ca: str, source: str) -> Iterator[None]:
    """The CRD of issuers as it was up to cert-manager 1.6: a second version, converted by the webhook, and an object that is there."""
    crd = json.loads(world.it.kubectl("get", "crd", "issuers.cert-manager.io", "-o", "json"))
    older = {**crd["spec"]["versions"][0], "name": "v1alpha2", "storage": False}
    service = {"namespace": NAMESPACE, "name": "cert-manager-webhook", "path": path}
    conversion = {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"service": service, "caBundle": ca}}}
    issuer = {"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "metadata": {"name": "old"}, "spec": {"selfSigned": {}}}
    world.own("apply", "-f", "-", stdin=json.dumps(issuer))

    def change(annotations: dict[str, str] | None, spec: dict[str, Any]) -> None:
        patch = json.dumps({"metadata": {"annotations": annotations}, "spec": spec})
        world.it.kubectl("patch", "crd", "issuers.cert-manager.io", "--type=merge", "--patch-file=/dev/stdin", stdin=patch)
        time.sleep(2)

    try:
        change({"cert-manager.io/inject-ca-from-secret": source}, {"versions": [*crd["spec"]["versions"], older], "conversion": conversion})
        yield
    finally:
        change(None, {"versions": crd["spec"]["versions"], "conversion": {"strategy": "None", "webhook": None}})
        world.own("delete", "issuer", "old")


@pytest.mark.covers("cm-conversion-namespace", code="WD804")
def test_a_crd_whose_annotation_names_another_namespace(settled: World, tmp_path: Path) -> None:
    """As the charts up to 0.14 left it: conversion by the webhook, its CA from a namespace that was written into the file."""
    with converting(settled, "/convert", another_ca(), "elsewhere/cert-manager-webhook-ca"):
        diagnosis = diagnose(settled.lab, tmp_path / "report", user="admin")
        assert found(diagnosis) == {"WD804": "error"}
        assert affected(diagnosis, "WD804") == ["conversion"]
        assert "conversion webhook for cert-manager.io" in evidence(diagnosis, "WD804")


def test_a_crd_that_is_not_converted_any_more(settled: World, tmp_path: Path) -> None:
    """404 is real; that the webhook is of a version without /convert, only its image's tag says."""
    with mended(settled), converting(settled, "/convert-of-before", settled.it.ca(), f"{NAMESPACE}/cert-manager-webhook-ca"):
        newer = "quay.io/jetstack/cert-manager-webhook:v1.21.1"
        settled.patch(WEBHOOK, [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": newer}])
        settled.it.ready()
        diagnosis = diagnose(settled.lab, tmp_path / "report", user="admin")
        assert found(diagnosis) == {"WD809": "error"}
        assert "the server could not find the requested resource" in evidence(diagnosis, "WD809")


def test_cainjector_looks_elsewhere(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        settled.patch(CAINJECTOR, [{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--namespace=kube-system"}], 1)
        settled.it.ready()
        settled.wipe()
        time.sleep(5)
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD820": "error"}
        assert "--namespace=kube-system" in evidence(diagnosis, "WD820")


def test_the_webhook_is_scaled_away(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        settled.scale(WEBHOOK, 0)
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD817": "error"}
        assert "no endpoints available for service" in evidence(diagnosis, "WD817")


def test_the_webhook_has_ended(settled: World, tmp_path: Path) -> None:
    """The kubelet has not noticed yet: the pod is in the EndpointSlice, and nothing listens. That is no matter of cert-manager's."""
    pods = settled.it.component("webhook")
    for pod in pods:
        settled.it.pods.stop(pod)
    try:
        assert found(diagnose(settled.lab, tmp_path / "report")) == {"WD201": "error"}
    finally:
        for pod in pods:
            settled.it.pods.restart(pod)
        settled.it.ready()


@pytest.mark.covers("cm-probe-port-mismatch", code="WD807")
@pytest.mark.covers("cm-refused-helm", code="WD807")
def test_the_probe_asks_another_port(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        settled.patch(WEBHOOK, [{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--healthz-port=6081"}])
        settled.wait("the kubelet has asked", lambda: "connection refused" in settled.own("get", "events", "-o", "json"))
        for pod in settled.it.component("webhook"):
            address = settled.it.pods.address(pod)
            settled.wait("it answers on the other port", lambda address=address: settled.it.pods.probe(f"http://{address}:6081/healthz")[0] == 200)
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD807": "error"}
        assert "asks port 6080; its arguments have --healthz-port=6081" in evidence(diagnosis, "WD807")
        assert "connect: connection refused" in evidence(diagnosis, "WD807")


@pytest.mark.covers("cm-probe-500", code="WD808")
def test_the_probe_answers_500(settled: World, tmp_path: Path) -> None:
    """The webhook may not read its Secret any more."""
    with mended(settled):
        settled.scale(WEBHOOK, 0)
        settled.own("delete", "rolebinding", "cert-manager-webhook:dynamic-serving")
        settled.own("delete", "secret", "cert-manager-webhook-ca")
        settled.own("scale", WEBHOOK, f"--replicas={WEBHOOKS}")
        settled.wait("the kubelet has asked", lambda: "statuscode: 500" in settled.own("get", "events", "-o", "json"))
        diagnosis = diagnose(settled.lab, tmp_path / "report", user="admin", variables={"webhook_doctor_read_ca_secrets": True})
        assert found(diagnosis) == {"WD808": "error"}
        assert "HTTP probe failed with statuscode: 500" in evidence(diagnosis, "WD808")
        assert "not found" in evidence(diagnosis, "WD808")


def test_packets_are_dropped(settled: World, tmp_path: Path) -> None:
    """A firewall or network policy is no matter of cert-manager's: it must not be called one."""
    addresses = [settled.it.pods.address(pod) for pod in settled.it.component("webhook")]
    lab_network.filter_packets(settled.lab.running.namespace, [(address, "drop") for address in addresses])
    try:
        assert found(diagnose(settled.lab, tmp_path / "report")) == {"WD210": "error"}
    finally:
        settled.lab.running.namespace.check(["iptables", "-F", "OUTPUT"])


def test_the_certificate_is_for_other_names(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        names = [f"--dynamic-serving-dns-names={name}" for name in ("webhook", "webhook.elsewhere", "webhook.elsewhere.svc")]
        kept = [argument for argument in settled.arguments(WEBHOOK) if not argument.startswith("--dynamic-serving-dns-names=")]
        settled.patch(WEBHOOK, [{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": [*kept, *names]}])
        settled.it.ready()
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD818": "error"}
        assert "not cert-manager-webhook.cert-manager.svc" in evidence(diagnosis, "WD818")


@pytest.mark.covers("cm-service-not-found", code="WD819")
def test_the_service_has_another_name(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        wrong = [{"op": "replace", "path": "/webhooks/0/clientConfig/service/name", "value": "cert-managercert-manager-webhook"}]
        for kind in CONFIGURATIONS:
            settled.it.kubectl("patch", kind, "cert-manager-webhook", "--type=json", "-p", json.dumps(wrong))
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD819": "error"}
        assert 'service "cert-managercert-manager-webhook" not found' in evidence(diagnosis, "WD819")


@pytest.mark.covers("cm-concept-end-to-end", code="WD814")
def test_it_answers_but_does_not_do_its_work(settled: World, tmp_path: Path) -> None:
    """The mutating configuration calls the path that validates: it answers well, nobody is written into the request, and so every request is denied."""
    with mended(settled):
        wrong = [{"op": "replace", "path": "/webhooks/0/clientConfig/service/path", "value": "/validate"}]
        settled.it.kubectl("patch", "mutatingwebhookconfiguration", "cert-manager-webhook", "--type=json", "-p", json.dumps(wrong))
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD814": "error"}
        assert affected(diagnosis, "WD814") == ["mutating"]
        assert sorted(checks(diagnosis)) == [False, True]
        assert "username identity must be that of the requester" in evidence(diagnosis, "WD814")


def test_a_configuration_was_deleted(settled: World, tmp_path: Path) -> None:
    with mended(settled):
        settled.it.kubectl("delete", "validatingwebhookconfiguration", "cert-manager-webhook")
        assert found(diagnose(settled.lab, tmp_path / "report")) == {"WD821": "warning"}


def test_two_installations(settled: World, tmp_path: Path) -> None:
    second = CertManager(settled.lab, namespace="second", release="cert-manager-two", values={"webhook": {"replicaCount": WEBHOOKS}}, first_address=100)
    try:
        second.create()
        second.ready()
        diagnosis = diagnose(settled.lab, tmp_path / "report")
        assert "WD811" in found(diagnosis)
        assert "cert-manager/cert-manager" in evidence(diagnosis, "WD811") and "second/cert-manager-two" in evidence(diagnosis, "WD811")
    finally:
        for kind in CONFIGURATIONS:
            settled.it.kubectl("delete", kind, second.webhook, "--ignore-not-found")
        settled.it.kubectl("-n", "second", "scale", "deployment", "--all", "--replicas=0")
        second.pods.wait("second", "it is gone", lambda: not second.pods.keys("second/"))
