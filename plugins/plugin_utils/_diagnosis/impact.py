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

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import selector_matches

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


def impact(callout: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """In one phrase. It does not say whether this is blocked or merely unseen: the severity of the finding does."""
    return impact_details(callout, facts).text


def impact_of(callouts: Iterable[Mapping[str, Any]], facts: Mapping[str, Any]) -> str | None:
    """For several call-outs: what they share is said once. None without call-outs."""
    affected = list(callouts)
    parts: dict[str, None] = {}
    for told, callout in enumerate(affected):
        parts[impact(callout, facts)] = None
        if len(parts) > _MOST_PARTS:
            return "; ".join([*list(parts)[:_MOST_PARTS], f"and what the other {len(affected) - told} of {len(affected)} call-outs are asked"])
    return "; ".join(parts) or None


def impact_details(callout: Mapping[str, Any], facts: Mapping[str, Any]) -> Impact:
    kind = callout["kind"]
    if kind == "conversion":
        return Impact("blocked", (), None, (), False, _conversion(callout["conversion"], callout["object"]["name"]))
    if kind == "apiservice":
        return Impact("blocked", (), None, (), False, f"all of {clean(callout['object']['name'])} (also: kubectl's discovery, deletion of namespaces)")
    return _admission(callout, facts)


def _admission(callout: Mapping[str, Any], facts: Mapping[str, Any]) -> Impact:
    effect = "blocked" if not fails_open(callout) else "unguarded" if callout["kind"] == "validating" else "unmutated"
    rules = callout.get("rules") or []
    requests = _requests(rules)
    if not requests:
        return Impact(effect, (), (), (), False, "nothing: it has no rules")
    phrase = "; ".join(f"{_operations(operations)} {listing(list(resources), 8)}" for operations, resources in requests)
    concerned = any(_namespaced(rule) for rule in rules)
    where, namespaces, spared, unread = _where(callout.get("namespace_selector"), facts) if concerned else ("", None, (), False)
    if callout.get("object_selector") and not selects_everything(callout["object_selector"]):
        where += f", if the object has the labels {selector_text(callout['object_selector'])}"
    conditions = callout.get("match_conditions") or []
    if conditions:
        where += f", as far as its matchConditions hold ({listing([clean(one['name']) for one in conditions])})"
    return Impact(effect, requests, namespaces, spared, unread, phrase + where)


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


def _where(selector: Mapping[str, Any] | None, facts: Mapping[str, Any]) -> tuple[str, tuple[str, ...] | None, tuple[str, ...], bool]:
    """The phrase, the namespaces concerned (None: all, or not known), those spared, and whether namespaces could not be read."""
    if selector is None or selects_everything(selector):
        return " in all namespaces", None, (), False
    known = sorted(facts["namespaces"], key=lambda namespace: str(namespace["name"]))
    if not known:
        return f" in namespaces with the labels {selector_text(selector)} (which ones is not known: namespaces could not be read)", None, (), True
    selected = [(str(one["name"]), selector_matches(selector, one.get("labels") or {})) for one in known]
    concerned = tuple(name for name, chosen in selected if chosen)
    spared = tuple(name for name, chosen in selected if not chosen)
    if not spared:
        return " in all namespaces", None, (), False
    if not concerned:
        return f" in no namespace that exists now (it asks for the labels {selector_text(selector)})", (), spared, False
    if len(spared) < len(concerned):
        return f" in all namespaces but {len(spared)} ({listing(list(spared))})", concerned, spared, False
    what = "namespace" if len(concerned) == 1 else "namespaces"
    return f" in {what} {listing(list(concerned), 8)}", concerned, spared, False


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
