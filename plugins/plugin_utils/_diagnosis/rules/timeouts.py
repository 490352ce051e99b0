# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD510: mutating webhooks of one request that may take longer together than the API server waits. PRIVATE to the collection.

Mutating webhooks are called one after the other, so their time-outs add up, whatever their failure policy. Only webhooks that one and the same
possible request meets are added: the same resource and operation, a namespace that exists, labels that satisfy all selectors at once.
The labels of the object are searched for greedily, so the sum is one that can really happen, though not always the greatest one.
Source: k8s.io/apiserver pkg/endpoints/handlers/rest.go requestTimeoutUpperBound; pkg/admission/plugin/webhook/mutating/dispatcher.go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import YES, Request, intercepts, selector_matches

from ..catalogue.timeouts import WD510
from ..finding import Finding, Subject
from ..resources import cluster_scoped
from ..selectors import selects_everything

if TYPE_CHECKING:
    from ..cluster import Cluster

# Seconds.
LIMIT = 34

Callout = Mapping[str, Any]
_MOST_COMPARISONS = 100_000
_MOST_PLACES = 8
# CONNECT is not bounded by the 34 s.
_OPERATIONS = ("CREATE", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Sum:
    """One request and the mutating webhooks that it meets, in the order of the call-outs' ids."""

    request: Request
    callouts: tuple[Callout, ...]

    @property
    def seconds(self) -> int:
        return sum(int(callout["timeout_seconds"]) for callout in self.callouts)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(str(callout["id"]) for callout in self.callouts)


def sum_of_mutating_timeouts(cluster: Cluster) -> Iterator[Finding]:
    """WD510, once: for the request whose webhooks may take longest."""
    sums = sorted(_sums(cluster.facts), key=lambda one: (-one.seconds, _what(one.request)))
    if not sums:
        return
    worst = sums[0]
    slowest = max(worst.callouts, key=lambda callout: (callout["timeout_seconds"], callout["id"]))
    resource = "mutatingwebhookconfiguration"
    yield WD510.found(
        Subject.of_callout(slowest),
        because=_because(worst, sums, cluster.facts),
        affects=worst.ids,
        root="mutating time-outs",
        values={"resource": resource, "config": slowest["object"]["name"]},
    )


CASE_RULES = ()
CLUSTER_RULES = (sum_of_mutating_timeouts,)


def _because(worst: Sum, sums: Sequence[Sum], facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"{_what(worst.request)} meets {len(worst.callouts)} mutating webhooks, {worst.seconds} s together; the API server waits {LIMIT} s"
    for callout in sorted(worst.callouts, key=lambda one: (-one["timeout_seconds"], one["id"]))[:6]:
        yield f"{callout['timeout_seconds']} s: {callout['webhook']} ({callout['object']['kind']} {callout['object']['name']})"
    again = [callout for callout in worst.callouts if callout.get("reinvocation_policy") == "IfNeeded"]
    if again:
        more = sum(int(callout["timeout_seconds"]) for callout in again)
        yield f"{len(again)} of them may be called twice (reinvocationPolicy IfNeeded): up to {more} s more"
    validating = [callout for callout in facts["callouts"] if callout["kind"] == "validating" and intercepts(callout, worst.request) == YES]
    if validating:
        yield f"validating webhooks come after them, all at once: up to {max(callout['timeout_seconds'] for callout in validating)} s more"
    others = [one for one in sums[1:] if not one.ids <= worst.ids]
    if others:
        yield f"also {_what(others[0].request)}: {others[0].seconds} s, with other webhooks"


def _sums(facts: Mapping[str, Any]) -> Iterator[Sum]:
    """The sums above the limit, one for each resource, operation and kind of namespace."""
    mutating = sorted((callout for callout in facts["callouts"] if callout["kind"] == "mutating"), key=lambda callout: callout["id"])
    for group, version, resource, subresource, candidates in _resources(mutating):
        if _seconds(candidates) <= LIMIT:
            continue
        fixed = cluster_scoped(group, resource)
        for namespace, labels in [(None, None)] if fixed else _places(candidates, facts):
            for operation in _OPERATIONS:
                request = Request(
                    operation, group, version, resource, subresource, namespaced=not fixed, namespace=namespace, namespace_labels=labels, object_labels={}
                )
                met = _together(request, candidates)
                if _seconds(met) > LIMIT:
                    yield Sum(replace(request, object_labels=None), tuple(met))


def _resources(mutating: Sequence[Callout]) -> Iterator[tuple[str, str, str, str, list[Callout]]]:
    """Every (group, version, resource, subresource) that a rule names, with the call-outs that may be called for it.

    Where a rule names none (`*`), pods stand for all; where it names no version, v1 does.
    """
    named: dict[tuple[str, str, str], dict[str, Callout]] = defaultdict(dict, {("", "pods", ""): {}})
    versions: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    open_ones: dict[str, Callout] = {}
    for callout in mutating:
        for rule in callout.get("rules") or ():
            for group in rule.get("api_groups") or ():
                for listed in rule.get("resources") or ():
                    resource, _slash, subresource = listed.partition("/")
                    if "*" in (group, resource):
                        open_ones[callout["id"]] = callout
                        continue
                    key = (group, resource, "" if subresource == "*" else subresource)
                    named[key][callout["id"]] = callout
                    versions[key].update(version for version in rule.get("api_versions") or () if version != "*")
    for key, callouts in sorted(named.items()):
        together = {**callouts, **open_ones}
        group, resource, subresource = key
        for version in sorted(versions[key]) or ["v1"]:
            yield group, version, resource, subresource, [together[name] for name in sorted(together)]


def _places(callouts: Sequence[Callout], facts: Mapping[str, Any]) -> list[tuple[str | None, Mapping[str, str] | None]]:
    """Namespaces to try: one of each kind that the namespaceSelectors tell apart, those first that most of them select.

    Labels are None where namespaces could not be read. Bounded: with very many selectors not every namespace is looked at.
    """
    selectors = [callout["namespace_selector"] for callout in callouts if not selects_everything(callout.get("namespace_selector"))]
    distinct = list({repr(selector): selector for selector in selectors}.values())
    namespaces = sorted(facts["namespaces"], key=lambda one: str(one["name"]))[: max(_MOST_COMPARISONS // max(len(distinct), 1), 1)]
    kinds: dict[tuple[bool, ...], tuple[str, Mapping[str, str]]] = {}
    for namespace in namespaces:
        labels = namespace.get("labels") or {}
        kinds.setdefault(tuple(selector_matches(selector, labels) for selector in distinct), (str(namespace["name"]), labels))
    best = sorted(kinds, key=lambda kind: (-sum(kind), kinds[kind][0]))[:_MOST_PLACES]
    return [kinds[kind] for kind in best] or [(None, None)]


def _together(request: Request, candidates: Sequence[Callout]) -> list[Callout]:
    """The call-outs of the best set that one object, by its labels, meets together."""
    wide = [callout for callout in candidates if intercepts({**callout, "object_selector": None}, request) == YES]
    if _seconds(wide) <= LIMIT:
        return []
    by_time = sorted(wide, key=lambda callout: (-callout["timeout_seconds"], callout["id"]))
    # Once as it is without any label, once with the labels that the slowest ones ask for.
    plain = [callout for callout in wide if selector_matches(callout.get("object_selector"), {})]
    labels: dict[str, str] = {}
    chosen: list[Callout] = []
    for callout in by_time:
        tried = _with_witness(labels, callout.get("object_selector"))
        if all(selector_matches(one.get("object_selector"), tried) for one in (*chosen, callout)):
            labels, chosen = tried, [*chosen, callout]
    labelled = [callout for callout in wide if selector_matches(callout.get("object_selector"), labels)]
    return max(plain, labelled, key=_seconds)


def _with_witness(labels: Mapping[str, str], selector: Mapping[str, Any] | None) -> dict[str, str]:
    """`labels`, with what the selector asks for where nothing stands against it."""
    result = dict(labels)
    for key, value in ((selector or {}).get("match_labels") or {}).items():
        result.setdefault(key, value)
    for expression in (selector or {}).get("match_expressions") or ():
        if expression["operator"] == "In" and expression.get("values"):
            result.setdefault(expression["key"], expression["values"][0])
        elif expression["operator"] == "Exists":
            result.setdefault(expression["key"], "")
    return result


def _seconds(callouts: Sequence[Callout]) -> int:
    return sum(int(callout["timeout_seconds"]) for callout in callouts)


def _what(request: Request) -> str:
    name = request.resource + (f".{request.group}" if request.group else "") + (f"/{request.subresource}" if request.subresource else "")
    where = f" in namespace {request.namespace}" if request.namespace else ""
    return f"{request.operation} of {name}{where}"
