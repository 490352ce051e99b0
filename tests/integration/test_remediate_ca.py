# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""caBundles that a real cert-manager keeps, brought back by its own parts on a node with a real kubelet; and remainders of an application that is gone.

The tests share one lab and run in the order of this file: remainders have to be a minute old, and cert-manager has to be no new installation in the last one.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from doctorlab import Lab, Options
from doctorlab.cert_manager import CertManager
from remedy_lab import Played, cycle, play, specs, versions, written

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need cgroups, and those need root")

NAMESPACE, NAME = "cert-manager", "cert-manager-webhook"
CONFIGURATIONS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
INJECT = "cert-manager.io/inject-ca-from-secret"
# cainjector has filled them by the time of the rollback, and goes on keeping them.
FILLED = [f"{kind}//{NAME}" for kind in CONFIGURATIONS]
VARIABLES = {"webhook_doctor_remedies": ["ca_bundle"], "webhook_doctor_max_risk": "medium", "webhook_doctor_owned": "patch"}
STALE = {"webhook_doctor_remedies": ["stale_webhooks"], "webhook_doctor_max_risk": "high", "stale_webhooks_minimum_age_minutes": 1}
GONE_CONFIGURATION, GONE_API, KEPT = "gone-shop", "v1.shop.example.com", "kept-shop"
OLD_ENOUGH, SETTLED = 61.0, 125.0  # seconds: of what may be called a remainder; after which nobody says any more that it was just installed


class World:
    """The lab, cert-manager on its node, and the remainders of two applications: the namespace of one is gone, of the other only the Service is."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        lab.kubectl("create", "namespace", "gone")
        lab.kubectl("delete", "namespace", "gone")
        lab.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all([*remainders("gone", GONE_CONFIGURATION, with_api=True), *kept()]))
        self.made = time.monotonic()
        self.it = CertManager(lab, values={"webhook": {"replicaCount": 2}})
        self.it.install()

    def wait(self, what: str, so: Callable[[], Any]) -> None:
        self.it.pods.wait(NAMESPACE, what, so, 90)

    def own(self, *arguments: str, stdin: str = "") -> str:
        return self.it.kubectl("-n", NAMESPACE, *arguments, stdin=stdin)

    def scale(self, deployment: str, replicas: int) -> None:
        self.own("scale", f"deployment/{deployment}", f"--replicas={replicas}")
        component = deployment.removeprefix("cert-manager-")
        self.wait(f"{deployment} is scaled", lambda: len(self.it.component(component)) == replicas)
        self.it.ready()  # its status is written by then, too

    def wipe(self) -> None:
        for kind in CONFIGURATIONS:
            self.it.kubectl("patch", kind, NAME, "--type=json", "-p", '[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]')

    def works(self) -> bool:
        """Whether the API server gets through to the webhook, as itself says, and both caBundles hold the CA."""
        issuer = {"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer", "metadata": {"name": "asked"}, "spec": {"selfSigned": {}}}
        asked = self.lab.run(["kubectl", "create", "--dry-run=server", "-f", "-"], input=json.dumps(issuer), capture_output=True)
        ca = self.it.ca()
        return asked.returncode == 0 and bool(ca) and all(bundle == ca for bundle in self.it.bundles().values())

    def old(self, seconds: float) -> None:
        time.sleep(max(0.0, self.made + seconds - time.monotonic()))


def remainders(namespace: str, name: str, with_api: bool = False) -> list[dict[str, Any]]:
    """A configuration (and an APIService) that call a Service of a namespace, with all that people put into metadata."""
    service = {"namespace": namespace, "name": "webhook", "port": 8443}
    labels = {"app.kubernetes.io/name": "shop", "team": "sales"}
    entry = {
        "name": f"{name}.example.com",
        "clientConfig": {"service": {**service, "path": "/review"}},
        "rules": [{"operations": ["CREATE"], "apiGroups": ["shop.example.com"], "apiVersions": ["*"], "resources": ["orders"]}],
        "matchConditions": [{"name": "not-ours", "expression": "request.userInfo.username != 'shop'"}],
        "sideEffects": "NoneOnDryRun",
        "admissionReviewVersions": ["v1", "v1beta1"],
        "timeoutSeconds": 7,
    }
    metadata = {"name": name, "labels": labels, "annotations": {"example.com/runbook": 'see "shop" {1}\nsecond line'}}
    items: list[dict[str, Any]] = [
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": metadata, "webhooks": [entry]}
    ]
    if with_api:
        spec = {"group": "shop.example.com", "version": "v1", "groupPriorityMinimum": 1234, "versionPriority": 17, "service": service}
        items.append({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": GONE_API, "labels": labels}, "spec": spec})
    return items


def kept() -> list[dict[str, Any]]:
    """The same where the Deployment is there, and only its Service is missing."""
    labels = {"app.kubernetes.io/name": "shop"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "shop", "image": "registry.lab.example.net/shop:1"}]}}
    deployment = {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "namespace": "kept", "labels": labels}, "spec": deployment},
        *remainders("kept", KEPT),
    ]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Lab(tmp_path_factory.mktemp("ca") / "lab", Options(faults="none", node=True)) as lab:
        yield World(lab)


def test_cainjector_is_scaled_away(world: World, tmp_path: Path, row: Callable[[str], None]) -> None:
    """A new CA came while it was away, so that all calls fail; it is scaled up again and writes it."""
    world.scale("cert-manager-cainjector", 0)
    old = world.it.ca()
    world.own("delete", "secret", f"{NAME}-ca")
    world.wait("the webhook has made a new CA", lambda: world.it.ca() not in ("", old))
    done = cycle(world.lab, tmp_path, user="remediate-ca_bundle", variables=VARIABLES, mended=world.works, stays=FILLED)
    assert "Deployment cert-manager/cert-manager-cainjector   medium risk   ca_bundle WD801" in done.preview.output
    world.scale("cert-manager-cainjector", 1)
    row(done.row("the CA is new, and cainjector is scaled to nothing", "ca_bundle", "scaled up, and injected by it", "scaled back"))


def test_the_annotation_is_gone(world: World, tmp_path: Path, row: Callable[[str], None]) -> None:
    """Nothing but the annotation is written; cainjector does the rest."""
    for kind in CONFIGURATIONS:
        world.it.kubectl("annotate", kind, NAME, f"{INJECT}-")
    world.wipe()
    done = cycle(world.lab, tmp_path, user="remediate-ca_bundle", variables=VARIABLES, mended=world.works, stays=FILLED)
    assert "caBundle" not in done.applied.output.partition("To be changed:")[2].partition("mended")[0]
    for kind in CONFIGURATIONS:
        metadata = json.loads(world.it.kubectl("get", kind, NAME, "-o", "json"))["metadata"]
        assert INJECT not in metadata.get("annotations", {}), "not taken back"
        world.it.kubectl("annotate", kind, NAME, f"{INJECT}={NAMESPACE}/{NAME}-ca")
    row(done.row("cainjector's annotation is gone", "ca_bundle", "annotation repaired, and injected by cainjector", "annotation taken away again"))


def test_an_application_whose_namespace_is_gone(world: World, tmp_path: Path, row: Callable[[str], None]) -> None:
    """Deleted with a copy in the cluster, from which they come back to the letter when the local journal is lost. Where the Deployment is there: refused."""
    world.old(OLD_ENOUGH)
    lab = world.lab

    def gone() -> bool:
        return not lab.kubectl("get", "validatingwebhookconfiguration/" + GONE_CONFIGURATION, f"apiservice/{GONE_API}", "--ignore-not-found", "-o", "name")

    def lose(dummy: Played) -> None:
        assert list((tmp_path / "journal").glob("*.jsonl"))
        shutil.rmtree(tmp_path / "journal")
        copies = lab.kubectl("-n", "kube-system", "get", "configmaps", "-l", "webhook-doctor.kubeops.io/backup", "-o", "name").split()
        assert len(copies) == 2, copies

    still_there = {key: content for key, content in specs(lab).items() if key.endswith(KEPT)}
    done = cycle(lab, tmp_path, user="remediate-stale_webhooks", variables=STALE, mended=gone, before_rollback=lose)
    assert "Service gone/webhook and its namespace do not exist" in done.preview.output
    assert "Deployment kept/shop may be what it belongs to: its Service webhook is missing, and that is what to put back" in done.preview.output
    assert {key: specs(lab)[key] for key in still_there} == still_there and still_there
    assert not lab.kubectl("-n", "kube-system", "get", "configmaps", "-l", "webhook-doctor.kubeops.io/backup", "-o", "name").strip(), "copies are left"
    lab.kubectl("delete", "validatingwebhookconfiguration", GONE_CONFIGURATION, KEPT)
    lab.kubectl("delete", "apiservice", GONE_API)
    row(done.row("configuration and APIService of a namespace that is gone", "stale_webhooks", "deleted", "made again to the letter, the local journal lost"))
    row("remedy  its Service is gone, its Deployment is there: stale_webhooks, refused (the Service is what to put back), nothing changed")


def test_the_webhook_cannot_use_its_secret(world: World, tmp_path: Path, row: Callable[[str], None]) -> None:
    """Its Secret is empty and it may not fill it, only make it: the Secret goes, it makes a new CA, and cainjector injects that."""
    world.old(SETTLED)
    role = f"{NAME}:dynamic-serving"
    rules = json.loads(world.own("get", "role", role, "-o", "json"))["rules"]
    less = [{**rule, "verbs": [verb for verb in rule["verbs"] if verb != "update"]} for rule in rules]
    world.scale(NAME, 0)
    world.own("patch", "role", role, "--type=merge", "-p", json.dumps({"rules": less}))
    world.own("patch", "secret", f"{NAME}-ca", "--type=json", "-p", '[{"op":"replace","path":"/data","value":{}}]')
    world.own("scale", f"deployment/{NAME}", "--replicas=2")
    world.wait("the kubelet has asked", lambda: "statuscode: 500" in world.own("get", "events", "-o", "json"))
    variables = {**VARIABLES, "webhook_doctor_max_risk": "high"}
    before = versions(world.lab)
    lower = play(world.lab, tmp_path, "remediate", user="remediate-ca_bundle", variables=VARIABLES)
    assert "Above the limit of risk" in lower.output and not [key for key in written(world.lab, before) if key.startswith("Secret/")], lower.output[-3000:]
    done = play(world.lab, tmp_path, "remediate", user="remediate-ca_bundle", variables=variables)
    assert done.returncode == 0 and world.works(), done.output[-4000:]
    assert "cannot be rolled back: the old CA goes with its private key" in done.output
    again = play(world.lab, tmp_path, "remediate", user="remediate-ca_bundle", variables=variables)
    assert (again.returncode, again.changed) == (0, 0), again.output[-3000:]
    seconds = lower.seconds + done.seconds + again.seconds
    row(f"remedy  the Secret of cert-manager's CA is empty: ca_bundle, deleted at high risk only, made anew and injected, second run 0, {seconds:.0f} s")
