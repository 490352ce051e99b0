# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remedies of applications by which pods are created anew, on a node with a real kubelet: cert-manager elects elsewhere, workloads get their sidecars."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from doctorlab import Lab, Options, build
from doctorlab.cert_manager import CertManager
from istio_lab import IMAGE, PROXY_IMAGE, Mesh, namespace, workload
from remedy_lab import CAINJECTOR_LEASE, NOT_ELECTED, cycle, exists

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
        if not exists(lab, "-n", "cert-manager", "lease", CAINJECTOR_LEASE):
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
    assert not exists(lab, "-n", "kube-system", "lease", CAINJECTOR_LEASE)
    row(done.row("leases in kube-system are denied", "leader_election"))
