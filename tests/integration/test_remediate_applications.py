# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remedies of applications: a real cert-manager gets its lease, where it elects or elsewhere; a real istiod's injector its namespaces, and pods their sidecars.

There and back, with exactly the shipped rights.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options, build
from doctorlab.cert_manager import CertManager
from istio_lab import IMAGE, PROXY_IMAGE, Mesh, namespace, workload
from remedy_lab import cycle

LEASE = "cert-manager-cainjector-leader-election"
RIGHTS = "cert-manager-cainjector:leaderelection"
NOT_ELECTED = 62.0  # seconds after which a part that has no lease is reported


def exists(lab: Lab, *what: str) -> bool:
    return bool(lab.kubectl("get", *what, "--ignore-not-found", "-o", "name").strip())


def test_cainjector_gets_the_rights_for_its_lease(tmp_path: Path, row: Callable[[str], None]) -> None:
    with Lab(tmp_path / "lab", Options(faults="none")) as lab:
        it = CertManager(lab, values={"webhook": {"replicaCount": 2}})
        it.install()
        it.kubectl("-n", "cert-manager", "scale", "deployment/cert-manager-cainjector", "--replicas=0")
        it.pods.wait("cert-manager", "cainjector is gone", lambda: not it.component("cainjector"))
        it.kubectl("-n", "kube-system", "delete", f"role/{RIGHTS}", f"rolebinding/{RIGHTS}", f"lease/{LEASE}")
        it.kubectl("-n", "cert-manager", "scale", "deployment/cert-manager-cainjector", "--replicas=1")
        it.pods.wait("cert-manager", "cainjector is there", lambda: bool(it.component("cainjector")))
        (pod,) = it.component("cainjector")
        it.pods.wait("cert-manager", "it is refused", lambda: "cannot" in it.pods.log(pod))
        time.sleep(NOT_ELECTED)
        done = cycle(
            lab,
            tmp_path,
            user="remediate-leader_election",
            variables={"webhook_doctor_remedies": ["leader_election"]},
            mended=lambda: exists(lab, "-n", "kube-system", "lease", LEASE),
        )
        assert not exists(lab, "-n", "kube-system", "role", RIGHTS)
        row(done.row("cainjector may not make its lease", "leader_election"))


# What platforms do that keep kube-system to themselves: cert-manager may not make or renew a lease there, whatever RBAC says.
CLOSED = "closed-kube-system"
BINDING = {
    "policyName": CLOSED,
    "validationActions": ["Deny"],
    "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}},
}
POLICY = {
    "matchConstraints": {
        "resourceRules": [{"apiGroups": ["coordination.k8s.io"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["leases"]}]
    },
    "matchConditions": [{"name": "cert-manager", "expression": "request.userInfo.username.startsWith('system:serviceaccount:cert-manager:')"}],
    "validations": [{"expression": "false", "message": "leases in kube-system are the platform's"}],
}


def close_kube_system(it: CertManager) -> None:
    for kind, spec in (("ValidatingAdmissionPolicy", POLICY), ("ValidatingAdmissionPolicyBinding", BINDING)):
        item = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": CLOSED}, "spec": spec}
        it.kubectl("create", "-f", "-", stdin=json.dumps(item))


def labels(lab: Lab, name: str) -> dict[str, Any]:
    found = json.loads(lab.kubectl("get", "namespace", name, "-o", "json"))["metadata"]["labels"]
    return {key: value for key, value in found.items() if "istio" in key}


def test_namespaces_get_their_labels(tmp_path: Path, row: Callable[[str], None]) -> None:
    with Lab(tmp_path / "lab", Options(faults="healthy")) as lab, Mesh(lab, tmp_path) as mesh:
        mesh.wait("istiod has patched its injector", lambda: bool(mesh.bundle("mutatingwebhookconfiguration", "istio-sidecar-injector")))
        both, other = namespace("both"), namespace("other")
        both["metadata"]["labels"] = {"istio-injection": "enabled", "istio.io/rev": "x"}
        other["metadata"]["labels"] = {"istio.io/rev": "1-29-9"}
        mesh.apply(both, other, namespace("typo", istio_inject="enabled"), namespace("nobody-asked"))
        policy = ("validatingwebhookconfiguration", "istio-validator-istio-system")
        mesh.wait("istiod has begun to validate", lambda: mesh.get(*policy)["webhooks"][0]["failurePolicy"] == "Fail")
        time.sleep(5)  # it writes its root certificate into new namespaces

        def mended() -> bool:
            wanted = {"both": {"istio-injection": "enabled"}, "typo": {"istio-injection": "enabled"}, "other": {"istio.io/rev": "default"}}
            return all(labels(lab, name) == found for name, found in {**wanted, "nobody-asked": {}}.items())

        done = cycle(
            lab,
            tmp_path,
            user="remediate-mesh_injection",
            variables={
                "webhook_doctor_remedies": ["mesh_injection"],
                "webhook_doctor_max_risk": "medium",
                "mesh_injection_namespaces": ["other"],
                "mesh_injection_revision": "default",
            },
            mended=mended,
        )
        row(done.row("labels that nobody serves", "mesh_injection"))


@dataclass(frozen=True)
class World:
    """A lab with a real kubelet, a mesh, and a cert-manager that nobody lets elect since `denied` (monotonic)."""

    lab: Lab
    mesh: Mesh
    cert_manager: CertManager
    denied: float


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("node")
    with Lab(folder / "lab", Options(faults="none", node=True)) as lab:
        it = CertManager(lab)
        close_kube_system(it)
        it.create()
        it.ready()
        denied = time.monotonic()
        with Mesh(lab, folder) as mesh:
            for image in (IMAGE, PROXY_IMAGE):
                lab.node.load_image(image, build.ensure_own("pause", lambda dummy: None))
            yield World(lab, mesh, it, denied)


def sidecars(lab: Lab, name: str) -> list[list[str]]:
    """The containers of each pod of a namespace."""
    return [[one["name"] for one in pod["spec"]["containers"]] for pod in lab.node.pods(name)]


def test_pods_get_their_sidecars(world: World, tmp_path: Path, row: Callable[[str], None]) -> None:
    """A namespace gets its label, its Deployment rolls, and istiod injects into the new pods."""
    lab, mesh = world.lab, world.mesh
    mesh.wait("istiod has patched its injector", lambda: bool(mesh.bundle("mutatingwebhookconfiguration", "istio-sidecar-injector")))
    mesh.apply(namespace("shop", istio_inject="enabled"), workload("shop", "web"))
    lab.node.wait_ready("shop")
    assert sidecars(lab, "shop") == [["main"]]
    policy = ("validatingwebhookconfiguration", "istio-validator-istio-system")
    mesh.wait("istiod has begun to validate", lambda: mesh.get(*policy)["webhooks"][0]["failurePolicy"] == "Fail")
    time.sleep(5)  # it writes its root certificate into new namespaces
    done = cycle(
        lab,
        tmp_path,
        user="remediate-mesh_injection",
        variables={
            "webhook_doctor_remedies": ["mesh_injection"],
            "webhook_doctor_max_risk": "medium",
            "mesh_injection_namespaces": ["shop"],
            "mesh_injection_revision": "default",
            "mesh_injection_restart": True,
        },
        mended=lambda: [sorted(names) for names in sidecars(lab, "shop")] == [["istio-proxy", "main"]],
    )
    lab.node.wait_ready("shop")
    assert sidecars(lab, "shop") == [["main"]], "a rollback creates them anew, without"
    row(done.row("pods without their sidecar", "mesh_injection"))


def test_both_parts_elect_elsewhere(world: World, tmp_path: Path, row: Callable[[str], None]) -> None:
    """New pods of both parts come up, elect in the other namespace, and do their work."""
    lab, it = world.lab, world.cert_manager
    (pod,) = it.component("cainjector")
    it.pods.wait("cert-manager", "the policy denies", lambda: "leases in kube-system are the platform's" in it.pods.log(pod))
    time.sleep(max(0.0, world.denied + NOT_ELECTED - time.monotonic()))
    assert not any(it.bundles().values())

    def mended() -> bool:
        if not exists(lab, "-n", "cert-manager", "lease", LEASE):
            return False
        it.wait_injected()
        return exists(lab, "-n", "cert-manager", "lease", "cert-manager-controller")

    done = cycle(
        lab,
        tmp_path,
        user="remediate-leader_election",
        variables={
            "webhook_doctor_remedies": ["leader_election"],
            "webhook_doctor_max_risk": "medium",
            "webhook_doctor_owned": "patch",  # Helm's
            "leader_election_namespace": "cert-manager",
        },
        mended=mended,
        others_write=[f"{kind}//{it.webhook}" for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")],
    )
    assert not exists(lab, "-n", "kube-system", "lease", LEASE)
    row(done.row("leases in kube-system are denied", "leader_election"))
