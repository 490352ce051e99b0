# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes objects of a target and of the control plane, as plain data. Pure."""

from __future__ import annotations

import base64
from typing import Any

from . import addresses, targets
from .faults import Rule
from .targets import Target

Object = dict[str, Any]
IMAGE = "registry.lab.example.net/webhook:1"
PAUSE_IMAGE = "registry.lab.example.net/pause:1"
_CREATED = "2026-01-01T00:00:00Z"  # conditions and containers need some time of start


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def config_map(name_space: str) -> Object:
    """The object that is there before the webhook is, so that a patch of it reaches the webhook."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": name_space}, "data": {"colour": "green"}}


def service(target: Target) -> Object:
    made = target.make.service
    spec: Object
    if made.type == "ExternalName":
        spec = {"type": "ExternalName", "externalName": target.external_name, "ports": [{"name": "https", "port": made.port}]}
    else:
        selector = {"app": targets.SERVICE} if made.selects_pods else {"app": "renamed"}
        spec = {"selector": selector, "ports": [{"name": "https", "port": made.port, "targetPort": made.target_port}]}
        if made.headless:
            spec["clusterIP"] = "None"
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": targets.SERVICE, "namespace": target.namespace}, "spec": spec}


def network_policy(target: Target) -> Object:
    """What people write to let the control plane in, which does not (the API server is no pod); or what does."""
    rule: Object = {"ports": [{"protocol": "TCP", "port": addresses.WEBHOOK_PORT}]}
    if target.make.policy == "refuses":
        rule["from"] = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "webhook", "namespace": target.namespace},
        "spec": {"podSelector": {"matchLabels": {"app": targets.SERVICE}}, "policyTypes": ["Ingress"], "ingress": [rule]},
    }


def pods(target: Target) -> list[Object]:
    """Running pods with their status; `api.create` writes the status apart."""
    return [_pod(target, number, address) for number, address in enumerate(target.pods)]


def pod_name(number: int) -> str:
    return f"webhook-{number}"


def _pod(target: Target, number: int, address: str) -> Object:
    node = next(iter(addresses.WORKERS))
    container = {
        "name": "webhook",
        "image": IMAGE,
        "ports": [{"name": targets.PORT_NAME, "containerPort": addresses.WEBHOOK_PORT, "protocol": "TCP"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod_name(number), "namespace": target.namespace, "labels": {"app": targets.SERVICE}},
        "spec": {"nodeName": node, "automountServiceAccountToken": False, "containers": [container]},
        "status": running(container["name"], addresses.WORKERS[node], address, ready=number < target.make.pods.ready),
    }


def running(container: Any, host: str, address: str, *, ready: bool) -> Object:
    """The status that a kubelet would write for a pod with one container."""
    word = "True" if ready else "False"
    kinds = {"PodScheduled": "True", "Initialized": "True", "ContainersReady": word, "Ready": word}
    return {
        "phase": "Running",
        "hostIP": host,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": _CREATED,
        "conditions": [{"type": kind, "status": status, "lastTransitionTime": _CREATED} for kind, status in kinds.items()],
        "containerStatuses": [
            {
                "name": container,
                "image": IMAGE,
                "imageID": "",
                "ready": ready,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": _CREATED}},
            }
        ],
    }


def node(name: str, address: str, *, control_plane: bool) -> Object:
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    if control_plane:
        labels["node-role.kubernetes.io/control-plane"] = ""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": _CREATED, "lastTransitionTime": _CREATED}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": addresses.KUBELET_PORT}},
        },
    }


def mirror_pod(node_name: str, address: str, command: list[str], environment: dict[str, str]) -> Object:
    """What the kubelet of a kubeadm control plane shows of its static pod kube-apiserver."""
    container = {
        "name": "kube-apiserver",
        "image": "registry.k8s.io/kube-apiserver",
        "command": command,
        "env": [{"name": name, "value": value} for name, value in environment.items()],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"kube-apiserver-{node_name}",
            "namespace": "kube-system",
            "labels": {"component": "kube-apiserver", "tier": "control-plane"},
            "annotations": {
                "kubernetes.io/config.mirror": f"lab-{node_name}",
                "kubernetes.io/config.source": "file",
                "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint": f"{address}:{addresses.API_PORT}",
            },
        },
        "spec": {"nodeName": node_name, "hostNetwork": True, "priorityClassName": "system-node-critical", "containers": [container]},
        "status": running("kube-apiserver", address, address, ready=True),
    }


def call_out(target: Target, bundle: str) -> Object:
    """The object that makes the API server call, with that caBundle."""
    kind = target.make.call_out.kind
    if kind == "apiservice":
        return _api_service(target, bundle)
    if kind == "conversion":
        return custom_resource_definition(target, bundle)
    return _webhook_configuration(target, bundle)


def _webhook_configuration(target: Target, bundle: str) -> Object:
    made = target.make.call_out
    kind = {"validating": "ValidatingWebhookConfiguration", "mutating": "MutatingWebhookConfiguration"}[made.kind]
    names = [made.entry_name or target.domain] if made.entries == 1 else [f"entry-{number}.{target.domain}" for number in range(made.entries)]
    entries = [_webhook(target, name, bundle, made.rules, made.namespaces or [target.namespace]) for name in names]
    if target.make.events:
        pods_too = Rule(resources=["pods"], operations=["CREATE"])
        entries.append(_webhook(target, f"pods.{target.domain}", bundle, [pods_too], [target.apps_namespace]))
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": target.namespace}, "webhooks": entries}


def _webhook(target: Target, name: str, bundle: str, rules: list[Rule], namespaces: list[str]) -> Object:
    made = target.make.call_out
    return {
        "name": name,
        "clientConfig": _client(target, bundle),
        "failurePolicy": made.failure_policy,
        "timeoutSeconds": made.timeout_seconds,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces}]},
        "rules": [
            {"apiGroups": rule.groups, "apiVersions": rule.versions, "resources": rule.resources, "operations": rule.operations, "scope": "*"} for rule in rules
        ],
    }


def _client(target: Target, bundle: str) -> Object:
    made = target.make.call_out
    client: Object = {}
    if target.host:
        client["url"] = f"https://{target.host}:{addresses.WEBHOOK_PORT}{made.path}"
    else:
        client["service"] = {"namespace": target.namespace, "name": targets.SERVICE, "port": made.port, "path": made.path}
    if bundle:
        client["caBundle"] = encoded(bundle)
    return client


def _api_service(target: Target, bundle: str) -> Object:
    made = target.make.call_out
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{targets.AGGREGATED_VERSION}.{target.domain}"},
        "spec": {
            "group": target.domain,
            "version": targets.AGGREGATED_VERSION,
            "groupPriorityMinimum": 100,
            "versionPriority": 10,
            "service": {"namespace": target.namespace, "name": targets.SERVICE, "port": made.port},
            "caBundle": encoded(bundle),
        },
    }


def custom_resource_definition(target: Target, bundle: str | None) -> Object:
    """A CRD with two versions. bundle None: without conversion, so that an object can be stored before the webhook stands in the way."""
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}}
    versions = [(targets.STORED_VERSION, True), (targets.ASKED_VERSION, False)]
    conversion: Object = {"strategy": "None"}
    if bundle is not None:
        conversion = {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": _client(target, bundle)}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{targets.GAUGES}.{target.domain}"},
        "spec": {
            "group": target.domain,
            "scope": "Namespaced",
            "names": {"plural": targets.GAUGES, "singular": "gauge", "kind": "Gauge"},
            "versions": [{"name": name, "served": True, "storage": storage, "schema": schema} for name, storage in versions],
            "conversion": conversion,
        },
    }


def custom_resource(target: Target) -> Object:
    """The object that is stored before the conversion webhook stands in the way."""
    metadata = {"name": "stored", "namespace": target.namespace}
    return {"apiVersion": f"{target.domain}/{targets.STORED_VERSION}", "kind": "Gauge", "metadata": metadata, "spec": {"unit": "bar"}}


def custom_resource_path(target: Target) -> str:
    """Where it is read in the version that it is not stored in. (One object: a list comes from a watch cache, which never fills where conversion fails.)"""
    return f"/apis/{target.domain}/{targets.ASKED_VERSION}/namespaces/{target.namespace}/{targets.GAUGES}/stored"


def replica_set(target: Target) -> Object:
    """Wants a pod that the webhook intercepts; the controller's FailedCreate events carry the API server's words."""
    labels = {"app": "shop"}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "shop", "namespace": target.apps_namespace},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "shop", "image": PAUSE_IMAGE}]}},
        },
    }


def service_account(name: str, name_space: str) -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": name_space}}


def cluster_role_binding(name: str, role: str, account: str, name_space: str) -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": name_space}],
    }


def encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
