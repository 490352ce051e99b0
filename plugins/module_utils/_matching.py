# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Would this admission call-out be called for this request? Decided as kube-apiserver decides. PRIVATE to the collection.

Pure. Call-outs have the shape of the facts (docs/architecture.md). The answer has three values, because some of what
kube-apiserver knows (CEL results, which versions it serves, labels that could not be read) is not always known here.
Source: k8s.io/apiserver v0.36 pkg/admission/plugin/webhook/{generic/webhook.go ShouldCallHook, predicates/{rules,namespace,object}}.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

YES = "yes"
NO = "no"
UNKNOWN = "unknown"

# Resources of two groups that share one storage, so that matchPolicy Equivalent sees through to the other group.
# Source: pkg/kubeapiserver/default_storage_factory_builder.go AddCohabitatingResources.
_COHABITING = (
    {("networking.k8s.io", "networkpolicies"), ("extensions", "networkpolicies")},
    {("networking.k8s.io", "ingresses"), ("extensions", "ingresses")},
    {("apps", "deployments"), ("extensions", "deployments")},
    {("apps", "daemonsets"), ("extensions", "daemonsets")},
    {("apps", "replicasets"), ("extensions", "replicasets")},
    {("", "replicationcontrollers"), ("extensions", "replicationcontrollers")},
    {("", "events"), ("events.k8s.io", "events")},
    {("policy", "podsecuritypolicies"), ("extensions", "podsecuritypolicies")},
)


@dataclass(frozen=True)
class Request:
    """One request to the API server, as admission sees it.

    operation: CREATE, UPDATE, DELETE or CONNECT (a patch of an existing object is an UPDATE).
    subresource: "" for the object itself.
    namespaced: whether the resource is; False for Namespace objects themselves.
    namespace: null or "" where not namespaced; for a Namespace object its own name or null, both mean the same here.
    namespace_labels: labels of that namespace; null if they are not known. Not looked at for cluster-scoped objects.
    object_labels: labels of the object, old or new (for a Namespace object its own); null if they are not known.
    equivalents: (group, version, resource) of the other served forms of the resource, with the same subresource; null if they are not known.
    """

    operation: str
    group: str
    version: str
    resource: str
    subresource: str = ""
    namespaced: bool = True
    namespace: str | None = None
    namespace_labels: Mapping[str, str] | None = None
    object_labels: Mapping[str, str] | None = None
    name: str | None = None
    equivalents: Sequence[tuple[str, str, str]] | None = None


def selector_matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector of the facts ({match_labels, match_expressions}, null: everything) selects `labels`.

    An operator that the API does not know selects nothing. Source: k8s.io/apimachinery pkg/labels Requirement.Matches.
    """
    if selector is None:
        return True
    if any(labels.get(key) != value for key, value in (selector.get("match_labels") or {}).items()):
        return False
    return all(_expression_matches(expression, labels) for expression in selector.get("match_expressions") or [])


def rule_matches(rule: Mapping[str, Any], request: Request) -> bool:
    """Whether one rule of the facts names this request as it was made (matchPolicy Equivalent is `intercepts`' business)."""
    return (
        _scope_matches(rule.get("scope"), request)
        and _listed(rule.get("operations"), request.operation)
        and _listed(rule.get("api_groups"), request.group)
        and _listed(rule.get("api_versions"), request.version)
        and resource_listed(rule.get("resources"), request.resource, request.subresource)
    )


def resource_listed(resources: Iterable[str] | None, resource: str, subresource: str) -> bool:
    """Whether `resources` of a rule ("pods", "pods/*", "*/status", "*", "*/*") names this resource and subresource.

    "pods" and "*" leave subresources out.
    """
    for listed in resources or []:
        main, _slash, sub = listed.partition("/")
        if main in ("*", resource) and sub in ("*", subresource):
            return True
    return False


def exempt(group: str) -> bool:
    """Whether admission webhooks never see objects of this group: their own configurations, and admission policies."""
    return group == "admissionregistration.k8s.io"


def intercepts(callout: Mapping[str, Any], request: Request) -> str:
    """Whether kube-apiserver would call this admission call-out for this request: "yes", "no" or "unknown".

    "unknown": nothing says no, and something that decides is not known: labels that a selector needs, the served
    versions that matchPolicy Equivalent goes through, or the value of a match condition (CEL is not evaluated).
    Conversion and aggregation call-outs are no matter of admission: "no".
    """
    if callout.get("kind") not in ("validating", "mutating") or exempt(request.group):
        return NO
    verdicts = (
        _rules_verdict(callout, request),
        _namespace_verdict(callout.get("namespace_selector"), request),
        _object_verdict(callout.get("object_selector"), request),
        UNKNOWN if callout.get("match_conditions") else YES,
    )
    if NO in verdicts:
        return NO
    return UNKNOWN if UNKNOWN in verdicts else YES


def _expression_matches(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or []
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return key not in labels or labels[key] not in values
    if operator == "Exists":
        return key in labels
    return operator == "DoesNotExist" and key not in labels


def _selects_everything(selector: Mapping[str, Any] | None) -> bool:
    return selector is None or not (selector.get("match_labels") or selector.get("match_expressions"))


def _listed(items: Iterable[str] | None, requested: str) -> bool:
    return any(item in ("*", requested) for item in items or [])


def _scope_matches(scope: str | None, request: Request) -> bool:
    """Namespace objects are cluster-scoped, although the request carries their name as its namespace."""
    if scope in (None, "*"):
        return True
    return scope == ("Namespaced" if request.namespaced else "Cluster")


def _rules_verdict(callout: Mapping[str, Any], request: Request) -> str:
    rules = callout.get("rules") or []
    if any(rule_matches(rule, request) for rule in rules):
        return YES
    if callout.get("match_policy") == "Exact":
        return NO
    if request.equivalents is None:
        return UNKNOWN if any(_may_match_equivalent(rule, request) for rule in rules) else NO
    others = [_renamed(request, *equivalent) for equivalent in request.equivalents]
    return YES if any(rule_matches(rule, other) for rule in rules for other in others) else NO


def _may_match_equivalent(rule: Mapping[str, Any], request: Request) -> bool:
    """Whether some version of the resource, in its own group or in one that shares its storage, would match the rule."""
    own = (request.group, request.resource)
    kin = next((pair for pair in _COHABITING if own in pair), {own})
    return any(rule_matches(rule, _renamed(request, group, version, resource)) for group, resource in kin for version in rule.get("api_versions") or [])


def _renamed(request: Request, group: str, version: str, resource: str) -> Request:
    return Request(
        operation=request.operation,
        group=group,
        version=version,
        resource=resource,
        subresource=request.subresource,
        namespaced=request.namespaced,
        namespace=request.namespace,
    )


def _namespace_verdict(selector: Mapping[str, Any] | None, request: Request) -> str:
    """A Namespace object is selected by its own labels; other cluster-scoped objects are never exempted by namespace."""
    if _selects_everything(selector) or not (request.namespaced or request.resource == "namespaces"):
        return YES
    labels = request.namespace_labels if request.namespaced or request.namespace_labels is not None else request.object_labels
    if labels is None:
        return UNKNOWN
    return YES if selector_matches(selector, labels) else NO


def _object_verdict(selector: Mapping[str, Any] | None, request: Request) -> str:
    """What CONNECT carries (options of exec, attach, proxy) has no labels, and so is never selected, not even by NotIn."""
    if _selects_everything(selector):
        return YES
    if request.operation == "CONNECT":
        return NO
    if request.object_labels is None:
        return UNKNOWN
    return YES if selector_matches(selector, request.object_labels) else NO
