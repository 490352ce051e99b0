# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that would make the API server call one given webhook, the most telling first. PRIVATE to the collection.

Three kinds: an existing object patched with nothing (UPDATE), a made-up object of a core kind (CREATE), a copy of an existing
object under another name (CREATE). An empty patch runs the whole admission chain: the API server compares with what is stored
only afterwards (k8s.io/apiserver pkg/endpoints/handlers/patch.go, pkg/registry/generic/registry/dryrun.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import NO, YES, Request, intercepts, selector_matches
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.chain import Chain, can_hide, refuses_dry_run
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.objects import can_be_made_up, labels_for
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.surroundings import Meta, Surroundings
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.targets import Target, operations, targets

PATCH = "patch"
CREATE = "create"
COPY = "copy"

_TARGETS_TRIED = 12
_NAMESPACES_TRIED = 20
_NAMESPACES_LISTED = 5  # one LIST each, where a LIST of all namespaces did not show a fitting object
_OBJECTS_WEIGHED = 600


@dataclass(frozen=True)
class Candidate:
    """A request to try. how: patch, create or copy; source: the object that is patched or copied; others: the further call-outs that it meets.

    certain: whether the webhook is called if the request gets that far. It is not where a match condition decides,
    or where labels do that another mutating webhook may change on the way.
    """

    how: str
    target: Target
    request: Request
    source: Meta | None
    labels: Mapping[str, str]
    others: tuple[Mapping[str, Any], ...]
    certain: bool

    def words(self) -> dict[str, Any]:
        """The `request` of a probe result."""
        resource = self.target.resource.words(self.target.subresource)
        verb = "patch" if self.how == PATCH else "create"
        return {"verb": verb, "resource": resource, "namespace": self.request.namespace, "name": self.request.name, "dry_run": True}


def candidates(callout: Mapping[str, Any], chain: Chain, surroundings: Surroundings, name: str) -> Iterator[Candidate]:
    """Candidates in the order in which to try them: what fewest others can hide comes first. `name`: of objects that are created.

    Lazy: an empty patch that meets no other webhook is as good as it gets, and more is read only if that one is not enough.
    """
    found: list[Candidate] = []
    perfect = False
    for target in islice(targets(callout, surroundings), _TARGETS_TRIED):
        for candidate in _of_target(callout, target, chain, surroundings, name):
            if not perfect and candidate.how == PATCH and candidate.certain and not candidate.others:
                perfect = True
                yield candidate
            else:
                found.append(candidate)
    yield from sorted(found, key=lambda each: _rank(callout, each))


def creations(callout: Mapping[str, Any], chain: Chain, surroundings: Surroundings, name: str, kind: tuple[str, str]) -> Iterator[Candidate]:
    """Those that create an object of one (group, resource) that can be made up, whatever better candidates there are."""
    for target in targets(callout, surroundings):
        if (target.resource.group, target.resource.name, target.subresource) == (*kind, ""):
            yield from (candidate for candidate in _of_target(callout, target, chain, surroundings, name) if candidate.how == CREATE)
            return


def why_none(callout: Mapping[str, Any], surroundings: Surroundings) -> str:
    """Why `candidates` found nothing."""
    rules = callout.get("rules") or []
    if not any(operations(rule) for rule in rules):
        named = sorted({operation for rule in rules for operation in rule.get("operations") or ()})
        return f"its rules name only {', '.join(named) or 'no operation'}, which a dry run does not try"
    found = list(islice(targets(callout, surroundings), _TARGETS_TRIED))
    if not found:
        return "no rule names a resource that this API server serves and a dry run may touch (Secrets and aggregated APIs are left alone)"
    namespaces = surroundings.namespaces()
    if namespaces.trouble:
        return f"no object that it certainly intercepts could be chosen, because namespaces cannot be read: {namespaces.trouble}"
    if all(target.resource.namespaced for target in found):
        selector = callout.get("namespace_selector")
        if not any(selector_matches(selector, item.labels) for item in namespaces.items):
            return "its namespaceSelector selects no namespace of this cluster"
    listings = [surroundings.objects(target.resource) for target in found if "list" in target.resource.verbs]
    refused = next((listing.trouble for listing in listings if listing.trouble), None)
    words = ", ".join(target.resource.words(target.subresource) for target in found[:5])
    if refused:
        return f"no object of {words} could be chosen: {refused}"
    return f"no object of {words} exists that its selectors select, and none can be made up"


def _rank(callout: Mapping[str, Any], candidate: Candidate) -> tuple[Any, ...]:
    hiding = [other for other in candidate.others if can_hide(other, callout)]
    return (
        any(refuses_dry_run(other) for other in hiding),
        not candidate.certain,
        sum(other.get("failure_policy") != "Ignore" for other in hiding),
        len(candidate.others),
        (PATCH, CREATE, COPY).index(candidate.how),
    )


def _of_target(callout: Mapping[str, Any], target: Target, chain: Chain, surroundings: Surroundings, name: str) -> Iterator[Candidate]:
    resource = target.resource
    patched = resource.subresources[target.subresource] if target.subresource else resource.verbs
    if "UPDATE" in target.operations and "patch" in patched and "list" in resource.verbs:
        yield from _weighed(callout, chain, PATCH, target, "UPDATE", _existing(callout, target, surroundings), surroundings)
    if "CREATE" not in target.operations or "create" not in resource.verbs:
        return
    if can_be_made_up(resource):
        made_up = ((None, Meta(name, namespace, labels)) for namespace, labels in _places(callout, target, surroundings, name))
        yield from _weighed(callout, chain, CREATE, target, "CREATE", made_up, surroundings)
    elif {"get", "list"} <= resource.verbs:
        twins = ((source, Meta(name, source.namespace, source.labels)) for source, _same in _existing(callout, target, surroundings))
        yield from _weighed(callout, chain, COPY, target, "CREATE", twins, surroundings)


def _weighed(
    callout: Mapping[str, Any],
    chain: Chain,
    how: str,
    target: Target,
    operation: str,
    pairs: Iterator[tuple[Meta | None, Meta]],
    surroundings: Surroundings,
) -> Iterator[Candidate]:
    """Candidates for (source, object) pairs, one for each set of other call-outs met: a second object that meets the same ones tells no more."""
    met: set[frozenset[str]] = set()
    for source, wanted in islice(pairs, _OBJECTS_WEIGHED):
        request = Request(
            operation=operation,
            group=target.resource.group,
            version=target.resource.version,
            resource=target.resource.name,
            subresource=target.subresource,
            namespaced=target.resource.namespaced,
            namespace=wanted.namespace,
            namespace_labels=surroundings.namespace_labels(wanted.namespace) if wanted.namespace else None,
            object_labels={} if target.subresource == "scale" else wanted.labels,  # a Scale carries none
            name=wanted.name,
        )
        verdict = intercepts(callout, request)
        if verdict == NO:
            continue
        others = chain.met_by(request, besides=callout["id"])
        key = frozenset(other["id"] for other in others)
        if key not in met:
            met.add(key)
            certain = verdict == YES and not _labels_may_change(callout, request, others)
            yield Candidate(how, target, request, source, wanted.labels, tuple(others), certain)


def _labels_may_change(callout: Mapping[str, Any], request: Request, others: Sequence[Mapping[str, Any]]) -> bool:
    """Whether selectors look at labels of the new object while another mutating webhook comes first. An UPDATE is also selected by the old object's labels."""
    own = callout.get("object_selector") if request.operation == "CREATE" else None
    of_namespace = callout.get("namespace_selector") if request.resource == "namespaces" else None
    decisive = any(selector and (selector.get("match_labels") or selector.get("match_expressions")) for selector in (own, of_namespace))
    return decisive and any(other["kind"] == "mutating" and can_hide(other, callout) for other in others)


def _existing(callout: Mapping[str, Any], target: Target, surroundings: Surroundings) -> Iterator[tuple[Meta, Meta]]:
    """Existing objects that the objectSelector selects, from a LIST of all namespaces, or of some that the namespaceSelector selects."""
    selector = query_of(callout.get("object_selector"))
    everywhere = surroundings.objects(target.resource, selector=selector)
    yield from ((item, item) for item in everywhere.items)
    if not target.resource.namespaced or everywhere.trouble or everywhere.complete:
        return
    wanted = callout.get("namespace_selector")
    seen = {item.namespace for item in everywhere.items}
    places = (item.name for item in surroundings.namespaces().items if item.name not in seen and selector_matches(wanted, item.labels))
    for namespace in islice(places, _NAMESPACES_LISTED):
        yield from ((item, item) for item in surroundings.objects(target.resource, namespace, selector).items)


def _places(callout: Mapping[str, Any], target: Target, surroundings: Surroundings, name: str) -> Iterator[tuple[str | None, dict[str, str]]]:
    """(namespace, labels) for an object that is made up: the plainest namespaces first."""
    labels = labels_for(callout.get("object_selector"))
    if target.resource.name == "namespaces":
        # It is selected by its own labels, and the API server gives it this one before admission.
        yield None, {**labels_for(callout.get("object_selector"), callout.get("namespace_selector")), "kubernetes.io/metadata.name": name}
        return
    if not target.resource.namespaced:
        yield None, labels
        return
    wanted = callout.get("namespace_selector")
    fitting = [item.name for item in surroundings.namespaces().items if selector_matches(wanted, item.labels)]
    if surroundings.namespaces().trouble:
        fitting = ["default"]
    for namespace in islice(sorted(fitting, key=lambda each: (each != "default", each.startswith("kube-"), each)), _NAMESPACES_TRIED):
        yield namespace, labels


def query_of(selector: Mapping[str, Any] | None) -> str:
    """A selector of the facts as the `labelSelector` of a LIST."""
    if selector is None:
        return ""
    terms = [f"{key}={value}" for key, value in (selector.get("match_labels") or {}).items()]
    for expression in selector.get("match_expressions") or []:
        key, operator, values = expression["key"], expression["operator"], ",".join(expression.get("values") or [])
        terms.append({"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key, "DoesNotExist": f"!{key}"}.get(operator, key))
    return ",".join(terms)
