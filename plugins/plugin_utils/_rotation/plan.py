# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a rollout: who is due, in which order, whether the guards let the next one go, and when. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._diagnosis.checked import moment
from .._diagnosis.text import listing
from .guards.aggregated_apis import unavailable
from .guards.all import blocking, guards
from .guards.window import NAME as WINDOW
from .instance import Instance
from .options import InvalidOptions
from .order import through, turns
from .situation import Situation
from .times import iso
from .verdict import State, Verdict

GO, NOTHING, WAITING, REFUSED = "go", "nothing", "waiting", "refused"


def read_verdicts(given: Iterable[Mapping[str, Any]], instances: Sequence[Instance]) -> list[Verdict]:
    """What a role says is due: [{host, state, says, urgent?, before?}]. Raises InvalidOptions."""
    hosts, verdicts = {one.host for one in instances}, []
    for item in given:
        try:
            host, state = str(item["host"]), State(item["state"])
        except (KeyError, ValueError) as error:
            raise InvalidOptions(f"a verdict is not understood ({error}). Expected: host, state ({', '.join(one.value for one in State)}), says.") from error
        if host not in hosts:
            raise InvalidOptions(f"the verdict about {host} is about no control-plane host. Expected one of: {listing(sorted(hosts), 10)}.")
        before = item.get("before")
        verdicts.append(
            Verdict(
                host=host,
                state=state,
                says=str(item.get("says") or ""),
                urgent=bool(item.get("urgent")),
                before=moment(str(before)) if before else None,
                not_after=moment(str(item["not_after"])) if item.get("not_after") else None,
                started=moment(str(item["started"])) if item.get("started") else None,
                days_left=item.get("days_left"),
                lifetime_days=item.get("lifetime_days"),
            )
        )
    return verdicts


def plan(verdicts: Sequence[Verdict], situation: Situation, what: str) -> dict[str, Any]:
    """what: is done to a host, such as `restart kube-apiserver`. The guards are those of the first one whose turn it is; each is asked again in its turn.

    {outcome: go|nothing|waiting (for the window, and for nothing else)|refused, says, what, at, cluster, instances, order, next, guards, stops, unknown,
    baseline, through, seconds_per_server, window}
    """
    order = turns(verdicts, situation)
    first = order[0].host if order else None
    situation = replace(situation, target=first)
    found = guards(situation)
    stops = blocking(found)
    unknown = [verdict.host for verdict in verdicts if verdict.state is State.UNKNOWN]
    outcome = NOTHING if not order else GO if not stops else WAITING if {guard.name for guard in stops} == {WINDOW} else REFUSED
    by_host = {one.host: one for one in situation.instances}
    windows = situation.options.windows
    return {
        "outcome": outcome,
        "says": _says(outcome, len(verdicts), len(order), unknown, stops, what),
        "what": what,
        "at": iso(situation.now),
        "cluster": (situation.facts.get("source") or {}).get("cluster"),
        "instances": [_instance(verdict, by_host[verdict.host]) for verdict in verdicts],
        "order": [turn.shown() for turn in order],
        "next": first,
        "guards": [guard.shown() for guard in found],
        "stops": [guard.line for guard in stops],
        "unknown": unknown,
        "baseline": sorted(unavailable(situation.api)) if situation.baseline is None else sorted(situation.baseline),
        "through": through(situation, first),
        "seconds_per_server": situation.options.seconds_per_server,
        "window": {
            "closes": iso(windows.closes(situation.now)) if windows.windows else None,
            "opens": iso(windows.opens(situation.now)) if windows.windows else None,
        },
    }


def again(situation: Situation) -> dict[str, Any]:
    """The guards once more, right before `situation.target`: {go, target, at, guards, stops: those that do, in words, through}."""
    found = guards(situation)
    stops = blocking(found)
    return {
        "go": not stops,
        "target": situation.target,
        "at": iso(situation.now),
        "guards": [guard.shown() for guard in found],
        "stops": [guard.line for guard in stops],
        "through": through(situation, situation.target),
    }


def _instance(verdict: Verdict, one: Instance) -> dict[str, Any]:
    facts = one.facts or {}
    return {
        **verdict.shown(),
        "address": facts.get("address"),
        "port": facts.get("port"),
        "version": facts.get("version"),
        "distribution": one.distribution,
        "ready": one.ready,
    }


def _says(outcome: str, instances: int, due: int, unknown: Sequence[str], stops: Sequence[Any], what: str) -> str:
    blind = f"; {listing(list(unknown))} cannot be judged" if unknown else ""
    if outcome == NOTHING:
        return f"nothing to do: none of {instances} API servers is due{blind}"
    begin = f"{due} of {instances} API servers due: {what}"
    if outcome == GO:
        return f"{begin}, one at a time{blind}"
    names = list(dict.fromkeys(guard.name for guard in stops))
    return f"{begin}, but {listing(names)} {'does' if len(names) == 1 else 'do'} not let it{blind}"
