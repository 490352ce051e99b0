# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of cert-manager: by label and container, whatever a release is called; from the API and from files."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import observe
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import FakeApiServer

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
OPTIONS = {"src": [], "evidence": True, "access_review": False, "read_ca_secrets": False, "timeout": 5.0, "page_size": 500}
CREATED = "2026-05-01T00:00:00Z"
ARGUMENTS = {
    "webhook": [
        "--v=2",
        "--secure-port=10260",
        "--healthz-port=6081",
        "--dynamic-serving-ca-secret-namespace=$(POD_NAMESPACE)",
        "--dynamic-serving-ca-secret-name=blue-webhook-ca",
        "--dynamic-serving-dns-names=blue-webhook",
        "--dynamic-serving-dns-names=blue-webhook.tls.svc",
        "--some-token=planted-5d1c",
    ],
    "cainjector": ["--v=2", "--leader-election-namespace=tls"],
    "controller": ["--leader-election-namespace=tls", "--acme-http01-solver-image=x"],
}
HELD = "blue-cainjector-1_0d6f"


def labels(component: str) -> dict[str, str]:
    name = "cert-manager" if component == "controller" else component
    return {"app.kubernetes.io/component": component, "app.kubernetes.io/name": name, "app.kubernetes.io/instance": "blue"}


def container(component: str, name: str | None = None) -> dict[str, Any]:
    return {
        "name": name or f"cert-manager-{component}",
        "image": f"registry.example.com:5000/jetstack/cert-manager-{component}:v1.15.1@sha256:0123" if name is None else "registry.example.com/other:v9.1.0",
        "args": ARGUMENTS[component] if name is None else [],
        "env": [{"name": "PASSWORD", "value": "planted-5d1c"}],
        "ports": [{"name": "https", "containerPort": 10260}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "healthcheck"}},
    }


def deployment(component: str, name: str, **more: Any) -> dict[str, Any]:
    spec = {"replicas": 2, "template": {"metadata": {"labels": labels(component)}, "spec": {"containers": [more.pop("container", container(component))]}}}
    metadata = {"namespace": "tls", "name": name, "labels": labels(component), "creationTimestamp": CREATED}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec, "status": {"readyReplicas": 1}, **more}


def pod(component: str, name: str) -> dict[str, Any]:
    state = {"name": f"cert-manager-{component}", "ready": False, "restartCount": 4, "state": {"running": {"startedAt": CREATED}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": "tls", "name": name, "labels": labels(component)},
        "spec": {"nodeName": "node-1", "containers": [container(component)]},
        "status": {"phase": "Running", "containerStatuses": [state], "conditions": [{"type": "Ready", "status": "False"}]},
    }


def event(name: str, message: str, subject: str, reason: str = "Unhealthy") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": "tls", "name": name},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "source": {"component": "kubelet"},
        "involvedObject": {"kind": "Pod", "namespace": "tls", "name": subject},
        "count": 7,
        "lastTimestamp": CREATED,
    }


FAILED = "Readiness probe failed: HTTP probe failed with statuscode: 500"
OBJECTS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("apps", "deployments"): [
        deployment("webhook", "blue-webhook"),
        deployment("cainjector", "blue-cainjector"),
        deployment("controller", "blue"),
        deployment("webhook", "somebody-elses", container=container("webhook", "webhook")),
    ],
    ("", "pods"): [pod("webhook", "blue-webhook-1"), pod("cainjector", "blue-cainjector-1")],
    ("coordination.k8s.io", "leases"): [
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"namespace": "tls", "name": "cert-manager-cainjector-leader-election"},
            "spec": {"holderIdentity": HELD, "renewTime": "2026-05-31T23:59:55.123456Z", "leaseDurationSeconds": 60},
        }
    ],
    ("batch", "jobs"): [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"namespace": "tls", "name": "blue-startupapicheck", "labels": labels("startupapicheck"), "creationTimestamp": CREATED},
            "status": {"failed": 5, "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]},
        }
    ],
    ("", "events"): [event("one", FAILED, "blue-webhook-1"), event("two", FAILED, "other-1"), event("three", "x", "blue-webhook-1", reason="BackOff")],
    ("cert-manager.io", "issuers"): [],
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): [],
}


@pytest.fixture
def installed() -> Any:
    server = FakeApiServer()
    for (group, plural), objects in OBJECTS.items():
        server.add(group, plural, *objects)
    yield server
    server.close()


def seen(fake: FakeApiServer) -> dict[str, Any]:
    return observe({**OPTIONS, "host": fake.url, "api_key": "t"}, NOW).facts


def test_from_the_api(installed: FakeApiServer) -> None:
    facts = seen(installed)
    found = facts["apps"]["cert_manager"]
    assert [(one["component"], one["name"], one["version"], one["replicas"], one["ready"]) for one in found["deployments"]] == [
        ("controller", "blue", "1.15.1", 2, 1),
        ("cainjector", "blue-cainjector", "1.15.1", 2, 1),
        ("webhook", "blue-webhook", "1.15.1", 2, 1),
    ]
    webhook = found["deployments"][2]
    assert webhook["arguments"] == {
        "secure-port": ["10260"],
        "healthz-port": ["6081"],
        "dynamic-serving-ca-secret-namespace": ["tls"],
        "dynamic-serving-ca-secret-name": ["blue-webhook-ca"],
        "dynamic-serving-dns-names": ["blue-webhook", "blue-webhook.tls.svc"],
    }
    assert webhook["readiness"] == {"path": "/healthz", "port": "healthcheck"}
    assert [(one["name"], one["component"], one["started"], one["restarts"], one["ready"]) for one in found["pods"]] == [
        ("blue-cainjector-1", "cainjector", CREATED, 4, False),
        ("blue-webhook-1", "webhook", CREATED, 4, False),
    ]
    assert [(one["namespace"], one["name"], one["found"], one["holder"]) for one in found["leases"]] == [
        ("tls", "cert-manager-cainjector-leader-election", True, HELD),
        ("tls", "cert-manager-controller", False, None),
    ]
    assert [(one["name"], one["ended"], one["failed"]) for one in found["jobs"]] == [("blue-startupapicheck", "BackoffLimitExceeded", 5)]
    assert found["probe_failures"] == [{"namespace": "tls", "pod": "blue-webhook-1", "message": FAILED, "count": 7, "last": CREATED}]
    assert "planted-5d1c" not in json.dumps(facts)
    assert len(installed.asked("events")) == 1


def test_what_may_not_be_read_is_not_known(installed: FakeApiServer) -> None:
    installed.forbidden |= {"leases", "jobs"}
    facts = seen(installed)
    assert {one["found"] for one in facts["apps"]["cert_manager"]["leases"]} == {None}
    assert {"lease tls/cert-manager-controller", "jobs of cert-manager"} <= {entry["what"] for entry in facts["coverage"] if entry["reason"] == "forbidden"}


def test_a_lease_that_two_want_is_asked_for_once(installed: FakeApiServer) -> None:
    installed.objects[("", "pods")].append(pod("controller", "blue-1"))  # its arguments lead ACME's observer to the same Lease
    facts = seen(installed)
    assert [one["component"] for one in facts["apps"]["acme"]["pods"]].count("controller") == 1
    assert sorted(path.rpartition("/")[2] for path, dummy in installed.asked("leases")) == [
        "cert-manager-cainjector-leader-election",
        "cert-manager-controller",
    ]


@pytest.mark.parametrize(
    "component,arguments,lease",
    [
        ("controller", [], ("kube-system", "cert-manager-controller")),
        ("cainjector", [], ("kube-system", "cert-manager-cainjector-leader-election")),
        ("webhook", [], None),
        ("controller", ["--leader-election-namespace=tls"], ("tls", "cert-manager-controller")),
        ("controller", ["--leader-election-namespace=one", "--leader-election-namespace=tls"], ("tls", "cert-manager-controller")),
        ("controller", ["--leader-elect=false"], None),
        ("controller", ["--leader-elect=false", "--leader-elect=true"], ("kube-system", "cert-manager-controller")),
    ],
)
def test_where_a_leader_is_elected(installed: FakeApiServer, component: str, arguments: list[str], lease: tuple[str, str] | None) -> None:
    """As flags are parsed: the last one counts."""
    part = deployment(component, "blue", container={**container(component), "args": arguments})
    installed.objects[("apps", "deployments")], installed.objects[("", "pods")] = [part], []
    found = seen(installed)["apps"]["cert_manager"]
    assert [(one["namespace"], one["name"]) for one in found["leases"]] == ([lease] if lease else [])
    assert [path for path, dummy in installed.asked("leases")] == ([f"/apis/coordination.k8s.io/v1/namespaces/{lease[0]}/leases/{lease[1]}"] if lease else [])


@pytest.mark.parametrize("hostile", ["../../../api/v1/secrets?x=", "tls/secrets/x#", "..", "a b", "%2e%2e"])
def test_an_argument_is_not_put_into_a_path(installed: FakeApiServer, hostile: str) -> None:
    part = deployment("controller", "blue", container={**container("controller"), "args": [f"--leader-election-namespace={hostile}"]})
    installed.objects[("apps", "deployments")], installed.objects[("", "pods")] = [part], []
    facts = seen(installed)
    assert [one["found"] for one in facts["apps"]["cert_manager"]["leases"]] == [None]
    assert {entry["what"]: entry["reason"] for entry in facts["coverage"]}[f"lease {hostile}/cert-manager-controller"] == "error"
    assert not [path for dummy, path, *dummies in installed.requests if "lease" in path or "secret" in path or ".." in path]


def test_nothing_is_asked_where_its_groups_are_not_served(installed: FakeApiServer) -> None:
    del installed.objects[("cert-manager.io", "issuers")]
    assert "cert_manager" not in seen(installed)["apps"]
    assert not installed.asked("leases") and not installed.asked("jobs")


def test_groups_without_an_installation(installed: FakeApiServer) -> None:
    installed.objects[("apps", "deployments")] = installed.objects[("", "pods")] = []
    assert seen(installed)["apps"]["cert_manager"] is None


def test_from_files(tmp_path: Path) -> None:
    objects = [obj for kind in OBJECTS.values() for obj in kind]
    (tmp_path / "all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [objects[-1], *objects]}), encoding="utf-8")
    found = observe({"src": [str(tmp_path)]}, NOW).facts["apps"]["cert_manager"]
    assert len(found["deployments"]) == 3 and len(found["pods"]) == 2 and len(found["jobs"]) == 1
    assert [(one["name"], one["found"]) for one in found["leases"]] == [("cert-manager-cainjector-leader-election", True), ("cert-manager-controller", None)]
    assert found["probe_failures"][0]["message"] == FAILED


@pytest.mark.parametrize(
    "broken",
    [
        {"spec": None},
        {"spec": {"replicas": "two", "template": {"spec": {"containers": [None, {"name": 3, "args": "x", "ports": [1]}]}}}},
        {"status": {"conditions": "none", "readyReplicas": "x"}},
    ],
)
def test_odd_objects_do_no_harm(installed: FakeApiServer, broken: dict[str, Any]) -> None:
    installed.add("apps", "deployments", {**deployment("webhook", "odd"), **broken})
    assert len(seen(installed)["apps"]["cert_manager"]["deployments"]) >= 3
