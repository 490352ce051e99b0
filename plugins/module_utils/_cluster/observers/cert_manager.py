# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cert-manager's own parts: the three Deployments and their pods, who holds their leases, the check after an installation. Pure. PRIVATE to the collection.

They are known by labels and by what their containers are, never by their names: a release may be called anything. Source: deploy/charts/cert-manager/templates
of cert-manager (static manifests are made of the same templates), cmd/{webhook,cainjector,controller}, from 0.11 to 1.21.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.cert_manager_election import LEASES, lease_of
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.events import count_of, last_seen, message_of, subject_of
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Listing, Named, Wanted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.pods import pod_facts
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import (
    bounded,
    integer,
    labels,
    mapping,
    mappings,
    name_of,
    namespace_of,
    text,
    texts,
)

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory

COMPONENTS = ("webhook", "cainjector", "controller")
_COMPONENT, _INSTANCE, _VERSION = "app.kubernetes.io/component", "app.kubernetes.io/instance", "app.kubernetes.io/version"
_STARTUP_CHECK = "startupapicheck"
# The arguments that judging needs; no other is kept.
_ARGUMENTS = frozenset(
    (
        "secure-port",
        "healthz-port",
        "namespace",
        "ignore-namespaces",
        "leader-elect",
        "leader-election-namespace",
        "dynamic-serving-ca-secret-namespace",
        "dynamic-serving-ca-secret-name",
        "dynamic-serving-dns-names",
        "tls-cert-file",
        "config",
    )
)
_LONGEST = 500
# Readiness failures of pods that turn out to be others' are kept until then.
_MOST_FAILURES = 2000


class CertManager(Observer):
    """`apps.cert_manager` of the facts."""

    path = ("apps", "cert_manager")
    kinds = frozenset((("apps", "Deployment"), ("", "Pod"), ("coordination.k8s.io", "Lease"), ("batch", "Job"), ("", "Event"), ("events.k8s.io", "Event")))

    def __init__(self) -> None:
        self._deployments: dict[tuple[str, str], dict[str, Any]] = {}
        self._pods: dict[tuple[str, str], dict[str, Any]] = {}
        self._leases: dict[tuple[str, str], dict[str, Any]] = {}
        self._jobs: dict[tuple[str, str], dict[str, Any]] = {}
        self._failures: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._asked: dict[tuple[str, str], str] = {}  # lease -> what coverage calls it

    def first(self) -> Iterable[Wanted]:
        selector = {"labelSelector": f"{_COMPONENT} in ({','.join(COMPONENTS)})"}
        yield Listing("deployments of cert-manager", "/apis/apps/v1/deployments", "apps/v1", "Deployment", selector)

    def then(self, inventory: Inventory) -> Iterable[Wanted]:
        for namespace in sorted(self._namespaces()):
            selector = {"labelSelector": f"{_COMPONENT} in ({','.join((*COMPONENTS, _STARTUP_CHECK))})"}
            yield Listing("pods of cert-manager", f"/api/v1/namespaces/{namespace}/pods", "v1", "Pod", selector)
            jobs = {"labelSelector": f"{_COMPONENT}={_STARTUP_CHECK}"}
            yield Listing("jobs of cert-manager", f"/apis/batch/v1/namespaces/{namespace}/jobs", "batch/v1", "Job", jobs)
        for namespace, name in sorted(self._wanted_leases()):
            what = f"lease {namespace}/{name}"
            self._asked[(namespace, name)] = what
            path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}"
            yield Named(what, path, "coordination.k8s.io/v1", "Lease")

    def _namespaces(self) -> set[str]:
        return {namespace for namespace, _name in self._deployments}

    def _wanted_leases(self) -> set[tuple[str, str]]:
        return {lease for item in self._deployments.values() if (lease := lease_of(item["component"], item["arguments"]))}

    def take(self, obj: dict[str, Any]) -> None:
        kind = obj["kind"]
        if kind == "Event":
            self._take_event(obj)
        elif kind == "Lease":
            if name_of(obj) in LEASES.values():
                self._leases[(namespace_of(obj), name_of(obj))] = _lease(obj)
        elif kind == "Job":
            if labels(mapping(obj.get("metadata")).get("labels")).get(_COMPONENT) == _STARTUP_CHECK:
                self._jobs[(namespace_of(obj), name_of(obj))] = _job(obj)
        else:
            template = mapping(mapping(mapping(obj.get("spec")).get("template")).get("spec")) if kind == "Deployment" else mapping(obj.get("spec"))
            component = _component(labels(mapping(obj.get("metadata")).get("labels")), template)
            if component and kind == "Deployment":
                self._deployments[(namespace_of(obj), name_of(obj))] = _deployment(obj, component, template)
            elif component:
                self._pods[(namespace_of(obj), name_of(obj))] = _pod(obj, component)

    def _take_event(self, event: dict[str, Any]) -> None:
        """The kubelet's words about probes; whose pod it is shows later. (`evidence.py` leaves the kubelet's events out.)"""
        message, subject = message_of(event) or "", subject_of(event)
        if event.get("reason") != "Unhealthy" or "probe failed" not in message or len(self._failures) >= _MOST_FAILURES:
            return
        key = (text(subject.get("namespace")) or "default", text(subject.get("name")) or "", bounded(message, _LONGEST))
        known = self._failures.setdefault(key, {"count": 0, "last": None})
        known["count"] = max(known["count"], count_of(event))
        known["last"] = max(filter(None, (known["last"], last_seen(event))), default=None)

    def facts(self, inventory: Inventory) -> Any:
        """None where there is nothing of cert-manager."""
        if not self._deployments and not self._pods:
            return None
        unread = {entry["what"] for entry in inventory.coverage.entries()}
        wanted = {**dict.fromkeys(sorted(self._wanted_leases())), **dict.fromkeys(sorted(self._leases))}
        return {
            "deployments": [self._deployments[key] for key in sorted(self._deployments)],
            "pods": [self._pods[key] for key in sorted(self._pods)],
            "leases": [self._leases.get(key) or _no_lease(key, self._found(key, unread)) for key in wanted],
            "jobs": [self._jobs[key] for key in sorted(self._jobs)],
            "probe_failures": [
                {"namespace": namespace, "pod": name, "message": message, **self._failures[(namespace, name, message)]}
                for namespace, name, message in sorted(self._failures)
                if (namespace, name) in self._pods
            ],
        }

    def _found(self, key: tuple[str, str], unread: set[str]) -> bool | None:
        what = self._asked.get(key)
        return False if what is not None and what not in unread else None


def _component(own: dict[str, str], spec: dict[str, Any]) -> str | None:
    """Which part of cert-manager this is: others call theirs webhook and controller too, so the container has to be one of cert-manager's."""
    component = own.get(_COMPONENT) or own.get("app.kubernetes.io/name") or own.get("app")
    if component not in COMPONENTS:
        return None
    for container in mappings(spec.get("containers")):
        image, name = text(container.get("image")) or "", text(container.get("name")) or ""
        if (
            name == f"cert-manager-{component}"
            or f"cert-manager-{component}" in image.rpartition("/")[2]
            or (component == "controller" and name == "cert-manager")
        ):
            return component
        if any(argument.startswith("--dynamic-serving-ca-secret-name=") for argument in texts(container.get("args"))):
            return component
    return None


def _main_container(spec: dict[str, Any], component: str) -> dict[str, Any]:
    containers = mappings(spec.get("containers"))
    return next((one for one in containers if component in (text(one.get("name")) or "")), containers[0] if containers else {})


def _deployment(obj: dict[str, Any], component: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata, status = mapping(obj.get("metadata")), mapping(obj.get("status"))
    own = labels(metadata.get("labels"))
    container = _main_container(spec, component)
    image = text(container.get("image")) or ""
    replicas = mapping(obj.get("spec")).get("replicas")
    return {
        "namespace": namespace_of(obj),
        "name": name_of(obj),
        "component": component,
        "instance": own.get(_INSTANCE),
        "helm": own.get("app.kubernetes.io/managed-by") == "Helm",
        "version": _version(image, own),
        "created": text(metadata.get("creationTimestamp")),
        "replicas": 1 if replicas is None else integer(replicas) or 0,
        "ready": integer(status.get("readyReplicas")) or 0,
        "container": text(container.get("name")),
        "arguments": _arguments(texts(container.get("args")), namespace_of(obj)),
        "ports": [{"name": text(port.get("name")), "port": integer(port.get("containerPort"))} for port in mappings(container.get("ports"))],
        "readiness": _probe(container.get("readinessProbe")),
        "host_network": spec.get("hostNetwork") is True,
        "service_account": text(spec.get("serviceAccountName")),
        "conditions": [
            {key: text(item.get(key)) for key in ("type", "status", "reason")} | {"message": bounded(text(item.get("message")) or "", _LONGEST)}
            for item in mappings(status.get("conditions"))
            if item.get("type") == "ReplicaFailure" or item.get("status") == "False"
        ],
    }


def _version(image: str, own: dict[str, str]) -> str | None:
    """ "1.15.1": of the image's tag, else of the labels that the chart sets; None where only a digest is known."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    for said in (tag, own.get(_VERSION) or "", (own.get("helm.sh/chart") or "").rpartition("-v")[2]):
        if said.lstrip("v")[:1].isdigit() and "." in said:
            return said.lstrip("v")
    return None


def _arguments(given: list[str], namespace: str) -> dict[str, list[str]]:
    """Those of _ARGUMENTS, each with all values that it was given: `--a=b`; flags without value are "true"."""
    found: dict[str, list[str]] = {}
    for argument in given:
        name, equals, value = argument.lstrip("-").partition("=")
        if name in _ARGUMENTS and argument.startswith("-"):
            values = value.replace("$(POD_NAMESPACE)", namespace).split(",") if equals else ["true"]
            found.setdefault(name, []).extend(bounded(one, _LONGEST) for one in values)
    return found


def _probe(probe: Any) -> dict[str, Any] | None:
    """{path, port}: the port may be a name."""
    asked = mapping(mapping(probe).get("httpGet"))
    if not asked:
        return None
    number = integer(asked.get("port"))
    return {"path": text(asked.get("path")) or "/", "port": text(asked.get("port")) if number is None else number}


def _pod(obj: dict[str, Any], component: str) -> dict[str, Any]:
    pod = pod_facts(obj)
    name = text(_main_container(mapping(obj.get("spec")), component).get("name"))
    container = next((one for one in pod["containers"] if one["name"] == name), None) or {}
    statuses = mappings(mapping(obj.get("status")).get("containerStatuses"))
    state = next((mapping(one.get("state")) for one in statuses if one.get("name") == name), {})
    return {
        "namespace": pod["namespace"],
        "name": pod["name"],
        "component": component,
        "instance": pod["labels"].get(_INSTANCE),
        "phase": pod["phase"],
        "ready": pod["ready"],
        "terminating": pod["terminating"],
        "node": pod["node"],
        "started": text(mapping(state.get("running")).get("startedAt")),
        "restarts": container.get("restarts", 0),
        "waiting": container.get("waiting"),
        "terminated": container.get("terminated"),
    }


def _lease(obj: dict[str, Any]) -> dict[str, Any]:
    spec = mapping(obj.get("spec"))
    return {
        "namespace": namespace_of(obj),
        "name": name_of(obj),
        "found": True,
        "holder": text(spec.get("holderIdentity")),
        "renewed": text(spec.get("renewTime")),
        "duration_seconds": integer(spec.get("leaseDurationSeconds")),
    }


def _no_lease(key: tuple[str, str], found: bool | None) -> dict[str, Any]:
    """found: False where it was asked for and is not there, None where that could not be asked."""
    return {"namespace": key[0], "name": key[1], "found": found, "holder": None, "renewed": None, "duration_seconds": None}


def _job(obj: dict[str, Any]) -> dict[str, Any]:
    status = mapping(obj.get("status"))
    failed = next((item for item in mappings(status.get("conditions")) if item.get("type") == "Failed" and item.get("status") == "True"), {})
    return {
        "namespace": namespace_of(obj),
        "name": name_of(obj),
        "created": text(mapping(obj.get("metadata")).get("creationTimestamp")),
        "succeeded": integer(status.get("succeeded")) or 0,
        "failed": integer(status.get("failed")) or 0,
        "ended": text(failed.get("reason")),
    }
