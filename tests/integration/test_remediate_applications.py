# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remedies of applications: a real cert-manager gets its lease, a real istiod's injector its namespaces; there and back, with exactly the shipped rights."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from doctorlab import Lab, Options
from doctorlab.cert_manager import CertManager
from istio_lab import Mesh, namespace
from remedy_lab import CAINJECTOR_LEASE, NOT_ELECTED, cycle, exists

RIGHTS = "cert-manager-cainjector:leaderelection"


def test_cainjector_gets_the_rights_for_its_lease(tmp_path: Path, row: Callable[[str], None]) -> None:
    with Lab(tmp_path / "lab", Options(faults="none")) as lab:
        it = CertManager(lab, values={"webhook": {"replicaCount": 2}})
        it.install()
        it.kubectl("-n", "cert-manager", "scale", "deployment/cert-manager-cainjector", "--replicas=0")
        it.pods.wait("cert-manager", "cainjector is gone", lambda: not it.component("cainjector"))
        it.kubectl("-n", "kube-system", "delete", f"role/{RIGHTS}", f"rolebinding/{RIGHTS}", f"lease/{CAINJECTOR_LEASE}")
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
            mended=lambda: exists(lab, "-n", "kube-system", "lease", CAINJECTOR_LEASE),
        )
        assert not exists(lab, "-n", "kube-system", "role", RIGHTS)
        row(done.row("cainjector may not make its lease", "leader_election"))


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
