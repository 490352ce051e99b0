# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects for tests, as the API server writes them, and a small cluster made of them."""

from __future__ import annotations

import base64
from typing import Any

Object = dict[str, Any]
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
BUNDLE = base64.b64encode(PEM.encode()).decode()


def obj(api_version: str, kind: str, name: str, namespace: str | None = None, labels: dict[str, str] | None = None, **rest: Any) -> Object:
    metadata: Object = {"name": name, "uid": f"uid-{name}", "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z"}
    metadata.update({"namespace": namespace} if namespace else {})
    metadata.update({"labels": labels} if labels else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def service_client(namespace: str, name: str, **rest: Any) -> Object:
    return {"service": {"namespace": namespace, "name": name, **rest}, "caBundle": BUNDLE}


def validating(name: str, *entries: Object) -> Object:
    return obj("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", name, webhooks=list(entries))


def entry(name: str, client: Object, **rest: Any) -> Object:
    rules = [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]
    return {"name": name, "clientConfig": client, "rules": rules, "sideEffects": "None", "admissionReviewVersions": ["v1"], **rest}


def crd(name: str, conversion: Object | None = None) -> Object:
    plural, group = name.split(".", 1)
    spec = {
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": plural, "kind": plural.capitalize()},
        "versions": [{"name": "v1", "served": True, "storage": True}],
    }
    return obj(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        name,
        spec={**spec, "conversion": conversion or {"strategy": "None"}},
        status={"storedVersions": ["v1"]},
    )


def apiservice(name: str, service: Object | None, available: str = "True", message: str = "all checks passed") -> Object:
    version, group = name.split(".", 1)
    conditions = [{"type": "Available", "status": available, "reason": "R", "message": message, "lastTransitionTime": "2026-01-01T00:00:00Z"}]
    return obj(
        "apiregistration.k8s.io/v1",
        "APIService",
        name,
        spec={"group": group, "version": version, "service": service, "caBundle": BUNDLE},
        status={"conditions": conditions},
    )


def service(namespace: str, name: str, **spec: Any) -> Object:
    ports = [{"name": "https", "port": 443, "targetPort": "webhook", "protocol": "TCP"}]
    return obj(
        "v1",
        "Service",
        name,
        namespace,
        spec={"type": "ClusterIP", "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "selector": {"app": name}, "ports": ports, **spec},
    )


def endpoint(address: str, pod: str | None = None, namespace: str = "hooks", **conditions: Any) -> Object:
    target = {"targetRef": {"kind": "Pod", "namespace": namespace, "name": pod}} if pod else {}
    return {"addresses": [address], "conditions": {"ready": True, "serving": True, "terminating": False, **conditions}, "nodeName": "n1", **target}


def endpoint_slice(namespace: str, service_name: str, *endpoints: Object, suffix: str = "abc12", family: str = "IPv4", ports: Any = None) -> Object:
    return obj(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        f"{service_name}-{suffix}",
        namespace,
        {"kubernetes.io/service-name": service_name},
        addressType=family,
        endpoints=list(endpoints),
        ports=[{"name": "https", "port": 9443, "protocol": "TCP"}] if ports is None else ports,
    )


def pod(namespace: str, name: str, labels: dict[str, str], ready: bool = True, **spec: Any) -> Object:
    containers = [{"name": "main", "image": "x", "ports": [{"name": "webhook", "containerPort": 9443}]}]
    state = {"name": "main", "ready": ready, "restartCount": 0, "state": {"running": {}}}
    status = {"phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": str(ready)}], "containerStatuses": [state]}
    return obj("v1", "Pod", name, namespace, labels, spec={"nodeName": "n1", "containers": containers, **spec}, status=status)


def api_server(name: str = "kube-apiserver-cp1", address: str = "10.1.0.1", flags: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Object:
    variables = [{"name": key, "value": value} for key, value in (env or {}).items()]
    containers = [{"name": "kube-apiserver", "command": ["kube-apiserver", *flags], "env": variables}]
    status = {"hostIP": address, "podIP": address, "phase": "Running"}
    return obj(
        "v1",
        "Pod",
        name,
        "kube-system",
        {"component": "kube-apiserver"},
        spec={"containers": containers, "nodeName": "cp1", "hostNetwork": True},
        status=status,
    )


def event(name: str, message: str, namespace: str = "shop", **rest: Any) -> Object:
    content = {
        "type": "Warning",
        "involvedObject": {"kind": "ReplicaSet", "namespace": namespace, "name": "web"},
        "message": message,
        "source": {"component": "replicaset-controller"},
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T01:00:00Z",
        "count": 3,
    }
    return obj("v1", "Event", name, namespace, **{**content, **rest})


FAILED = (
    'Error creating: Internal error occurred: failed calling webhook "one.example.com": failed to call webhook: '
    'Post "https://one.hooks.svc:443/?timeout=10s": EOF'
)


def a_cluster() -> dict[tuple[str, str], list[Object]]:
    """One call-out of each kind with a healthy back end, one whose Service is missing, one URL, and what surrounds them; (group, plural) -> objects."""
    conversion = {"strategy": "Webhook", "webhook": {"clientConfig": service_client("hooks", "one", path="/convert"), "conversionReviewVersions": ["v1"]}}
    mutating = validating("mutate", entry("two.example.com", {"url": "https://hooks.example.com/mutate", "caBundle": ""}))
    mutating["kind"] = "MutatingWebhookConfiguration"
    return {
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): [
            validating(
                "check", entry("one.example.com", service_client("hooks", "one", path="/check")), entry("gone.example.com", service_client("gone", "gone"))
            )
        ],
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): [mutating],
        ("apiextensions.k8s.io", "customresourcedefinitions"): [crd("things.example.com", conversion), crd("plain.example.com")],
        ("apiregistration.k8s.io", "apiservices"): [
            apiservice("v1.apps", None),
            apiservice("v1beta1.metrics.k8s.io", {"namespace": "hooks", "name": "one", "port": 443}, "False", "failing or missing response"),
        ],
        ("", "namespaces"): [
            obj("v1", "Namespace", name, labels={"kubernetes.io/metadata.name": name}) for name in ("default", "hooks", "kube-system", "shop")
        ],
        ("", "services"): [service("hooks", "one"), service("hooks", "unrelated"), service("shop", "web")],
        ("discovery.k8s.io", "endpointslices"): [
            endpoint_slice("hooks", "one", endpoint("10.0.0.1", "one-1"), endpoint("10.0.0.2", "one-2", ready=False, serving=False)),
            endpoint_slice("hooks", "unrelated", endpoint("10.0.0.3")),
            endpoint_slice("default", "kubernetes", endpoint("10.1.0.1"), endpoint("10.1.0.2"), ports=[{"name": "https", "port": 6443}]),
        ],
        ("", "pods"): [
            pod("hooks", "one-1", {"app": "one"}),
            pod("hooks", "one-2", {"app": "one"}, ready=False),
            pod("hooks", "other", {"app": "other"}),
            api_server(flags=("--enable-aggregator-routing=true", "--etcd-servers=https://e"), env={"HTTPS_PROXY": "http://u:p@proxy:3128"}),
        ],
        ("", "events"): [event("a", FAILED), event("b", FAILED), event("c", "Back-off restarting failed container"), event("d", FAILED, type="Normal")],
        ("apps", "deployments"): [
            obj(
                "apps/v1",
                "Deployment",
                "web",
                "shop",
                status={"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": FAILED}]},
            )
        ],
    }
