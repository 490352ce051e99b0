# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD510: webhooks of one request that may take longer together than the API server waits. PRIVATE to the collection.

Mutating webhooks are called one after the other, so their time-outs add up, whatever their failure policy. Those with reinvocationPolicy IfNeeded may be
called again if another one changes the object after them. Validating webhooks come after them, all at once. If the object has to be converted to the version
that it is stored in, or to one that a webhook asks for, that takes up to 30 s more.
Only webhooks that one and the same possible request meets are added: the same resource and operation, a namespace that exists, labels that satisfy all
selectors at once. The labels of the object are searched for greedily, so the sum is one that can really happen, though not always the greatest one.
Source: k8s.io/apiserver pkg/endpoints/handlers/rest.go requestTimeoutUpperBound; pkg/admission/plugin/webhook/mutating/{dispatcher,reinvocationcontext}.go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import YES, Request, intercepts, rule_matches, selector_matches

from ..catalogue.timeouts import WD510
from ..finding import Finding, Subject
from ..label_index import bits
from ..resources import cluster_scoped
from ..selectors import labels_for
from ..severity import Severity

if TYPE_CHECKING:
    from ..cluster import Cluster

# Seconds: of a write; that the clients of the control plane wait; of a conversion; the default of a webhook.
LIMIT, CLIENTS, CONVERSION, DEFAULT = 34, 30, 30, 10

Callout = Mapping[str, Any]
_MOST_PLACES = 8
_MOST_SEARCHED = 300  # call-outs whose selectors are tried together
# CONNECT is not bounded by the 34 s.
_OPERATIONS = ("CREATE", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Sum:
    """One request and what it meets: mutating webhooks in the order of the call-outs' ids, validating ones, and the conversion of its objects."""

    request: Request
    callouts: tuple[Callout, ...]
    validating: tuple[Callout, ...] = ()
    conversion: Callout | None = None

    @property
    def seconds(self) -> int:
        """Of the mutating webhooks, each called once."""
        return _seconds(self.callouts)

    @property
    def again(self) -> tuple[Callout, ...]:
        """Those that may be called a second time: another one has to come after them."""
        if len(self.callouts) < 2:
            return ()
        return tuple(callout for callout in self.callouts if callout.get("reinvocation_policy") == "IfNeeded")

    @property
    def at_most(self) -> int:
        """Of all that may happen."""
        slowest = max((int(callout["timeout_seconds"]) for callout in self.validating), default=0)
        return self.seconds + _seconds(self.again) + slowest + (CONVERSION if self.conversion else 0)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(str(callout["id"]) for callout in self.callouts)

    @property
    def noteworthy(self) -> bool:
        """Whether the mutating ones alone take too long; or, with all else, webhooks of several back ends of which one has more than the default."""
        if self.seconds > LIMIT:
            return True
        several = len({callout["backend"] for callout in self.callouts}) > 1
        return self.at_most > LIMIT and several and any(int(callout["timeout_seconds"]) > DEFAULT for callout in self.callouts)


def sum_of_mutating_timeouts(cluster: Cluster) -> Iterator[Finding]:
    """WD510, once: for the request whose webhooks may take longest."""
    sums = sorted(_sums(cluster), key=lambda one: (-min(one.seconds, LIMIT + 1), -one.seconds, -one.at_most, _what(one.request)))
    if not sums:
        return
    worst = sums[0]
    slowest = max(worst.callouts, key=lambda callout: (callout["timeout_seconds"], callout["id"]))
    resource = "mutatingwebhookconfiguration"
    yield WD510.found(
        Subject.of_callout(slowest),
        because=_because(worst, sums),
        affects=worst.ids,
        severity=Severity.WARNING if worst.seconds > LIMIT else Severity.INFO,
        root="mutating time-outs",
        values={"resource": resource, "config": slowest["object"]["name"]},
    )


CASE_RULES = ()
CLUSTER_RULES = (sum_of_mutating_timeouts,)


def _because(worst: Sum, sums: Sequence[Sum]) -> Iterator[str]:
    yield f"{_what(worst.request)} meets {len(worst.callouts)} mutating webhooks, {worst.seconds} s together; the API server waits {LIMIT} s"
    for callout in sorted(worst.callouts, key=lambda one: (-one["timeout_seconds"], one["id"]))[:6]:
        yield f"{callout['timeout_seconds']} s: {callout['webhook']} ({callout['object']['kind']} {callout['object']['name']})"
    if worst.again:
        yield f"{len(worst.again)} of them may be called twice (reinvocationPolicy IfNeeded): up to {_seconds(worst.again)} s more"
    if worst.validating:
        yield f"validating webhooks come after them, all at once: up to {max(callout['timeout_seconds'] for callout in worst.validating)} s more"
    if worst.conversion:
        yield f"its objects are converted by a webhook (CustomResourceDefinition {worst.conversion['object']['name']}): up to {CONVERSION} s more"
    if worst.at_most > worst.seconds:
        yield f"all of that together: up to {worst.at_most} s"
    yield f"controllers and kubelets give up after {CLIENTS} s, so they see a time-out of their own before the API server's; kubectl waits for the answer"
    others = [one for one in sums[1:] if not one.ids <= worst.ids]
    if others:
        yield f"also {_what(others[0].request)}: {others[0].seconds} s, with other webhooks"


def _sums(cluster: Cluster) -> Iterator[Sum]:
    """The noteworthy sums, one for each resource, operation and kind of namespace."""
    admission: dict[str, list[Callout]] = {"mutating": [], "validating": []}
    for callout in sorted(cluster.facts["callouts"], key=lambda one: one["id"]):
        if callout["kind"] in admission:
            admission[callout["kind"]].append(callout)
    conversions = {
        (one["conversion"]["group"], one["conversion"]["plural"]): one
        for one in cluster.facts["callouts"]
        if one["kind"] == "conversion" and sum(bool(version.get("served")) for version in one["conversion"].get("versions") or ()) > 1
    }
    for group, version, resource, subresource, candidates in _resources(admission["mutating"]):
        conversion = conversions.get((group, resource))
        most = 2 * _seconds(candidates) + CONVERSION * 2
        if most <= LIMIT or (_seconds(candidates) <= LIMIT and len({callout["backend"] for callout in candidates}) < 2):
            continue
        fixed = cluster_scoped(group, resource) or bool(conversion and conversion["conversion"].get("scope") == "Cluster")
        plain = Request("", group, version, resource, subresource, namespaced=not fixed, object_labels={})
        for operation in _OPERATIONS:
            asked = _asked(candidates, replace(plain, operation=operation))
            validating = _asked(admission["validating"], replace(plain, operation=operation))
            for place in [None] if fixed else _places(asked, cluster):
                request, here = _in(cluster, replace(plain, operation=operation), place)
                met = _together(request, [callout for callout in asked if _selects(cluster, callout, here)])
                after = [callout for callout in validating if _selects(cluster, callout, here) and _certain(callout, request)]
                found = Sum(replace(request, object_labels=None), tuple(met), tuple(after), conversion)
                if met and found.noteworthy:
                    yield found


def _asked(callouts: Sequence[Callout], request: Request) -> list[Callout]:
    """Those whose rules name the request, wherever it is made."""
    anywhere = replace(request, namespace="-" if request.namespaced else None, namespace_labels={})
    open_form: dict[str, Any] = {"namespace_selector": None, "object_selector": None, "match_conditions": []}
    return [
        callout
        for callout in callouts
        if any(rule_matches(rule, anywhere) for rule in callout.get("rules") or ())
        or (callout.get("match_policy") != "Exact" and intercepts({**callout, **open_form}, anywhere) == YES)
    ]


def _in(cluster: Cluster, request: Request, place: int | None) -> tuple[Request, int | None]:
    """The request in a namespace (its position), or nowhere in particular."""
    if place is None:
        return request, None
    known = cluster.namespaces
    return replace(request, namespace=known.names[place], namespace_labels=known.labels[place]), place


def _selects(cluster: Cluster, callout: Callout, place: int | None) -> bool:
    return place is None or bool(cluster.namespaces.selected(callout.get("namespace_selector")) >> place & 1)


def _certain(callout: Callout, request: Request) -> bool:
    """Whether it is called for certain; the rules have been looked at."""
    return intercepts(callout, request) == YES


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


def _places(callouts: Sequence[Callout], cluster: Cluster) -> list[int | None]:
    """The positions of the namespaces to try: one of each of the kinds in which the selected webhooks may take longest.

    One without a position stands for namespaces that could not be read.
    """
    known = cluster.namespaces
    if not len(known):
        return [None]
    weights: dict[int, int] = defaultdict(int)  # set of namespaces -> seconds
    for callout in callouts:
        weights[known.selected(callout.get("namespace_selector"))] += int(callout["timeout_seconds"])
    everywhere = 0
    seconds = [0] * len(known)
    for selected, weight in weights.items():
        spared = known.index.everything & ~selected
        # Whichever is fewer: most selectors spare a few namespaces, or ask for a few.
        if spared.bit_count() < selected.bit_count():
            everywhere += weight
            for position in bits(spared):
                seconds[position] -= weight
        else:
            for position in bits(selected):
                seconds[position] += weight
    best: dict[int, int] = {}
    for position in sorted(range(len(known)), key=lambda position: (-seconds[position], position)):
        best.setdefault(seconds[position], position)
        if len(best) == _MOST_PLACES:
            break
    return list(best.values())


def _together(request: Request, candidates: Sequence[Callout]) -> list[Callout]:
    """The call-outs of the best set that one object, by its labels, meets together."""
    wide = [callout for callout in candidates if intercepts({**callout, "object_selector": None}, request) == YES]
    if not wide:
        return []
    by_time = sorted(wide, key=lambda callout: (-callout["timeout_seconds"], callout["id"]))
    # Once as it is without any label, once with the labels that the slowest ones ask for.
    plain = [callout for callout in wide if selector_matches(callout.get("object_selector"), {})]
    labels: dict[str, str] = {}
    chosen: list[Callout] = []
    for callout in by_time[:_MOST_SEARCHED]:
        tried = labels_for(labels, callout.get("object_selector"))
        if all(selector_matches(one.get("object_selector"), tried) for one in ((*chosen, callout) if tried != labels else (callout,))):
            labels, chosen = tried, [*chosen, callout]
    labelled = [callout for callout in wide if selector_matches(callout.get("object_selector"), labels)]
    return max(plain, labelled, key=_seconds)


def _seconds(callouts: Sequence[Callout]) -> int:
    return sum(int(callout["timeout_seconds"]) for callout in callouts)


def _what(request: Request) -> str:
    name = request.resource + (f".{request.group}" if request.group else "") + (f"/{request.subresource}" if request.subresource else "")
    where = f" in namespace {request.namespace}" if request.namespace else ""
    return f"{request.operation} of {name}{where}"
