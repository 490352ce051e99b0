# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real istiod injects, patches and validates in a real cluster; what is broken about it is named, and the working mesh yields nothing.

The kubelet's events and the proxies that are not ready are objects that this test writes: no container runs in the lab.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options
from istio_lab import HOME, ROLE, Mesh, binding, namespace, role, workload
from lab_diagnosis import Diagnosis, diagnose

from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.mesh_world import injector

# What the API server has counted since its start: it remembers the faults that earlier tests made.
HISTORY = "WD620", "WD621"
INJECTOR = "mutatingwebhookconfiguration", "istio-sidecar-injector"
Diagnose = Callable[[], dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    folder = tmp_path_factory.mktemp("istio")
    with Lab(folder / "lab", Options(faults="healthy")) as lab, Mesh(lab, folder) as mesh:
        mesh.wait("istiod has patched its injector", lambda: bool(mesh.bundle(*INJECTOR)))
        mesh.wait("istiod has begun to validate", lambda: _policy(mesh) == "Fail")
        mesh.apply(namespace("shop", istio_injection="enabled"), workload("shop", "web"))
        mesh.place("shop", "app=web", ready=True, first=30)
        mesh.began = time.monotonic()
        yield mesh


@pytest.fixture
def found(mesh: Mesh, tmp_path: Path) -> Diagnose:
    """Diagnose, and return the findings by code, without those that are only worth knowing unless they are Istio's."""
    count = iter(range(100))

    def run() -> dict[str, dict[str, Any]]:
        diagnosis: Diagnosis = diagnose(mesh.lab, tmp_path / f"report-{next(count)}")
        findings = [one for one in diagnosis.report["findings"] if one["code"] not in HISTORY]
        return {one["code"]: one for one in findings if one["severity"] != "info" or one["code"].startswith(("WD85", "WD86", "WD901"))}

    return run


def _policy(mesh: Mesh) -> str:
    return str(mesh.get("validatingwebhookconfiguration", "istio-validator-istio-system")["webhooks"][0]["failurePolicy"])


@contextmanager
def made(mesh: Mesh, *objects: dict[str, Any]) -> Iterator[None]:
    mesh.apply(*objects)
    yield
    mesh.remove(*objects)


def patch(mesh: Mesh, kind: str, name: str, change: Any, how: str = "merge") -> None:
    mesh.kubectl("patch", kind, name, f"--type={how}", "-p", json.dumps(change))


def without_bundles(mesh: Mesh) -> list[dict[str, Any]]:
    """A JSON patch."""
    webhooks = mesh.get(*INJECTOR)["webhooks"]
    return [{"op": "remove", "path": f"/webhooks/{index}/clientConfig/caBundle"} for index in range(len(webhooks))]


def steps(finding: dict[str, Any]) -> list[str]:
    return list(finding["remedy"]["manual"])


def says(finding: dict[str, Any], words: str) -> bool:
    return any(words in line for line in finding["evidence"])


def test_a_working_mesh_yields_nothing(mesh: Mesh, found: Diagnose) -> None:
    containers = [one["name"] for one in mesh.get("-n", "shop", "pods")["items"][0]["spec"]["containers"]]
    assert containers == ["main", "istio-proxy"]  # put there by the real injector
    assert found() == {}


@pytest.mark.covers("mesh-label-missing", code="WD850")
def test_pods_from_before_the_label(mesh: Mesh, found: Diagnose) -> None:
    with made(mesh, namespace("late"), workload("late", "api")):
        mesh.place("late", "app=api", ready=True, first=40)
        assert found() == {}
        mesh.kubectl("label", "namespace", "late", "istio-injection=enabled")
        codes = found()
        assert list(codes) == ["WD850"]
        assert "kubectl -n late rollout restart deployment/api" in steps(codes["WD850"])
        # What it says to do is enough.
        mesh.kubectl("-n", "late", "rollout", "restart", "deployment/api")
        mesh.wait("a new pod", lambda: len(mesh.get("-n", "late", "replicasets")["items"]) == 2)
        mesh.place("late", "app=api", ready=True, first=42)
        mesh.wait("the old pod is gone", lambda: _retired(mesh))
        assert found() == {}


def _retired(mesh: Mesh) -> bool:
    """Pods that the controller has given up are gone: their kubelet would have said so."""
    pods = mesh.get("-n", "late", "pods")["items"]
    for pod in pods:
        if "deletionTimestamp" in pod["metadata"]:
            mesh.kubectl("-n", "late", "delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0")
    return all(len(pod["spec"]["containers"]) == 2 for pod in pods)


@pytest.mark.covers("mesh-revision-label", "mesh-label-missing", code="WD851")
def test_labels_that_nobody_serves(mesh: Mesh, found: Diagnose) -> None:
    both = namespace("both", istio_injection="enabled", istio__io="x")
    both["metadata"]["labels"] = {"istio-injection": "enabled", "istio.io/rev": "default"}
    wrong = namespace("wrong")
    wrong["metadata"]["labels"] = {"istio.io/rev": "1-29-9"}
    with made(mesh, wrong, namespace("typo", istio_inject="enabled"), both):
        codes = found()
        assert sorted(codes) == ["WD851", "WD852", "WD853"]
        assert (codes["WD851"]["subject"]["name"], codes["WD853"]["subject"]["name"]) == ("wrong", "typo")
        assert "kubectl label namespace wrong istio-injection- istio.io/rev=default --overwrite" in steps(codes["WD851"])


@pytest.mark.covers("mesh-injector-ca-bundle-empty", "mesh-table-unknown-authority", code="WD854")
def test_an_injector_of_another_revision_keeps_an_empty_ca_bundle(mesh: Mesh, found: Diagnose) -> None:
    time.sleep(max(0.0, 61 - (time.monotonic() - mesh.began)))  # until then it may still be patched
    patch(mesh, *INJECTOR, {"metadata": {"labels": {"istio.io/rev": "1-29-0"}}})
    patch(mesh, *INJECTOR, without_bundles(mesh), "json")
    codes = found()
    assert list(codes) == ["WD854"]
    finding = codes["WD854"]
    assert (finding["severity"], finding["cause"]) == ("error", "unknown_authority")
    assert says(finding, "its label istio.io/rev is 1-29-0, and no istiod has that revision")
    command = "kubectl label mutatingwebhookconfiguration istio-sidecar-injector istio.io/rev=default --overwrite"
    assert command in steps(finding)
    mesh.kubectl(*command.split()[1:])
    mesh.wait("istiod patches what is its own again", lambda: bool(mesh.bundle(*INJECTOR)))
    assert found() == {}


@pytest.mark.covers("mesh-istiod-permissions", code="WD859")
def test_istiod_may_not_write_its_webhooks(mesh: Mesh, found: Diagnose) -> None:
    mesh.apply(role(writes=False))
    patch(mesh, *INJECTOR, without_bundles(mesh), "json")
    codes = found()
    assert list(codes) == ["WD859"]
    assert says(codes["WD859"], f"ClusterRole {ROLE} does not grant patch or update of mutatingwebhookconfigurations")
    mesh.apply(role())
    mesh.kubectl("delete", "clusterrolebinding", ROLE)
    codes = found()
    assert list(codes) == ["WD859"]
    assert says(codes["WD859"], f"ClusterRole {ROLE} exists, and ClusterRoleBinding {ROLE}, which should give it to {HOME}/istiod, does not")
    mesh.apply(binding())
    mesh.stop()
    mesh.start()
    mesh.wait("istiod patches its injector again", lambda: bool(mesh.bundle(*INJECTOR)))


@pytest.mark.covers("mesh-table-service-not-found", code="WD855")
def test_an_injector_that_has_outlived_its_istiod(mesh: Mesh, found: Diagnose) -> None:
    old = injector("istio-sidecar-injector-1-27-0", {"revision": "1-27-0"})
    del old["metadata"]["creationTimestamp"]
    left = namespace("left")
    left["metadata"]["labels"] = {"istio.io/rev": "1-27-0"}
    with made(mesh, left, old):
        codes = found()
        assert list(codes) == ["WD855"]
        assert codes["WD855"]["severity"] == "error"
        assert says(codes["WD855"], f"Service {HOME}/istiod-1-27-0 does not exist")
        assert "kubectl label namespace left istio.io/rev=default --overwrite" in steps(codes["WD855"])
        mesh.kubectl("label", "namespace", "left", "istio.io/rev=default", "--overwrite")
        again = steps(found()["WD855"])
        assert "kubectl delete mutatingwebhookconfiguration istio-sidecar-injector-1-27-0" in again
        assert (
            again.index("kubectl get mutatingwebhookconfiguration istio-sidecar-injector-1-27-0 -o yaml > istio-sidecar-injector-1-27-0.yaml") < len(again) - 1
        )


def test_two_injectors_take_the_same_pods(mesh: Mesh, found: Diagnose) -> None:
    second = injector("istio-sidecar-injector-istio-system", {"ca": False})
    del second["metadata"]["creationTimestamp"]
    with made(mesh, second):
        mesh.wait("istiod patches that one too", lambda: bool(mesh.bundle(INJECTOR[0], "istio-sidecar-injector-istio-system")))
        codes = found()
        assert "WD860" in codes
        assert says(codes["WD860"], "shop")


@pytest.mark.covers("mesh-replicaset-fails", "mesh-table-no-endpoints", code="WD104")
def test_istiod_is_down_and_the_replica_sets_say_so(mesh: Mesh, found: Diagnose) -> None:
    mesh.unready()
    with made(mesh, workload("shop", "blocked")):
        reason = "--field-selector=reason=FailedCreate"
        mesh.wait("the ReplicaSet's event", lambda: bool(mesh.get("-n", "shop", "events", reason)["items"]))
        codes = found()
        assert list(codes) == ["WD104"]
        assert says(codes["WD104"], "event of ReplicaSet shop/blocked-")
    mesh.start()
    mesh.kubectl("-n", "shop", "delete", "events", "--all")
    assert found() == {}


def unhealthy(pod: str, message: str) -> dict[str, Any]:
    """As the kubelet writes it."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{pod}.unhealthy", "namespace": "shop"},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": pod, "fieldPath": "spec.containers{istio-proxy}"},
        "type": "Warning",
        "reason": "Unhealthy",
        "message": message,
        "source": {"component": "kubelet", "host": "lab-worker"},
        "reportingComponent": "kubelet",
        "reportingInstance": "lab-worker",
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 9,
    }


NOT_READY = [
    pytest.param(
        "Readiness probe failed: Envoy proxy is NOT ready: config not received from Pilot (is Pilot running?): cds updates: 1 successful, 0 rejected; "
        "lds updates: 0 successful, 1 rejected",
        "Envoy rejects what it sends",
        id="rejected",
        marks=pytest.mark.covers("mesh-config-rejected", code="WD857"),
    ),
    pytest.param(
        "Startup probe failed: Envoy proxy is NOT ready: config not received from XDS server (is Istiod running?): cds updates: 0 successful, 0 rejected; "
        "lds updates: 0 successful, 0 rejected",
        "istiod is not reached",
        id="nothing received",
    ),
    pytest.param("Readiness probe failed: HTTP probe failed with statuscode: 503", "the log of istio-proxy does", id="status only"),
]


@pytest.mark.parametrize(("message", "meaning"), NOT_READY)
def test_sidecars_that_are_not_ready(mesh: Mesh, found: Diagnose, message: str, meaning: str) -> None:
    (pod,) = _waiting(mesh, "web")
    with made(mesh, unhealthy(pod, message)):
        codes = found()
        assert list(codes) == ["WD857"]
        assert says(codes["WD857"], meaning)
    mesh.place("shop", "app=web", ready=True, first=30)
    assert found() == {}


def _waiting(mesh: Mesh, name: str) -> list[str]:
    """The proxies of a workload have been running for a while, and are not ready."""
    pods = mesh.place("shop", f"app={name}", ready=True, first=30, proxy_ready=False)
    started = (datetime.now(timezone.utc) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for pod in pods:
        status = mesh.get("-n", "shop", "pod", pod)["status"]
        for one in status["containerStatuses"]:
            one["state"] = {"running": {"startedAt": started}}
        change = json.dumps({"status": {"containerStatuses": status["containerStatuses"]}})
        mesh.kubectl("-n", "shop", "patch", "pod", pod, "--subresource=status", "--type=merge", "-p", change)
    return pods


@pytest.mark.covers("mesh-discovery-address", code="WD858")
def test_a_discovery_address_that_names_no_service(mesh: Mesh, found: Diagnose) -> None:
    astray = workload("shop", "astray")
    wrong = "discoveryAddress: istiod-old.istio-system.svc:15012\n"
    astray["spec"]["template"]["metadata"]["annotations"] = {"proxy.istio.io/config": wrong}
    with made(mesh, astray):
        mesh.place("shop", "app=astray", ready=True, first=50)
        codes = found()
        assert list(codes) == ["WD858"]
        assert says(codes["WD858"], f"Service {HOME}/istiod-old does not exist")
        assert any(f"istiod.{HOME}.svc:15012" in step for step in steps(codes["WD858"]))
