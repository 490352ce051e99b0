# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role and RoleBinding by which a part of cert-manager may elect its leader: whether they suffice, and what they are to be. Pure. PRIVATE to the collection.

Source: cert-manager deploy/charts/cert-manager/templates/{rbac,cainjector-rbac}.yaml of 1.11.5 (older ones name ConfigMaps, too);
k8s.io/client-go tools/leaderelection/resourcelock/leaselock.go, which gets, creates and updates.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from .reference import Reference

RBAC = "rbac.authorization.k8s.io"
_GROUP, _RESOURCE = "coordination.k8s.io", "leases"
# component -> the leases that its Role names; the first is the one that it takes today.
LEASES_OF = {
    "controller": ("cert-manager-controller",),
    "cainjector": ("cert-manager-cainjector-leader-election", "cert-manager-cainjector-leader-election-core"),
}
_MARKS = ("meta.helm.sh/",)  # annotations by which Helm adopts an object


def references(deployment: str, namespace: str) -> tuple[Reference, Reference]:
    """(Role, RoleBinding) as the chart calls them."""
    name = f"{deployment}:leaderelection"
    return Reference(f"{RBAC}/v1", "Role", name, namespace), Reference(f"{RBAC}/v1", "RoleBinding", name, namespace)


def chart_rules(component: str) -> list[dict[str, Any]]:
    return [
        {"apiGroups": [_GROUP], "resources": [_RESOURCE], "resourceNames": list(LEASES_OF[component]), "verbs": ["get", "update", "patch"]},
        {"apiGroups": [_GROUP], "resources": [_RESOURCE], "verbs": ["create"]},
    ]


def missing_rules(role: Mapping[str, Any], component: str) -> list[dict[str, Any]]:
    """The rules of the chart without which the part is not elected, and that the Role does not grant. (Leases are not patched; older charts leave that out.)"""
    rules = role.get("rules") or []
    return [
        wanted for wanted in chart_rules(component) if not all(_grants(rules, verb, wanted.get("resourceNames")) for verb in wanted["verbs"] if verb != "patch")
    ]


def _grants(rules: Iterable[Mapping[str, Any]], verb: str, names: list[str] | None) -> bool:
    """Whether a verb is granted on the first of the leases (on all of them for None)."""
    for rule in rules:
        of_names = rule.get("resourceNames") or []
        applies = not of_names or (names is not None and names[0] in of_names)
        if applies and _has(rule, "apiGroups", _GROUP) and _has(rule, "resources", _RESOURCE) and _has(rule, "verbs", verb):
            return True
    return False


def _has(rule: Mapping[str, Any], key: str, value: str) -> bool:
    return bool({value, "*"} & set(rule.get(key) or ()))


def subject_of(account: str, namespace: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": account, "namespace": namespace}


def is_bound(binding: Mapping[str, Any], account: str, namespace: str) -> bool:
    """Whether a RoleBinding gives its role to the account."""
    wanted = subject_of(account, namespace)
    return any({key: subject.get(key) for key in wanted} == wanted for subject in binding.get("subjects") or ())


def new_role(reference: Reference, component: str, like: Mapping[str, Any] | None, deployment: Mapping[str, Any]) -> dict[str, Any]:
    """like: the Role where it elects now: an older chart's may grant more than today's, such as ConfigMaps."""
    rules = (like or {}).get("rules") if like and not missing_rules(like, component) else chart_rules(component)
    return {**_new(reference, deployment), "rules": copy.deepcopy(rules)}


def new_binding(reference: Reference, role: Reference, account: str, namespace: str, deployment: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_new(reference, deployment),
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": role.name},
        "subjects": [subject_of(account, namespace)],
    }


def _new(reference: Reference, deployment: Mapping[str, Any]) -> dict[str, Any]:
    """With the Deployment's labels, as in the chart, and with the marks by which Helm takes over what it finds when it makes the object itself later."""
    metadata = deployment["metadata"]
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key.startswith(_MARKS)}
    made: dict[str, Any] = {"name": reference.name, "namespace": reference.namespace, "labels": dict(metadata.get("labels") or {})}
    if annotations:
        made["annotations"] = annotations
    return {"apiVersion": reference.api_version, "kind": reference.kind, "metadata": made}
