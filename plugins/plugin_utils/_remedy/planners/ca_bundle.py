# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ca_bundle: caBundles that do not vouch for what is served. Whoever keeps one is brought to write it; what nobody keeps is written from a named source,
old and new together, after it was verified. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..ca import written
from ..ca.certgen import name_again, run_again
from ..ca.steps import ANNOTATE, MANUAL, OF_THE_BUNDLE, RESTART, ROTATE, RUN_AGAIN, SCALE, WRITE, Step, steps
from ..change import Change, Risk, Values, each_once, mending
from ..edit import Edit, pointer
from ..planner import Planner, Wanted
from ..request import Request
from ..rollout import restart, restarted_recently, scale_up

ROLE = written.ROLE
CODES = (*OF_THE_BUNDLE, "WD326", "WD801", "WD804", "WD805", "WD806", "WD808", "WD854")
_REVISION = "istio.io/rev"
_KEYS = ("tls.crt", "tls.key", "ca.crt")
_ISSUED_FOR = "cert-manager.io/certificate-name"
_NOT_KEPT = "the old CA goes with its private key, which is never read or kept here; the webhook makes a new one by itself"
# Image, start, and injection.
_ROLLS, _RUNS = 120, 180


def reads(request: Request) -> Iterator[Wanted]:
    found = list(steps(request, CODES))
    for step in found:
        yield from step.reads
        if step.how == RUN_AGAIN:
            yield from (replace(job, name=name_again(job.name)) for job in step.reads)
    yield from written.reads(request, written.wanted(step for step in found if step.how == WRITE))


def plan(request: Request) -> list[Change]:
    found = list(steps(request, CODES))
    changes = [change for step in found if step.how != WRITE for change in _change(request, step)]
    changes += written.changes(request, written.wanted(step for step in found if step.how == WRITE))
    return each_once(changes)


def _change(request: Request, step: Step) -> Iterator[Change]:
    if step.how == MANUAL:
        yield _by_hand(step, step.why)
        return
    unread = next((f"{one.words} cannot be read: {why}" for one in step.reads if (why := request.unreadable(one))), None)
    if unread:
        yield _by_hand(step, f"{step.why}; {unread}")
    elif step.how == RUN_AGAIN:
        yield from _run_again(request, step)
    elif step.how == ROTATE:
        yield _rotate(request, step)
    else:
        live = request.read(step.target)
        if live is not None:
            yield from _patch(request, step, live)


def _patch(request: Request, step: Step, live: Mapping[str, Any]) -> Iterator[Change]:
    if step.how == SCALE:
        edit = scale_up(live)
        if edit:
            yield _made(step, edit, Risk.MEDIUM, rollout=True, values=_scaled(step))
    elif step.how == RESTART:
        just = restarted_recently(live, request.cluster.observed)
        if just:
            yield _by_hand(step, f"{step.target.words} was started anew at {just}, and that has not helped; its log says more")
        else:
            yield _made(step, restart(live, request.cluster.observed), Risk.MEDIUM, rollout=True)
    elif step.proof and request.read(step.proof) is None:
        yield _by_hand(step, f"{step.proof.words} does not exist, so what the annotation should say is not known here")
    else:
        edit = Edit(live)
        place = ("annotations", step.annotation) if step.how == ANNOTATE else ("labels", _REVISION)
        edit.set(pointer("metadata", *place), step.value)
        if edit:
            yield _made(step, edit, Risk.LOW)


def _rotate(request: Request, step: Step) -> Change:
    """The Secret is deleted only where it is of no use, and cainjector is there to inject what comes instead."""
    secret = request.read(step.target)
    if secret is None:
        return _by_hand(step, f"{step.target.words} does not exist, and the webhook has not made it: it may not, or cannot reach the API server")
    issued = (secret["metadata"].get("annotations") or {}).get(_ISSUED_FOR)
    if issued:
        return _by_hand(step, f"{step.target.words} belongs to Certificate {issued}, so the webhook would not make it anew; renew that")
    missing = [key for key in _KEYS if key not in (secret.get("data") or {})]
    if not step.settled and not missing:
        return _by_hand(step, f"{step.target.words} has all of its keys, so its content may be right; the log of the webhook says what it lacks")
    injectors = request.cluster.cert_manager.components("cainjector")
    waits = tuple(change.id for other in steps(request, ("WD801",)) if other.how == SCALE for change in _change(request, other))
    if not any(one.runs for one in injectors) and not waits:
        return _by_hand(step, "no cainjector runs that would inject the new CA: bring it back first, else all calls would fail")
    return Change(
        remedy=ROLE,
        **mending([step.finding]),
        target=step.target,
        action="delete",
        reason=f"{step.why} (it lacks {', '.join(missing)})" if missing else step.why,
        risk=Risk.HIGH,
        callouts=tuple(case.id for case in step.cases),
        irreversible=_NOT_KEPT,
        patience=_ROLLS,
        after_=waits,
        notes=("until cainjector has injected the new CA, calls fail for some seconds",),
    )


def _run_again(request: Request, step: Step) -> Iterator[Change]:
    before: tuple[str, ...] = ()
    for target in step.reads:
        again = replace(target, name=name_again(target.name))
        job = request.read(target)
        if not request.is_absent(again):
            yield _by_hand(step, f"{again.words} is there already: it was run again and has not helped; its log says more. Delete it before the next try")
            return
        copy = run_again(job) if job else None
        if copy is None:
            hidden = "holds values that are not read here, so it cannot be copied" if job else "is gone"
            yield _by_hand(step, f"{step.why}; {target.words} {hidden}")
            return
        change = Change(
            remedy=ROLE,
            **mending([step.finding]),
            target=again,
            action="create",
            created=copy,
            reason=f"{step.why}; it runs again as a copy of {target.words}",
            risk=Risk.MEDIUM,
            callouts=tuple(case.id for case in step.cases),
            patience=_RUNS,
            after_=before,
        )
        before = (change.id,)
        yield change


def _scaled(step: Step) -> tuple[Values, ...]:
    if step.finding["code"] != "WD801":
        return ()
    return (Values("cert-manager", {"cainjector.enabled": True, "cainjector.replicaCount": 1}),)


def _made(step: Step, edit: Edit, risk: Risk, rollout: bool = False, values: tuple[Values, ...] = ()) -> Change:
    return Change(
        remedy=ROLE,
        **mending([step.finding]),
        target=step.target,
        action="patch",
        edit=edit,
        reason=step.why,
        risk=risk,
        callouts=tuple(case.id for case in step.cases),
        rollout=rollout,
        patience=_ROLLS if rollout else 60,
        values=values,
    )


def _by_hand(step: Step, why: str) -> Change:
    return Change(
        remedy=ROLE,
        **mending([step.finding]),
        target=step.target,
        action="manual",
        reason=why,
        manual=step.manual or tuple(step.finding["remedy"]["manual"]),
        callouts=tuple(case.id for case in step.cases),
        part=f"by hand, {step.finding['code']}",
    )


PLANNER = Planner(ROLE, CODES, reads, plan, {"source": {}, "trust_served": False, "drop_expired": False})
