# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is blocked, or passes unseen, while a call-out does not work: operations, resources, namespaces. PRIVATE to the collection.

    impact(callout, facts)          -> "CREATE, UPDATE of *.cert-manager.io in all namespaces but 2 (cert-manager, kube-system)"
    impact_of(callouts, facts)      -> the same for all call-outs that one finding affects
    impact_details(callout, facts)  -> Impact, the structured form

Who is spared is decided by the rules and selectors of the call-out and the labels of the namespaces that exist now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .label_index import Namespaces
from .resources import cluster_scoped
from .selectors import selector_text, selects_everything
from .severity import fails_open
from .text import clean, listing

_OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT")
_MOST_PARTS = 4


@dataclass(frozen=True)
class Impact:
    """effect: `blocked`, `unguarded` (a check does not happen) or `unmutated` (a change does not happen).

    requests: (operations, resources) pairs in the API's words; empty for conversion and aggregation.
    namespaces: those that are concerned, None where that is all of them or cannot be told; spared: those that are not.
    unread: the namespaces could not be read although the selector needs them. text: all of it as one sentence without a full stop.
    """

    effect: str
    requests: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    namespaces: tuple[str, ...] | None
    spared: tuple[str, ...]
    unread: bool
    text: str


def impact(callout: Mapping[str, Any], facts: Mapping[str, Any], namespaces: Namespaces | None = None) -> str:
    """In one phrase. It does not say whether this is blocked or merely unseen: the severity of the finding does. namespaces: those of the facts, where
    somebody has them indexed."""
    if callout["kind"] not in ("validating", "mutating"):
        return impact_details(callout, facts, namespaces).text
    return _admission(callout, namespaces or Namespaces(facts["namespaces"]))[0]


def impact_of(callouts: Iterable[Mapping[str, Any]], facts: Mapping[str, Any], namespaces: Namespaces | None = None) -> str | None:
    """For several call-outs: what they share is said once. None without call-outs."""
    affected = list(callouts)
    known = namespaces or Namespaces(facts["namespaces"])
    parts: dict[str, None] = {}
    for told, callout in enumerate(affected):
        parts[impact(callout, facts, known)] = None
        if len(parts) > _MOST_PARTS:
            return "; ".join([*list(parts)[:_MOST_PARTS], f"and what the other {len(affected) - told} of {len(affected)} call-outs are asked"])
    return "; ".join(parts) or None


def impact_details(callout: Mapping[str, Any], facts: Mapping[str, Any], namespaces: Namespaces | None = None) -> Impact:
    kind = callout["kind"]
    if kind == "conversion":
        return Impact("blocked", (), None, (), False, _conversion(callout["conversion"], callout["object"]["name"]))
    if kind == "apiservice":
        return Impact("blocked", (), None, (), False, f"all of {clean(callout['object']['name'])} (also: kubectl's discovery, deletion of namespaces)")
    effect = "blocked" if not fails_open(callout) else "unguarded" if kind == "validating" else "unmutated"
    known = namespaces or Namespaces(facts["namespaces"])
    text, requests, place = _admission(callout, known)
    if not requests:
        return Impact(effect, (), (), (), False, text)
    concerned = None if place.concerned is None else tuple(known.named(place.concerned))
    return Impact(effect, requests, concerned, tuple(known.named(place.spared)), place.unread, text)


@dataclass(frozen=True)
class _Place:
    """A phrase; the namespaces concerned (None: all, or not known) and those spared, as bits; whether namespaces could not be read."""

    phrase: str
    concerned: int | None = None
    spared: int = 0
    unread: bool = False


def _admission(callout: Mapping[str, Any], known: Namespaces) -> tuple[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...], _Place]:
    rules = callout.get("rules") or []
    requests = _requests(rules)
    if not requests:
        return "nothing: it has no rules", (), _Place("")
    phrase = "; ".join(f"{_operations(operations)} {listing(list(resources), 8)}" for operations, resources in requests)
    place = _where(callout.get("namespace_selector"), known) if any(_namespaced(rule) for rule in rules) else _Place("")
    where = place.phrase
    if callout.get("object_selector") and not selects_everything(callout["object_selector"]):
        where += f", if the object has the labels {selector_text(callout['object_selector'])}"
    conditions = callout.get("match_conditions") or []
    if conditions:
        where += f", as far as its matchConditions hold ({listing([clean(one['name']) for one in conditions])})"
    return phrase + where, requests, place


def _requests(rules: Sequence[Mapping[str, Any]]) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """The rules' resources by the operations that they are matched for."""
    by_operations: dict[tuple[str, ...], dict[str, None]] = {}
    for rule in rules:
        listed = set(rule.get("operations") or ())
        operations = ("*",) if "*" in listed or listed >= set(_OPERATIONS) else tuple(one for one in _OPERATIONS if one in listed)
        names = by_operations.setdefault(operations, {})
        for group in rule.get("api_groups") or ():
            for resource in rule.get("resources") or ():
                names[_resource(group, resource)] = None
    return tuple((operations, tuple(names)) for operations, names in by_operations.items() if operations and names)


def _operations(operations: Sequence[str]) -> str:
    return "every operation on" if operations == ("*",) else f"{', '.join(operations)} of"


def _resource(group: str, resource: str) -> str:
    """`deployments.apps/scale`, `*.cert-manager.io`, `pods`; every group and resource in words."""
    main, _slash, sub = resource.partition("/")
    if group == "*" and main == "*":
        return {"": "all resources", "*": "all resources and their subresources"}.get(sub, f"the subresource {clean(sub)} of all resources")
    in_core = "*.core" if main == "*" else main
    name = f"{main} of every group" if group == "*" else f"{main}.{group}" if group else in_core
    return clean(name + (f"/{sub}" if sub else ""))


def _namespaced(rule: Mapping[str, Any]) -> bool:
    """Whether the rule may match anything in a namespace."""
    if rule.get("scope") == "Cluster":
        return False
    groups, resources = rule.get("api_groups") or (), rule.get("resources") or ()
    return not all(cluster_scoped(group, resource.partition("/")[0]) for group in groups for resource in resources)


def _where(selector: Mapping[str, Any] | None, known: Namespaces) -> _Place:
    if selector is None or selects_everything(selector):
        return _Place(" in all namespaces")
    if not len(known):
        return _Place(f" in namespaces with the labels {selector_text(selector)} (which ones is not known: namespaces could not be read)", unread=True)
    concerned = known.selected(selector)
    spared = known.index.everything & ~concerned
    if not spared:
        return _Place(" in all namespaces")
    if not concerned:
        return _Place(f" in no namespace that exists now (it asks for the labels {selector_text(selector)})", 0, spared)
    if spared.bit_count() < concerned.bit_count():
        return _Place(f" in all namespaces but {spared.bit_count()} ({known.listing(spared)})", concerned, spared)
    what = "namespace" if concerned.bit_count() == 1 else "namespaces"
    return _Place(f" in {what} {known.listing(concerned, 8)}", concerned, spared)


def _conversion(conversion: Mapping[str, Any], crd: str) -> str:
    """Objects are converted between the version that is asked for and the one that they are stored in.

    A client that asks for the storage version needs no webhook, unless objects still lie in etcd in an older one (status.storedVersions).
    """
    versions = conversion.get("versions") or []
    storage = next((version["name"] for version in versions if version.get("storage")), None)
    asked = [version["name"] for version in versions if version.get("served") and version["name"] != storage]
    old = [name for name in conversion.get("stored_versions") or () if name != storage]
    name = clean(crd)
    parts = []
    if asked:
        parts.append(f"reads and writes of {name} in {_versions(asked)} (stored as {clean(storage)})")
    if old:
        parts.append(f"reads of those {name if not asked else 'objects'} that are still stored as {listing(old)}")
    if not parts:
        return f"nothing now: {name} is served and stored as {clean(storage)} alone"
    held = "deletion of namespaces and garbage collection" if conversion.get("scope") != "Cluster" else "garbage collection"
    return f"{' and '.join(parts)}, and therefore {held} of them"


def _versions(names: Sequence[str]) -> str:
    return f"{'version' if len(names) == 1 else 'versions'} {listing([clean(name) for name in names])}"
