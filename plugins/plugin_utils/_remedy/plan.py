# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From findings to a plan: the one way through planning. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import deadlock
from .change import Change, Risk
from .item import MANUAL, OWNED, PLANNED, SKIPPED, TOO_RISKY, item_of
from .ordering import ordered
from .owner import Owner
from .owners import owner_of
from .planner import Wanted
from .planners.registry import PLANNERS
from .reference import PublicKeys, Reference, Selection
from .request import Answer, InvalidOption, Request

if TYPE_CHECKING:
    from .._diagnosis.cluster import Cluster

OWNED_CHOICES = ("values", "patch", "skip")


@dataclass(frozen=True)
class Settings:
    """What a user says about the plan as a whole. remedies: the roles; owned: what to do with what somebody will put back."""

    remedies: tuple[str, ...] = tuple(PLANNERS)
    max_risk: Risk = Risk.LOW
    owned: str = "values"
    allow_fail_open: bool = False

    @classmethod
    def of(cls, remedies: str | Iterable[str] | None, max_risk: str, owned: str, allow_fail_open: bool) -> Settings:
        """remedies: names, also in one text with commas, as a command line has it. Raises InvalidOption."""
        named = [name.strip() for name in remedies.split(",")] if isinstance(remedies, str) else list(remedies or ())
        chosen = tuple(name for name in named if name) or tuple(PLANNERS)
        unknown = [role for role in chosen if role not in PLANNERS]
        if unknown:
            raise InvalidOption(f"remedies: {', '.join(map(repr, unknown))} is no remedy. There are: {', '.join(PLANNERS)}.")
        if max_risk not in [risk.value for risk in Risk]:
            raise InvalidOption(f"max_risk is {max_risk!r}. Expected one of: {', '.join(risk.value for risk in Risk)}.")
        if owned not in OWNED_CHOICES:
            raise InvalidOption(f"owned is {owned!r}. Expected one of: {', '.join(OWNED_CHOICES)}.")
        return cls(tuple(role for role in PLANNERS if role in chosen), Risk(max_risk), owned, allow_fail_open)


def complete(options: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Per role its options with the defaults of what is not given (or None). Raises InvalidOption for what no role has."""
    if not isinstance(options, Mapping):
        raise InvalidOption(f"options is {options!r}. Expected, for each remedy, its options.")
    for role, given in options.items():
        if role not in PLANNERS:
            raise InvalidOption(f"options: {role!r} is no remedy. There are: {', '.join(PLANNERS)}.")
        if given is not None and not isinstance(given, Mapping):
            raise InvalidOption(f"options: {role} is {given!r}. Expected its options by name.")
        unknown = sorted(set(given or ()) - set(PLANNERS[role].defaults))
        if unknown:
            raise InvalidOption(f"options: {role} has no {', '.join(unknown)}. It has: {', '.join(sorted(PLANNERS[role].defaults)) or 'none'}.")
    return {
        role: {**planner.defaults, **{name: value for name, value in (options.get(role) or {}).items() if value is not None}}
        for role, planner in PLANNERS.items()
    }


def reads_of(findings: Sequence[Mapping[str, Any]], cluster: Cluster, options: Mapping[str, Mapping[str, Any]], settings: Settings) -> list[Wanted]:
    """Which objects have to be read before a plan can be made. Raises InvalidOption."""
    filled = complete(options)
    wanted: dict[Wanted, None] = {}
    for role in settings.remedies:
        request = Request(findings, cluster, filled[role], {})
        wanted.update(dict.fromkeys(PLANNERS[role].reads(request)))
    if wanted:
        wanted.update(dict.fromkeys(deadlock.reads(cluster)))
    return list(wanted)


def plan_of(
    findings: Sequence[Mapping[str, Any]],
    cluster: Cluster,
    answers: Mapping[Reference | Selection | PublicKeys, Answer],
    options: Mapping[str, Mapping[str, Any]],
    settings: Settings,
) -> list[dict[str, Any]]:
    """The plan items in the order in which they are made. Raises InvalidOption."""
    filled = complete(options)
    # What PublicKeys is answered is not the object as it is.
    live = {Reference.of(item): item for wanted, answer in answers.items() if not isinstance(wanted, PublicKeys) for item in answer.objects}
    changes: list[Change] = []
    for role in settings.remedies:
        changes += PLANNERS[role].plan(Request(findings, cluster, filled[role], answers))
    judged = [(change, _owner(change, live.get(change.target), cluster)) for change in changes]
    states = {change.id: _state(change, owner, settings) for change, owner in judged}
    owners = {change.id: owner for change, owner in judged}
    for change, dummy in judged:
        if change.only_for and states[change.id] == PLANNED and states.get(change.only_for, PLANNED) != PLANNED:
            states[change.id], owners[change.id] = states[change.only_for], owners[change.only_for]
    made = [change for change, dummy in judged if states[change.id] == PLANNED]
    kept, bypasses = deadlock.around(made, cluster, live, settings.allow_fail_open)
    replaced = {change.id: change for change in kept}
    everything = [replaced.get(change.id, change) for change, dummy in judged] + bypasses
    states.update({change.id: MANUAL for change in kept if change.action == "manual"})
    for bypass in bypasses:
        # It is put back within the run, so its owner has no say; who may put it back too early is told.
        owners[bypass.id] = _undoing(owner_of(bypass, live.get(bypass.target), cluster))
        states[bypass.id] = _within_risk(bypass, settings)
    # Prerequisites come first, so that what is not made takes with it all that waits for it.
    settled = [_without_prerequisites(change, states) for change in ordered(everything, settings.remedies)]
    wanted = {other for change in settled if states[change.id] == PLANNED for other in change.after_}
    return [
        item_of(change, owners.get(change.id), states[change.id], live)
        for change in settled
        if not change.temporary or change.id in wanted or states[change.id] != PLANNED
    ]


def _owner(change: Change, live: Mapping[str, Any] | None, cluster: Cluster) -> Owner | None:
    """Who will put the change back; not one that the planner has proven to be gone."""
    if change.uncontested:
        return None
    owner = owner_of(change, live, cluster)
    return None if owner and owner.kind in change.abandoned_by else owner


def _state(change: Change, owner: Owner | None, settings: Settings) -> str:
    if change.action == "manual":
        return MANUAL
    if owner and settings.owned == "skip":
        return SKIPPED
    if owner and settings.owned == "values":
        return OWNED
    return _within_risk(change, settings)


def _within_risk(change: Change, settings: Settings) -> str:
    return TOO_RISKY if change.risk.rank > settings.max_risk.rank else PLANNED


def _undoing(owner: Owner | None) -> Owner | None:
    """Without the durable form: what is temporary is not for anybody's source."""
    return replace(owner, durable=()) if owner else None


def _without_prerequisites(change: Change, states: dict[str, str]) -> Change:
    """A change whose prerequisite is not made is not made either; what its prerequisite waits for, it waits for."""
    missing = [other for other in change.after_ if states.get(other) not in (None, PLANNED)]
    if missing and states[change.id] == PLANNED:
        states[change.id] = states[missing[0]]
        return replace(change, notes=(*change.notes, f"waits for {', '.join(missing)}, which is not made in this run"))
    return change
