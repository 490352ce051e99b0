# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that a dry run may create: the smallest valid ones of core kinds and some others, and copies of existing ones. PRIVATE to the collection.

Secrets are in neither table: none is made up, none is read.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.surroundings import Resource

_APP = {"app.kubernetes.io/name": "webhook-doctor"}
# Passes the Pod Security level "restricted"; the image is never pulled.
_POD = {
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "none",
            "image": "registry.k8s.io/pause:3.10",
            "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "1m", "memory": "1Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}
_TEMPLATE = {"metadata": {"labels": _APP}, "spec": _POD}
_JOB = {"suspend": True, "template": {"metadata": {"labels": _APP}, "spec": {**_POD, "restartPolicy": "Never"}}}
_WORKLOAD = {"replicas": 0, "selector": {"matchLabels": _APP}, "template": _TEMPLATE}

# A request for a certificate of webhook-doctor.invalid, in base64; nobody has its key. Nothing is issued: dry runs store nothing.
_SIGNING_REQUEST = (
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkR6Q0J0d0lCQURBaE1SOHdIUVlEVlFRRERCWjNaV0pvYjI5ckxXUnZZM1J2Y2k1cGJu"
    "WmhiR2xrTUZrdwpFd1lIS29aSXpqMENBUVlJS29aSXpqMERBUWNEUWdBRTE3OGNnaEhmUXdJdGsxS2YyclRuNkNqN2F6L3dyVDZMCklaWnVySDVyTEM2K0t4"
    "VVlCdmtldXJFSVZ2QXRUMmRIajJXOWRQRGZJb0NBZEVEOW03Z3hSNkEwTURJR0NTcUcKU0liM0RRRUpEakVsTUNNd0lRWURWUjBSQkJvd0dJSVdkMlZpYUc5"
    "dmF5MWtiMk4wYjNJdWFXNTJZV3hwWkRBSwpCZ2dxaGtqT1BRUURBZ05IQURCRUFpQkw5WUc1ZFh5ZnpCWHJjRXJ5cmV2RmxXVGZQMWRSa2cwbU55eXhDcHVk"
    "CnZRSWdSZFJhdUthMEVKLzc4c0JJTTNySWxyQzRDbExUVWtZRFN3Z2UyTThkZHkwPQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K"
)

# (group, resource) -> what stands beside apiVersion, kind and metadata in every served version of it.
_MINIMAL: dict[tuple[str, str], dict[str, Any]] = {
    ("", "configmaps"): {},
    ("", "serviceaccounts"): {"automountServiceAccountToken": False},
    ("", "services"): {"spec": {"clusterIP": "None", "selector": _APP, "ports": [{"name": "none", "port": 443}]}},  # headless: no address is allocated
    ("", "endpoints"): {},
    ("", "pods"): {"spec": _POD},
    ("", "podtemplates"): {"template": _TEMPLATE},
    ("", "replicationcontrollers"): {"spec": {"replicas": 0, "selector": _APP, "template": _TEMPLATE}},
    ("", "persistentvolumeclaims"): {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}},
    ("", "limitranges"): {"spec": {"limits": []}},
    ("", "resourcequotas"): {"spec": {}},
    ("", "namespaces"): {},
    ("apps", "deployments"): {"spec": _WORKLOAD},
    ("apps", "replicasets"): {"spec": _WORKLOAD},
    ("apps", "statefulsets"): {"spec": {**_WORKLOAD, "serviceName": "none"}},
    ("apps", "daemonsets"): {"spec": {"selector": {"matchLabels": _APP}, "template": _TEMPLATE}},
    ("batch", "jobs"): {"spec": _JOB},
    ("batch", "cronjobs"): {"spec": {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": _JOB}}},
    ("cert-manager.io", "certificaterequests"): {"spec": {"issuerRef": {"name": "none"}, "request": _SIGNING_REQUEST}},
    ("coordination.k8s.io", "leases"): {"spec": {}},
    ("discovery.k8s.io", "endpointslices"): {"addressType": "IPv4", "endpoints": [], "ports": []},
    ("networking.k8s.io", "networkpolicies"): {"spec": {"podSelector": {"matchLabels": _APP}}},
    ("networking.k8s.io", "ingresses"): {"spec": {"defaultBackend": {"service": {"name": "none", "port": {"number": 443}}}}},
    ("policy", "poddisruptionbudgets"): {"spec": {"minAvailable": 0, "selector": {"matchLabels": _APP}}},
    ("rbac.authorization.k8s.io", "roles"): {"rules": []},
    ("rbac.authorization.k8s.io", "clusterroles"): {"rules": []},
    ("scheduling.k8s.io", "priorityclasses"): {"value": 1},
}
# Written by whoever created the object, or by the API server; a copy begins without them.
_NOT_COPIED = frozenset(
    {"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"}
    | {"selfLink", "generateName", "managedFields", "ownerReferences", "finalizers"}
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def can_be_made_up(resource: Resource) -> bool:
    return (resource.group, resource.name) in _MINIMAL


def minimal(resource: Resource, namespace: str | None, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The smallest valid object of a core kind. Raises KeyError for any other (`can_be_made_up`)."""
    rest = copy.deepcopy(_MINIMAL[resource.group, resource.name])
    metadata = {"name": name, "labels": dict(labels), **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **rest}


def copied(existing: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object as its creator might have sent it, under another name: no status, no owners, nothing that the API server fills in."""
    twin = {key: copy.deepcopy(value) for key, value in existing.items() if key != "status"}
    metadata = {key: value for key, value in (twin.get("metadata") or {}).items() if key not in _NOT_COPIED}
    metadata["name"] = name
    if isinstance(metadata.get("annotations"), dict):
        metadata["annotations"].pop(_LAST_APPLIED, None)
    twin["metadata"] = metadata
    return twin


def labels_for(*selectors: Mapping[str, Any] | None) -> dict[str, str]:
    """Labels that make an object match all these selectors of the facts, where one set can: the caller checks with `selector_matches`."""
    labels: dict[str, str] = {}
    for selector in selectors:
        labels.update((selector or {}).get("match_labels") or {})
        for expression in (selector or {}).get("match_expressions") or []:
            if expression["operator"] == "In" and expression.get("values"):
                labels.setdefault(expression["key"], expression["values"][0])
            elif expression["operator"] == "Exists":
                labels.setdefault(expression["key"], "")
    return labels
