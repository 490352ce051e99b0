# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control plane as it really is: loopback certificates, counters of calls, proxy variables, policies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from doctorlab import Lab, Options, addresses
from lab_diagnosis import Diagnosis, diagnose

IGNORED = "fault-ignore-works"
APPS = "denied-by-policy"


def apply(lab: Lab, *objects: dict[str, Any]) -> None:
    lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))


def codes(diagnosis: Diagnosis, *severities: str) -> list[str]:
    return [finding["code"] for finding in diagnosis.report["findings"] if finding["severity"] in severities]


def the(diagnosis: Diagnosis, code: str) -> dict[str, Any]:
    (found,) = [finding for finding in diagnosis.report["findings"] if finding["code"] == code]
    return found


def loopback_probes(diagnosis: Diagnosis) -> list[str]:
    return [probe["name"] for probe in diagnosis.report["bundle"]["probes"] if probe["name"].startswith("loopback ")]


# ---- two API servers, all well


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("control-plane") / "lab", Options(faults="healthy,denies,apiservice-works", api_servers=2)) as lab:
        fail_open(lab, times=3)
        second = {"KUBECONFIG": str(lab.kubeconfig_for("admin", addresses.SECOND))}
        lab.kubectl("-n", "fault-healthy", "patch", "configmap", "settings", "-p", json.dumps({"data": {"n": "1"}}), env=second)
        deny_by_policy(lab)
        yield lab


def fail_open(lab: Lab, times: int) -> None:
    """A webhook with failurePolicy Ignore cannot be called for a while; then all is as it was."""
    port = "/webhooks/0/clientConfig/service/port"

    def patch(number: int) -> None:
        change = json.dumps([{"op": "replace", "path": port, "value": number}])
        lab.kubectl("patch", "validatingwebhookconfiguration", IGNORED, "--type=json", "-p", change)

    patch(444)
    deadline = time.monotonic() + 60
    while times and time.monotonic() < deadline:
        lab.kubectl("-n", IGNORED, "patch", "configmap", "settings", "-p", json.dumps({"data": {"n": str(time.monotonic())}}))
        metrics = lab.kubectl("get", "--raw", "/metrics")
        counted = [line for line in metrics.splitlines() if line.startswith("apiserver_admission_webhook_fail_open_count")]
        if counted and float(counted[0].rsplit(" ", 1)[1]) >= times:
            times = 0
    assert not times, "no request failed open"
    patch(443)


def deny_by_policy(lab: Lab) -> None:
    """A ReplicaSet wants a pod that a ValidatingAdmissionPolicy denies, and its controller writes an Event."""
    api = "admissionregistration.k8s.io/v1"
    match = {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}
    apply(
        lab,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": APPS}},
        {
            "apiVersion": api,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "no-pods"},
            "spec": {"matchConstraints": match, "validations": [{"expression": "false", "message": "no pods here"}]},
        },
        {
            "apiVersion": api,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "no-pods-denied"},
            "spec": {
                "policyName": "no-pods",
                "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": APPS}}},
            },
        },
    )
    deadline = time.monotonic() + 60
    created = 0
    labels = {"app": "shop"}
    while time.monotonic() < deadline and "ValidatingAdmissionPolicy 'no-pods'" not in lab.kubectl("-n", APPS, "get", "events", "-o", "json"):
        # The binding takes effect some time after it was made; a ReplicaSet of before that has its pod.
        created += 1
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "shop", "image": "shop"}]}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        apply(lab, {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": f"shop-{created}", "namespace": APPS}, "spec": spec})
        time.sleep(1)


@pytest.fixture(scope="module")
def diagnosis(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    return diagnose(lab, tmp_path_factory.mktemp("control-plane") / "report")


def test_nothing_fails(diagnosis: Diagnosis) -> None:
    assert codes(diagnosis, "error") == []
    assert codes(diagnosis, "warning") == ["WD620"]


@pytest.mark.covers("loopback-read-by-sni", "loopback-livez", "loopback-only-some-requests", code="WD690")
def test_the_certificate_of_each_instance_is_listed(diagnosis: Diagnosis) -> None:
    listed = diagnosis.report["summary"]["loopback"]
    assert [one["address"] for one in listed] == [f"{address}:{addresses.API_PORT}" for address in addresses.CONTROL_PLANES.values()]
    for one in listed:
        assert (one["reason"], one["livez_check"], one["lifetime_days"]) == (None, True, 1096)
        assert 1095 < one["days_left"] <= 1096
        assert one["started"] <= diagnosis.report["summary"]["observed_at"]
    text = (diagnosis.folder / "report.md").read_text(encoding="utf-8")
    assert "## API servers" in text and f"172.31.0.12:{addresses.API_PORT}" in text


@pytest.mark.covers("loopback-livez", code="WD690")
def test_the_lifetime_is_read_and_not_computed(old_diagnosis: Diagnosis) -> None:
    """Kubernetes 1.30: a year, and no liveness check; its counters have the same names."""
    (one,) = old_diagnosis.report["summary"]["loopback"]
    assert (one["livez_check"], one["lifetime_days"]) == (False, 365)
    counted = old_diagnosis.report["bundle"]["facts"]["control_plane"]["admission"]
    assert {one["webhook"]: one["fail_open"] for one in counted}["pods.connection-refused-fail-open.fault.lab.example.com"] > 0


def test_requests_that_passed_unseen_are_counted_at_the_instance_that_let_them(diagnosis: Diagnosis) -> None:
    found = the(diagnosis, "WD620")
    assert (found["severity"], found["subject"]["name"]) == ("warning", IGNORED)
    assert f"API server {addresses.CONTROL_PLANES[addresses.FIRST]}:{addresses.API_PORT}, since its start at 20" in found["evidence"][0]
    admission = diagnosis.report["bundle"]["facts"]["control_plane"]["admission"]
    started = {one["address"]: datetime.fromisoformat(one["started"]) for one in diagnosis.report["summary"]["loopback"]}
    for one in admission:  # the start that /metrics tells, beside the one that the loopback certificate tells
        assert abs(datetime.fromisoformat(one["since"]) - started[one["instance"]]) < timedelta(minutes=1)
    instances = {one["instance"] for one in admission}
    assert instances == {f"{address}:{addresses.API_PORT}" for address in addresses.CONTROL_PLANES.values()}


def test_a_policy_is_told_from_a_webhook(diagnosis: Diagnosis) -> None:
    found = the(diagnosis, "WD631")
    assert (found["severity"], found["subject"]["name"]) == ("info", "no-pods")
    assert "ValidatingAdmissionPolicy no-pods exists, failurePolicy Fail, bound by no-pods-denied (Deny)" in found["evidence"]
    assert any("no pods here" in line for line in found["evidence"])


def test_the_counters_are_within_the_shipped_rights(diagnosis: Diagnosis) -> None:
    assert "metrics" not in {gap["what"] for gap in diagnosis.report["bundle"]["facts"]["coverage"]}


@pytest.mark.covers("loopback-not-asked-k3s", code="WD690")
def test_k3s_is_never_asked(lab: Lab, tmp_path: Path) -> None:
    lab.kubectl("label", "node", addresses.FIRST, "node.kubernetes.io/instance-type=k3s")
    try:
        diagnosis = diagnose(lab, tmp_path / "report")
    finally:
        lab.kubectl("label", "node", addresses.FIRST, "node.kubernetes.io/instance-type-")
    assert loopback_probes(diagnosis) == []
    assert all("this is k3s (node lab-control-plane has the label" in one["reason"] for one in diagnosis.report["summary"]["loopback"])


# ---- one API server behind a proxy


def mirror_pod(environment: dict[str, str]) -> dict[str, Any]:
    """What the kubelet of a kubeadm control plane shows of kube-controller-manager."""
    container = {
        "name": "kube-controller-manager",
        "image": "registry.k8s.io/kube-controller-manager:v1.36.3",
        "command": ["kube-controller-manager", "--cluster-cidr=10.244.0.0/16"],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
    }
    labels = {"component": "kube-controller-manager", "tier": "control-plane"}
    metadata = {"name": f"kube-controller-manager-{addresses.FIRST}", "namespace": "kube-system", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"nodeName": addresses.FIRST, "containers": [container]}}


@pytest.mark.covers("cm-service-unavailable", code="WD220")
def test_what_no_proxy_lacks_is_said(tmp_path: Path) -> None:
    """Calls fail because of it: then it is evidence. kube-controller-manager's fails nothing that can be seen: then it is a warning."""
    config = {"networking": {"serviceSubnet": "10.96.0.0/16", "podSubnet": "10.244.0.0/16"}, "controlPlaneEndpoint": "api.lab.example.net:6443"}
    with Lab(tmp_path / "lab", Options(faults="healthy", proxy="unavailable")) as lab:
        apply(
            lab,
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "kubeadm-config", "namespace": "kube-system"},
                "data": {"ClusterConfiguration": yaml.safe_dump(config)},
            },
            mirror_pod({"HTTPS_PROXY": "http://user:planted-7d1c@172.31.0.88:8888", "NO_PROXY": "127.0.0.1,10.96.0.0/16,.svc"}),
        )
        diagnosis = diagnose(lab, tmp_path / "report")
    assert codes(diagnosis, "error", "warning") == ["WD220", "WD606"]
    evidence = " ".join(the(diagnosis, "WD220")["evidence"])
    assert "it lacks .svc (webhooks, which this version recognises by their names" in evidence
    assert "# It lacks at least .svc." in the(diagnosis, "WD220")["remedy"]["manual"]
    components = the(diagnosis, "WD606")
    assert "it calls the API server at api.lab.example.net or 172.31.0.11, and NO_PROXY covers none of them" in components["evidence"]
    assert len(diagnosis.report["summary"]["loopback"]) == 1
    written = "".join(path.read_text(encoding="utf-8") for path in diagnosis.folder.iterdir())
    assert "planted-7d1c" not in written + diagnosis.output
