# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real OPA Gatekeeper, a webhook that nobody here wrote: healthy it yields nothing, a denial is no failure, and what breaks it is named.

The tests share one installation and run in the order of this file. Each takes away what it did. No rule knows Gatekeeper but for the Secret of its CA.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options, pki
from doctorlab.gatekeeper import CONFIGURATIONS, NAMESPACE, SECRET, WEBHOOK, Gatekeeper
from lab_diagnosis import Diagnosis, diagnose

VALIDATING, MUTATING = CONFIGURATIONS["validatingwebhookconfiguration"], CONFIGURATIONS["mutatingwebhookconfiguration"]
# failurePolicy of its manifest: Ignore, Ignore and Fail.
MUTATION = f"mutating/{MUTATING}/mutation.gatekeeper.sh"
VALIDATION = f"validating/{VALIDATING}/validation.gatekeeper.sh"
IGNORE_LABEL = f"validating/{VALIDATING}/check-ignore-label.gatekeeper.sh"
ALL = [MUTATION, IGNORE_LABEL, VALIDATION]
COUNTED = "WD620", "WD621"  # what the API server has counted since its start: the faults of the tests before
IT_READS = f"Secret {NAMESPACE}/{SECRET}, key ca.crt (gatekeeper's cert-rotator)"
SERVED = "import ssl, sys; print(ssl.get_server_certificate((sys.argv[1], 8443), timeout=2))"
READ_SECRETS = {"webhook_doctor_read_ca_secrets": True}

# What its cert-rotator may do to the configurations without the rights to change them.
READING = ["get", "list", "watch"]
NO_OWNER = "an owner is required"
REGO = f"""
package ownerrequired
violation[{{"msg": "{NO_OWNER}"}}] {{
  not input.review.object.metadata.labels.owner
}}
"""
TEMPLATE = {
    "apiVersion": "templates.gatekeeper.sh/v1",
    "kind": "ConstraintTemplate",
    "metadata": {"name": "ownerrequired"},
    "spec": {"crd": {"spec": {"names": {"kind": "OwnerRequired"}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": REGO}]},
}
CONSTRAINT = {
    "apiVersion": "constraints.gatekeeper.sh/v1beta1",
    "kind": "OwnerRequired",
    "metadata": {"name": "pods-have-owners"},
    "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}},
}
# Gatekeeper's own namespace enforces the restricted Pod Security Standard.
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
POD_SPEC = {"containers": [{"name": "shop", "image": "shop", "securityContext": RESTRICTED}]}
SHOP = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}


def pod(namespace: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain", "namespace": namespace}, "spec": POD_SPEC}


def config_map(namespace: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plain", "namespace": namespace}}


class World:
    """The lab and the installation."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.it = Gatekeeper(lab)
        self.it.install()
        self.it.apply([SHOP])

    def create(self, item: dict[str, Any]) -> str:
        """Create it as a dry run, and return what kubectl says."""
        done = self.lab.run(["kubectl", "create", "--dry-run=server", "-f", "-"], input=json.dumps(item), capture_output=True)
        return str(done.stdout + done.stderr).strip()

    def scale(self, replicas: int) -> None:
        self.it.kubectl("-n", NAMESPACE, "scale", f"deployment/{WEBHOOK}", f"--replicas={replicas}")
        self.it.wait("the webhook is scaled", lambda: len(self.it.webhooks()) == replicas)

    def change(self, kind: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Replace the manifest's objects of a kind by what `change` makes of those that are there."""
        for item in self.it.objects():
            if item["kind"] == kind and item["metadata"].get("namespace") is None:
                there = json.loads(self.it.kubectl("get", kind, item["metadata"]["name"], "-o", "json"))
                change(there)
                self.it.kubectl("replace", "-f", "-", stdin=json.dumps(there))

    def serves_what_the_secret_holds(self) -> bool:
        """Whether each pod of the webhook serves the certificate in the Secret."""
        held = base64.b64decode(self.it.secret()["tls.crt"]).decode().strip()
        asked = [[sys.executable, "-c", SERVED, self.it.pods.address(key)] for key in self.it.webhooks()]
        return all(self.lab.run(command, capture_output=True).stdout.strip() == held for command in asked)

    def reset_connections(self) -> None:
        """End the connections that are open to the webhook, as time or a roll-out would."""
        namespace = self.lab.running.namespace
        namespace.check(["iptables", "-I", "OUTPUT", "-p", "tcp", "--dport", "8443", "-j", "REJECT", "--reject-with", "tcp-reset"])
        try:
            for _attempt in range(3):
                self.create({**SHOP, "metadata": {"name": "another"}})
                self.create(config_map("default"))
        finally:
            namespace.check(["iptables", "-F", "OUTPUT"])

    def empty_secret(self) -> None:
        """Take CA and certificate away, as somebody does who wants new ones."""
        self.it.kubectl("-n", NAMESPACE, "patch", "secret", SECRET, "--type=merge", "-p", '{"data":null}')


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Lab(tmp_path_factory.mktemp("gatekeeper") / "lab", Options(faults="none")) as lab:
        yield World(lab)


@contextmanager
def stopped(world: World) -> Iterator[None]:
    """Its processes have ended, and no kubelet has noticed."""
    pods = world.it.webhooks()
    for key in pods:
        world.it.pods.stop(key)
    try:
        yield
    finally:
        for key in pods:
            world.it.pods.restart(key)
        world.it.pods.wait_ready(NAMESPACE)


@contextmanager
def without_the_right_to_inject(world: World) -> Iterator[None]:
    """Its cert-rotator reads the configurations and cannot write them."""

    def reading_alone(role: dict[str, Any]) -> None:
        for rule in role["rules"]:
            if rule["apiGroups"] == ["admissionregistration.k8s.io"]:
                rule["verbs"] = READING

    world.change("ClusterRole", reading_alone)
    try:
        yield
    finally:
        world.it.apply([item for item in world.it.objects() if item["kind"] == "ClusterRole"])
        world.it.wait("the CA is injected again", world.it.injected)
        world.it.pods.wait_ready(NAMESPACE)


def found(diagnosis: Diagnosis) -> dict[str, str]:
    """code -> severity of what is no mere information; each code once."""
    shown = [finding for finding in diagnosis.report["findings"] if finding["severity"] != "info" and finding["code"] not in COUNTED]
    assert len({finding["code"] for finding in shown}) == len(shown), shown
    return {finding["code"]: finding["severity"] for finding in shown}


def evidence(diagnosis: Diagnosis, code: str) -> str:
    return "\n".join(line for finding in diagnosis.report["findings"] if finding["code"] == code for line in finding["evidence"])


def affected(diagnosis: Diagnosis, code: str) -> list[str]:
    return sorted(callout for finding in diagnosis.report["findings"] if finding["code"] == code for callout in finding["affects"])


def all_work(diagnosis: Diagnosis) -> bool:
    """Whether each of its call-outs was seen to be answered. What the counters say of before makes one "at risk"."""
    counted = diagnosis.report["summary"]["callouts"]
    return bool(counted["total"] == len(ALL) and counted["healthy"] + counted["at_risk"] == len(ALL))


# ---- healthy


def test_healthy(world: World, tmp_path: Path) -> None:
    """Nothing fails or is at risk: it intercepts everything, but with failurePolicy Ignore, and its own namespace is exempt.

    WD620 may be there, and is right: what is created between `kubectl apply` and its first answer passes unseen, and the API server counts that.
    """
    diagnosis = diagnose(world.lab, tmp_path / "report")
    assert found(diagnosis) == {}
    assert {finding["code"] for finding in diagnosis.report["findings"]} <= set(COUNTED)
    assert all_work(diagnosis)


def test_healthy_with_reading_rights_alone(world: World, tmp_path: Path) -> None:
    assert found(diagnose(world.lab, tmp_path / "report", user="diagnose")) == {}


def test_healthy_and_its_secret_read(world: World, tmp_path: Path) -> None:
    diagnosis = diagnose(world.lab, tmp_path / "report", user="admin", variables=READ_SECRETS)
    assert found(diagnosis) == {}
    (source,) = diagnosis.report["bundle"]["facts"]["ca_sources"]
    assert (source["name"], source["state"], sorted(source["callouts"])) == (SECRET, "read", sorted(ALL))
    private = base64.b64decode(world.it.secret()["ca.key"]).decode()
    assert private.splitlines()[1] not in "".join(path.read_text(encoding="utf-8") for path in diagnosis.folder.iterdir()) + diagnosis.output


def test_a_denial_is_no_failure(world: World, tmp_path: Path) -> None:
    """A constraint denies pods, and a ReplicaSet's events say so: that is what it is for."""
    world.it.apply([TEMPLATE])
    world.it.wait("the constraint's kind exists", lambda: "ownerrequired" in world.it.kubectl("get", "crd", "-o", "name"))
    world.it.kubectl("wait", "--for=condition=Established", "crd/ownerrequired.constraints.gatekeeper.sh", "--timeout=30s")
    world.it.apply([CONSTRAINT])
    denied = 'admission webhook "validation.gatekeeper.sh" denied the request: [pods-have-owners] an owner is required'
    world.it.wait("it denies", lambda: denied in world.create(pod("shop")))
    labels = {"app": "shop"}
    template = {"metadata": {"labels": labels}, "spec": POD_SPEC}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    world.it.apply([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "shop", "namespace": "shop"}, "spec": spec}])
    world.it.wait("the event is there", lambda: NO_OWNER in world.it.kubectl("-n", "shop", "get", "events", "-o", "json"))
    diagnosis = diagnose(world.lab, tmp_path / "report")
    assert found(diagnosis) == {}
    assert all_work(diagnosis)


def test_its_own_namespace_is_exempt(world: World) -> None:
    """Else the constraint, which its own pods do not meet, would keep them from coming back."""
    assert world.create(pod(NAMESPACE)) == "pod/plain created (server dry run)"
    world.scale(0)
    world.scale(2)
    world.it.pods.wait_ready(NAMESPACE)


# ---- broken


def test_its_processes_have_ended(world: World, tmp_path: Path) -> None:
    """One webhook blocks (namespaces cannot be made), two let everything pass: the API server's counters tell."""
    with stopped(world):
        assert NO_OWNER not in world.create(pod("shop")), "failurePolicy is Ignore"
        assert world.create(config_map("shop")) == "configmap/plain created (server dry run)"
        refused = world.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "another"}})
        assert 'failed calling webhook "check-ignore-label.gatekeeper.sh"' in refused
        diagnosis = diagnose(world.lab, tmp_path / "report")
    assert found(diagnosis) == {"WD201": "error"}
    assert affected(diagnosis, "WD201") == ALL
    assert "connect: connection refused" in evidence(diagnosis, "WD201")
    assert "requests passed without it, because it could not be called" in evidence(diagnosis, "WD201")
    summary = diagnosis.report["summary"]["callouts"]
    assert (summary["failing"], summary["open"]) == (1, 2)
    assert affected(diagnosis, "WD620") == [], "while it fails, the counter is evidence"


def test_what_passed_meanwhile_is_told_afterwards(world: World, tmp_path: Path) -> None:
    diagnosis = diagnose(world.lab, tmp_path / "report")
    assert found(diagnosis) == {}
    assert affected(diagnosis, "WD620") == [MUTATION, VALIDATION]
    assert affected(diagnosis, "WD621") == [IGNORE_LABEL]
    counted = {one["webhook"]: one["fail_open"] for one in diagnosis.report["bundle"]["facts"]["control_plane"]["admission"]}
    assert counted["validation.gatekeeper.sh"] > 0 and counted["mutation.gatekeeper.sh"] > 0


def test_scaled_away(world: World, tmp_path: Path) -> None:
    world.scale(0)
    try:
        diagnosis = diagnose(world.lab, tmp_path / "report")
    finally:
        world.scale(2)
        world.it.pods.wait_ready(NAMESPACE)
    assert found(diagnosis) == {"WD103": "error"}
    assert affected(diagnosis, "WD103") == ALL
    assert 'no endpoints available for service "gatekeeper-webhook-service"' in evidence(diagnosis, "WD103")


def test_the_ca_was_replaced_while_it_was_down(world: World, tmp_path: Path) -> None:
    """Both are true: nobody answers, and the caBundles are not what the Secret holds. When it comes back, it makes a new CA and injects that."""
    with stopped(world):
        held = {name: base64.b64decode(value) for name, value in world.it.secret().items()}
        another = pki.make_authorities(datetime.now(timezone.utc))["ca"].certificate_pem.encode()
        world.it.replace_ca({**held, "ca.crt": another})
        diagnosis = diagnose(world.lab, tmp_path / "report", user="admin", variables=READ_SECRETS)
    assert found(diagnosis) == {"WD201": "error", "WD325": "warning"}
    assert affected(diagnosis, "WD325") == ALL
    assert f"no certificate of {IT_READS} is in the caBundle" in evidence(diagnosis, "WD325")
    world.it.wait("it has injected its new CA", world.it.injected)
    assert found(diagnose(world.lab, tmp_path / "mended", user="admin", variables=READ_SECRETS)) == {}


def test_a_new_ca_that_it_may_not_inject(world: World, tmp_path: Path) -> None:
    """It serves a certificate of the new CA and stays ready; the caBundles have the old one, of the same name.

    The API server goes on for as long as its connections last, and says nothing until then.
    """
    another = {**SHOP, "metadata": {"name": "another"}}
    before = world.it.secret()["ca.crt"]
    with without_the_right_to_inject(world):
        world.empty_secret()
        world.it.wait("it has made a new CA", lambda: world.it.secret().get("ca.crt", before) != before)
        world.it.wait("it serves the new certificate", world.serves_what_the_secret_holds)
        world.reset_connections()
        world.it.wait("the API server refuses it", lambda: "signed by unknown authority" in world.create(another))
        diagnosis = diagnose(world.lab, tmp_path / "report", user="admin", variables=READ_SECRETS)
        unread = diagnose(world.lab, tmp_path / "unread")
        assert not world.it.injected()
    assert found(diagnosis) == {"WD301": "error"}
    assert affected(diagnosis, "WD301") == ALL
    assert f"the same chain verifies with the CA of {IT_READS}: the caBundle was not brought up to date from there" in evidence(diagnosis, "WD301")
    assert "the caBundle has a CA of the issuer's name with another key: the CA was made again" in evidence(diagnosis, "WD301")
    assert found(unread) == {"WD301": "error"}
    assert f"the caBundle is meant to come from {IT_READS}; with webhook_doctor_read_ca_secrets=true" in evidence(unread, "WD301")


def test_it_does_not_start_where_it_may_not_inject(world: World, tmp_path: Path) -> None:
    """It listens only when the CA is injected: its pods run and are never ready."""
    world.scale(0)
    before = world.it.secret()["ca.crt"]
    with without_the_right_to_inject(world):
        world.empty_secret()
        world.scale(2)
        world.it.wait("it has made a new CA", lambda: world.it.secret().get("ca.crt", before) != before)
        world.it.wait("it may not inject it", lambda: any("is forbidden" in world.it.pods.log(key) for key in world.it.webhooks()))
        diagnosis = diagnose(world.lab, tmp_path / "report", user="admin", variables=READ_SECRETS)
    assert found(diagnosis) == {"WD104": "error", "WD325": "warning"}
    assert "0 of 2 addresses ready" in evidence(diagnosis, "WD104")
    assert affected(diagnosis, "WD325") == ALL


# ---- failurePolicy Fail, as its chart has a value for


@contextmanager
def fail_closed(world: World) -> Iterator[None]:
    """Both configurations as the chart makes them with validatingWebhookFailurePolicy and mutatingWebhookFailurePolicy: Fail."""

    def close(item: dict[str, Any]) -> None:
        for webhook in item["webhooks"]:
            webhook["failurePolicy"] = "Fail"

    kinds = "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"
    for kind in kinds:
        world.change(kind, close)
    try:
        yield
    finally:
        for kind in kinds:  # without the webhooks, for nothing else can be counted on
            world.it.kubectl("delete", kind, CONFIGURATIONS[kind.lower()])
        world.it.apply([item for item in world.it.objects() if item["kind"] in (*kinds, "Namespace")])
        world.it.wait("the CA is injected again", world.it.injected)


def test_fail_closed_it_holds_up_what_a_cluster_needs(world: World, tmp_path: Path) -> None:
    """A justified warning, while it works: leases, nodes, token reviews and kube-system's pods now wait for it. Its own pods do not."""
    with fail_closed(world):
        diagnosis = diagnose(world.lab, tmp_path / "report")
        assert found(diagnosis) == {"WD540": "warning"}
        assert affected(diagnosis, "WD540") == [MUTATION, VALIDATION]
        assert "WD520" not in evidence(diagnosis, "WD540")
        assert "UPDATE of leases.coordination.k8s.io in kube-node-lease" in evidence(diagnosis, "WD540")


def test_fail_closed_and_not_exempt_it_could_not_come_back(world: World, tmp_path: Path) -> None:
    """The exemptions of its own namespace, by name and by label, are taken away."""

    def intercept_all(item: dict[str, Any]) -> None:
        for webhook in item["webhooks"]:
            webhook.pop("namespaceSelector", None)

    with fail_closed(world):
        for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
            world.change(kind, intercept_all)
        with stopped(world):
            denied = world.create(pod(NAMESPACE))
            diagnosis = diagnose(world.lab, tmp_path / "report")
            for kind, name in CONFIGURATIONS.items():  # or nothing can be mended, its pods' status included
                world.it.kubectl("patch", kind, name, "--type=json", "-p", '[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]')
    assert 'failed calling webhook "mutation.gatekeeper.sh"' in denied
    assert found(diagnosis) == {"WD201": "error", "WD540": "error"}
    assert "WD520" in evidence(diagnosis, "WD540")
