# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD545: two configurations of one product that mutate the same pods. PRIVATE to the collection.

Whether two webhooks are of one kind is told by the names of their entries, because products are known by them. Scaffolds give the same names to webhooks of
different products (`mpod.kb.io`); those count only with the same Service name. That two different products see the same pods is no fault: most decide by an
annotation whether to do anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import Request, rule_matches, selector_matches

from ..catalogue.interception import WD545
from ..conditions import all_hold, ask_for_the_namespace
from ..finding import Finding, Subject
from ..label_index import bits
from ..needs import CONTROLLER
from ..selectors import labels_for, selector_text, selects_everything
from ..severity import Severity
from ..text import listing

if TYPE_CHECKING:
    from ..cluster import Cluster

Callout = Mapping[str, Any]
# Products whose entries have several names for one and the same injector, by the end of the name. The selectors decide there, so an overlap injects twice.
_INJECTORS = ("sidecar-injector.istio.io",)
# Names that a scaffold gives, whoever uses it.
_SCAFFOLDS = (".kb.io", ".example.com")
_MOST_OF_A_KIND = 200  # entries; the pairs of more than these are not looked at
_POD = Request("CREATE", "", "v1", "pods", object_labels={}, equivalents=())


@dataclass(frozen=True)
class Overlap:
    """Two entries, the namespaces in which both are called, as bits (None where namespaces do not matter), and the labels of a pod that both select."""

    first: Callout
    second: Callout
    namespaces: int
    labels: Mapping[str, str]


def double_injection(cluster: Cluster) -> Iterator[Finding]:
    """WD545, once for all configurations of a kind that overlap with one another."""
    for kind in _kinds(cluster).values():
        ordered = sorted(kind, key=lambda callout: (callout["object"]["name"], callout["index"]))[:_MOST_OF_A_KIND]
        places = [(callout, _where(cluster, callout)) for callout in ordered] if len(ordered) > 1 else []
        groups: dict[str, list[Overlap]] = {}  # name of the group's first configuration
        first_of: dict[str, str] = {}
        for (first, here), (second, there) in combinations(places, 2):
            names = (str(first["object"]["name"]), str(second["object"]["name"]))
            overlap = _overlap(first, second, here & there) if here & there and names[0] != names[1] else None
            if not overlap:
                continue
            one, other = sorted(first_of.get(name, name) for name in names)
            if one != other:
                groups[one] = [*groups.get(one, ()), *groups.pop(other, ())]
                first_of.update({name: one for name, start in first_of.items() if start == other}, **dict.fromkeys(names, one))
            groups[one].append(overlap)
        for overlaps in groups.values():
            yield _finding(cluster, overlaps)


CASE_RULES = ()
CLUSTER_RULES = (double_injection,)


def _kinds(cluster: Cluster) -> dict[tuple[str, ...], list[Callout]]:
    """The mutating entries that are called for new pods, by what makes them one kind, those alone of their kind included."""
    found: dict[tuple[str, ...], list[Callout]] = defaultdict(list)
    for case in cluster.cases:
        callout = case.callout
        if callout["kind"] == "mutating" and any(rule_matches(rule, _POD) for rule in callout.get("rules") or ()):
            found[_kind(callout)].append(callout)
    return found


def _kind(callout: Callout) -> tuple[str, ...]:
    name = str(callout["webhook"])
    injector = next((end for end in _INJECTORS if name.endswith(end)), None)
    if injector:
        return (injector,)
    if name.endswith(_SCAFFOLDS):
        service = (callout["client"] or {}).get("service") or {}
        return (name, str(service.get("name") or callout["client"].get("url")))
    return (name,)


def _overlap(first: Callout, second: Callout, both: int) -> Overlap | None:
    labels: dict[str, str] = {}
    for callout in (first, second):
        labels = labels_for(labels, callout.get("object_selector"))
    if not all(selector_matches(callout.get("object_selector"), labels) for callout in (first, second)):
        return None
    return Overlap(first, second, both, labels)


def _where(cluster: Cluster, callout: Callout) -> int:
    """The namespaces in which it is called for new pods for certain, as bits, whatever labels those have."""
    known = cluster.namespaces
    selected = known.selected(callout.get("namespace_selector"))
    if not callout.get("match_conditions"):
        return selected
    if not ask_for_the_namespace(callout):
        return selected if all_hold(callout, _POD, CONTROLLER) else 0
    found = 0
    for position in bits(selected):
        if all_hold(callout, replace(_POD, namespace=known.names[position]), CONTROLLER):
            found |= 1 << position
    return found


def _finding(cluster: Cluster, overlaps: Sequence[Overlap]) -> Finding:
    everywhere = 0
    for overlap in overlaps:
        everywhere |= overlap.namespaces
    names = sorted({str(callout["object"]["name"]) for overlap in overlaps for callout in (overlap.first, overlap.second)})
    where = cluster.namespaces.listing(everywhere, 8)
    injector = any(str(overlap.first["webhook"]).endswith(_INJECTORS) for overlap in overlaps)
    first, second = (str(callout["object"]["name"]) for callout in (overlaps[0].first, overlaps[0].second))
    return WD545.found(
        Subject("MutatingWebhookConfiguration", first),
        because=[
            f"{f'{first} and {second} are both' if len(names) == 2 else f'{listing(names)} are'} called for CREATE of pods in {everywhere.bit_count()} "
            f"namespaces: {where}",
            *map(_words, overlaps[:4]),
            "both decide by these selectors alone whether to inject, so a sidecar may be injected twice"
            if injector
            else "whether both of them change a pod is theirs to decide; if they do, the one whose configuration comes last by its name sees the other's "
            "change",
        ],
        affects=[callout["id"] for overlap in overlaps for callout in (overlap.first, overlap.second)],
        severity=Severity.WARNING if injector else Severity.INFO,
        root=" ".join(names),
        values={"config": first, "other": second, "example": next(iter(cluster.namespaces.named(everywhere, 1)), None)},
    )


def _words(overlap: Overlap) -> str:
    pods = f"pods with {','.join(f'{key}={value}' for key, value in sorted(overlap.labels.items()))}" if overlap.labels else "pods"
    asks = [
        f"{callout['object']['name']}: {callout['webhook']}{_asks(callout)}, back end {callout['backend'].partition('/')[2]}"
        for callout in (overlap.first, overlap.second)
    ]
    return f"{pods} meet {' and '.join(asks)}"


def _asks(callout: Callout) -> str:
    selector = callout.get("namespace_selector")
    return " in all namespaces" if selector is None or selects_everything(selector) else f" in namespaces with {selector_text(selector)}"
