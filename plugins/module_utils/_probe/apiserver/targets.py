# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the API the rules of a call-out name, and a dry run may touch. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import exempt, resource_listed
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.surroundings import Resource, Surroundings

# Never read, never written, not even as a dry run.
_NEVER = frozenset({("", "secrets")})
# Where a rule names everything: plain things first, which few object schemas, quotas or plugins have an opinion on.
_PREFERRED = ("configmaps", "serviceaccounts", "services", "endpoints", "pods", "deployments", "replicasets", "jobs", "leases", "roles")
_PREFERRED_GROUPS = ("", "apps", "batch", "coordination.k8s.io", "rbac.authorization.k8s.io")


@dataclass(frozen=True)
class Target:
    """A resource, or a subresource of it, and which of CREATE and UPDATE the rule names for it."""

    resource: Resource
    subresource: str
    operations: frozenset[str]


def operations(rule: Mapping[str, Any]) -> frozenset[str]:
    """Those of a rule's operations that a dry run may try: deleting and connecting (exec, proxy) are none of them."""
    named = set(rule.get("operations") or ())
    return frozenset({"CREATE", "UPDATE"} if "*" in named else named & {"CREATE", "UPDATE"})


def targets(callout: Mapping[str, Any], surroundings: Surroundings) -> Iterator[Target]:
    """What the rules name and the API server itself serves and stores, each once, whole objects before subresources. Lazy: it reads discovery as it goes."""
    seen: set[tuple[str, str, str]] = set()
    for rule in callout.get("rules") or []:
        allowed = operations(rule)
        if not allowed:
            continue
        for group in _groups(rule, surroundings):
            for version in _versions(rule, group, surroundings):
                if exempt(group) or not surroundings.stores_itself(group, version):
                    continue
                for target in _of_version(rule, allowed, surroundings.resources(group, version)):
                    key = (group, target.resource.name, target.subresource)
                    if key not in seen:
                        seen.add(key)
                        yield target


def _groups(rule: Mapping[str, Any], surroundings: Surroundings) -> Iterator[str]:
    named = rule.get("api_groups") or []
    if "*" not in named:
        yield from named
        return
    yield from _PREFERRED_GROUPS
    yield from (group for group in surroundings.groups() if group not in _PREFERRED_GROUPS)


def _versions(rule: Mapping[str, Any], group: str, surroundings: Surroundings) -> list[str]:
    named = rule.get("api_versions") or []
    return [version for version in surroundings.versions(group) if version in named or "*" in named]


def _of_version(rule: Mapping[str, Any], allowed: frozenset[str], served: list[Resource]) -> Iterator[Target]:
    found = []
    for resource in served:
        if (resource.group, resource.name) in _NEVER or not _in_scope(rule.get("scope"), resource):
            continue
        if resource_listed(rule.get("resources"), resource.name, ""):
            found.append(Target(resource, "", allowed))
        # Of subresources only those that are patched, like status and scale. Creating one (eviction, binding, token) is an action.
        for subresource, verbs in resource.subresources.items():
            if "UPDATE" in allowed and "patch" in verbs and resource_listed(rule.get("resources"), resource.name, subresource):
                found.append(Target(resource, subresource, frozenset({"UPDATE"})))
    yield from sorted(found, key=_preference)


def _in_scope(scope: str | None, resource: Resource) -> bool:
    return scope in (None, "*") or scope == ("Namespaced" if resource.namespaced else "Cluster")


def _preference(target: Target) -> tuple[bool, int]:
    name = target.resource.name
    return bool(target.subresource), _PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)
