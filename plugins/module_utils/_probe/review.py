# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reviews that a probe sends: harmless, made up, marked as dry run. PRIVATE to the collection.

Sources: k8s.io/api/admission/v1 types.go, k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1 types_conversion.go.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

NAME = "webhook-doctor-probe"
_NAMESPACE = "default"
_GROUP = "probe.webhook-doctor.invalid"  # of the object to convert where the CRD is not known
_KNOWN_VERSIONS = ("v1", "v1beta1")  # of AdmissionReview and ConversionReview
_OPERATIONS = ("CREATE", "UPDATE", "DELETE")  # in order of preference; CONNECT has no object of its own

Review = dict[str, Any]


class Kind(NamedTuple):
    group: str
    version: str
    resource: str
    kind: str
    namespaced: bool = True


# A call-out that watches one of these gets an object of this kind, any other a ConfigMap: a kind cannot be guessed from a resource's name.
_KINDS = (
    Kind("", "v1", "configmaps", "ConfigMap"),
    Kind("", "v1", "pods", "Pod"),
    Kind("", "v1", "services", "Service"),
    Kind("", "v1", "secrets", "Secret"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount"),
    Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
    Kind("", "v1", "namespaces", "Namespace", False),
    Kind("", "v1", "nodes", "Node", False),
    Kind("apps", "v1", "deployments", "Deployment"),
    Kind("apps", "v1", "statefulsets", "StatefulSet"),
    Kind("apps", "v1", "daemonsets", "DaemonSet"),
    Kind("apps", "v1", "replicasets", "ReplicaSet"),
    Kind("batch", "v1", "jobs", "Job"),
    Kind("batch", "v1", "cronjobs", "CronJob"),
    Kind("networking.k8s.io", "v1", "ingresses", "Ingress"),
    Kind("coordination.k8s.io", "v1", "leases", "Lease"),
)
_POD_SPEC = {"containers": [{"name": "probe", "image": "registry.k8s.io/pause:3.10"}]}
_LABELS = {"app.kubernetes.io/name": NAME}
_SPECS: dict[str, Any] = {
    "Pod": _POD_SPEC,
    **{
        kind: {"selector": {"matchLabels": _LABELS}, "template": {"metadata": {"labels": _LABELS}, "spec": _POD_SPEC}}
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
    },
    "Job": {"template": {"spec": {**_POD_SPEC, "restartPolicy": "Never"}}},
}


def admission_review(rules: Sequence[Mapping[str, Any]], versions: Sequence[str]) -> Review:
    """An AdmissionReview for an operation and a kind that `rules` (of a Callout) name, else for the creation of a ConfigMap."""
    operation, kind = _target(rules)
    uid = str(uuid.uuid4())
    obj = _object(kind)
    group_kind = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    resource = {"group": kind.group, "version": kind.version, "resource": kind.resource}
    request = {
        "uid": uid,
        "kind": group_kind,
        "resource": resource,
        "requestKind": group_kind,
        "requestResource": resource,
        "name": NAME,
        "operation": operation,
        "userInfo": {"username": NAME, "groups": ["system:authenticated"]},
        "object": None if operation == "DELETE" else obj,
        "oldObject": None if operation == "CREATE" else obj,
        "dryRun": True,
        "options": {"kind": f"{operation.capitalize()}Options", "apiVersion": "meta.k8s.io/v1", "dryRun": ["All"]},
    }
    if kind.namespaced:
        request["namespace"] = _NAMESPACE
    return {"kind": "AdmissionReview", "apiVersion": f"admission.k8s.io/{_version(versions)}", "request": request}


def conversion_review(conversion: Mapping[str, Any] | None, versions: Sequence[str]) -> Review:
    """A ConversionReview of one empty object, from the stored version to another one that is served.

    `conversion`: of a Callout. Without it the object is of a group that no webhook knows, which a healthy one says.
    """
    known = conversion or {"group": _GROUP, "kind": "Probe", "scope": "Namespaced", "versions": [{"name": "v1", "served": True, "storage": True}]}
    stored = next((version["name"] for version in known["versions"] if version.get("storage")), "v1")
    desired = next((version["name"] for version in known["versions"] if version.get("served") and version["name"] != stored), "v2")
    metadata = {"name": NAME, "uid": str(uuid.uuid4()), "creationTimestamp": "2026-01-01T00:00:00Z", "generation": 1}
    if known.get("scope") != "Cluster":
        metadata["namespace"] = _NAMESPACE
    return {
        "kind": "ConversionReview",
        "apiVersion": f"apiextensions.k8s.io/{_version(versions)}",
        "request": {
            "uid": str(uuid.uuid4()),
            "desiredAPIVersion": f"{known['group']}/{desired}",
            "objects": [{"apiVersion": f"{known['group']}/{stored}", "kind": known["kind"], "metadata": metadata, "spec": {}}],
        },
    }


def encode(review: Review) -> bytes:
    return json.dumps(review, separators=(",", ":")).encode()


def _version(versions: Sequence[str]) -> str:
    """The first version that the API server knows, as it chooses itself (admissionreview.go, CreateAdmissionObjects)."""
    return next((version for version in versions if version in _KNOWN_VERSIONS), "v1")


def _target(rules: Sequence[Mapping[str, Any]]) -> tuple[str, Kind]:
    """Operation and kind of the first rule that names a kind of the table."""
    for rule in rules:
        operations = rule.get("operations") or ()
        operation = next((name for name in _OPERATIONS if name in operations or "*" in operations), None)
        kind = next((kind for kind in _KINDS if _matches(rule, kind)), None)
        if operation and kind:
            return operation, kind
    return "CREATE", _KINDS[0]


def _matches(rule: Mapping[str, Any], kind: Kind) -> bool:
    groups, versions, resources = (rule.get(key) or () for key in ("api_groups", "api_versions", "resources"))
    return (
        ("*" in groups or kind.group in groups)
        and ("*" in versions or kind.version in versions)
        and ("*" in resources or "*/*" in resources or kind.resource in resources)
    )


def _object(kind: Kind) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": NAME, "labels": _LABELS}
    if kind.namespaced:
        metadata["namespace"] = _NAMESPACE
    obj = {"apiVersion": f"{kind.group}/{kind.version}".lstrip("/"), "kind": kind.kind, "metadata": metadata}
    if kind.kind in _SPECS:
        obj["spec"] = _SPECS[kind.kind]
    return obj
