# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a dead fail-closed call-out would block the very change that mends it, or any other of the plan. Pure. PRIVATE to the collection.

A webhook is never asked about webhook configurations, so these can be changed always: a bypass (bypass.py) lets through what the change needs, for the time
of the repair. What cannot be told (labels that were not read, conditions that are not recognised) blocks nothing: the dry run will tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import NO, YES

from .._diagnosis.conditions import intercepts_under_conditions
from .._diagnosis.needs import Need
from .bypass import Blocked, Obstacle, as_callout, bypass, entry_of, obstacle
from .change import Change
from .reference import Reference
from .writes import needs_of

if TYPE_CHECKING:
    from .._diagnosis.case import Case
    from .._diagnosis.cluster import Cluster

_VERSION = "admissionregistration.k8s.io/v1"
Live = Mapping[Reference, Mapping[str, Any]]


def reads(cluster: Cluster) -> Iterator[Reference]:
    """The configurations that could block a change."""
    return iter(dict.fromkeys(_configuration(case) for case in _dead(cluster)))


def around(changes: list[Change], cluster: Cluster, live: Live, allow_fail_open: bool) -> tuple[list[Change], list[Change]]:
    """(the changes, with what they wait for; the temporary changes that let them through). A change that nothing can let through is for a person."""
    blocked = [one for change in changes for case in _dead(cluster) if (one := _blocked(change, live.get(change.target), case, live.get(_configuration(case))))]
    waiting: dict[str, list[str]] = defaultdict(list)
    stuck: dict[str, list[tuple[Blocked, Obstacle]]] = defaultdict(list)
    passing: dict[Reference, list[Blocked]] = defaultdict(list)
    for one in blocked:
        target = _configuration(one.case)
        freeing = next(
            (change for change in changes if change.target == target and _frees(change, one, live) and not _waits(change, one.change, changes)), None
        )
        hindered = None if freeing else obstacle(one, live.get(target), allow_fail_open)
        if freeing:
            waiting[one.change.id].append(freeing.id)
        elif hindered:
            stuck[one.change.id].append((one, hindered))
        else:
            passing[target].append(one)
    bypasses = []
    for target, ones in sorted(passing.items()):
        let_through = [one for one in ones if one.change.id not in stuck]
        if let_through:
            before, after = _base(target, changes, live)
            made = bypass(target, let_through, before, after)
            bypasses.append(made)
            for one in let_through:
                waiting[one.change.id].append(made.id)
    return [_outcome(change, waiting[change.id], stuck.get(change.id)) for change in changes], bypasses


def _dead(cluster: Cluster) -> list[Case]:
    return [
        case
        for case in cluster.cases
        if case.callout["kind"] in ("validating", "mutating") and case.callout["failure_policy"] == "Fail" and case.judgement.fails
    ]


def _configuration(case: Case) -> Reference:
    owner = case.callout["object"]
    return Reference(_VERSION, owner["kind"], owner["name"])


def _blocked(change: Change, target: Mapping[str, Any] | None, case: Case, configuration: Mapping[str, Any] | None) -> Blocked | None:
    """configuration: as it is now, which counts where it was read."""
    callout: Mapping[str, Any] = case.callout
    if configuration is not None:
        entry = entry_of(configuration, str(callout["webhook"]))
        if entry is None:
            return None
        callout = as_callout(callout, entry)
    asked = tuple(need for need in needs_of(change, target, case) if callout["failure_policy"] == "Fail" and _verdict(callout, need) == YES)
    return Blocked(change, case, asked) if asked else None


def _verdict(callout: Mapping[str, Any], need: Need) -> str:
    return intercepts_under_conditions(callout, need.request, need.by.groups, need.by.users)


def _frees(change: Change, one: Blocked, live: Live) -> bool:
    """Whether this change of the webhook's configuration, which is planned anyway, lets the blocked one through: the webhook goes, or is asked no longer, or
    fails open, or is called in another way because of a finding that this mends."""
    if change.action == "delete":
        return True
    if change.edit is None:
        return False
    entry = entry_of(change.edit.result, one.webhook)
    if entry is None:
        return True
    callout = as_callout(one.case.callout, entry)
    if callout["failure_policy"] == "Ignore" or all(_verdict(callout, need) == NO for need in one.needs):
        return True
    before = entry_of(live.get(change.target) or {}, one.webhook) or {}
    return bool(change.fingerprints) and one.case.id in change.callouts and entry.get("clientConfig") != before.get("clientConfig")


def _waits(change: Change, other: Change, changes: Sequence[Change]) -> bool:
    """Whether `change` is made after `other` anyway."""
    after = {one.id: one.after_ for one in changes}
    reached, queue = set[str](), [change.id]
    while queue:
        for before in after.get(queue.pop(), ()):
            if before not in reached:
                reached.add(before)
                queue.append(before)
    return other.id in reached


def _base(target: Reference, changes: Sequence[Change], live: Live) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The configuration as the bypass finds it: behind a change that touches the same lists, so that each can be taken back by itself."""
    touching = next(
        (
            change
            for change in changes
            if change.target == target and change.edit and any("Selector" in path or "matchConditions" in path for path in change.edit.after)
        ),
        None,
    )
    return (touching.edit.result, (touching.id,)) if touching and touching.edit else (live[target], ())


def _outcome(change: Change, waiting: list[str], stuck: list[tuple[Blocked, Obstacle]] | None) -> Change:
    if stuck:
        because = "; ".join(f"{one.words}; {hindered.why}" for one, hindered in stuck)
        return replace(
            change,
            action="manual",
            edit=None,
            created=None,
            after_=(),
            reason=f"{change.reason}; deadlock: the API server refuses it while {because}",
            manual=tuple(dict.fromkeys(line for dummy, hindered in stuck for line in hindered.manual)),
        )
    return replace(change, after_=tuple(dict.fromkeys([*change.after_, *waiting]))) if waiting else change
