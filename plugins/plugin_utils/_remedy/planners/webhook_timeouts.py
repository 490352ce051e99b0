# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""webhook_timeouts: timeoutSeconds of admission webhooks, by profile. Pure. PRIVATE to the collection.

surface:  30 s, for calls that hang: Go's own limits then end first and the API server's text names the phase (timeout_profile.py has the sources).
guard:    what the place of the webhook recommends: at most 15 s in the way of the control plane, at most 3 s for leases, no less than the floors.
explicit: `seconds` for every webhook that is selected, findings or not.
Every entry of a configuration is looked at by itself. Conversion webhooks and APIServices have fixed limits, which the plan says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._diagnosis.timeout_profile import CALL_LIMIT, hides_the_phase, profiles
from ..change import Change, Risk, Values
from ..edit import Edit, pointer
from ..planner import Planner
from ..reference import Reference
from ..request import InvalidOption, Request, choice, whole

if TYPE_CHECKING:
    from ..._diagnosis.case import Case

ROLE = "webhook_timeouts"
PROFILES = ("guard", "surface", "explicit")
# Findings about calls that hang: the profile surface shows where.
HANGING = ("WD210", "WD212", "WD321", "WD501", "WD701", "WD702", "WD703", "WD704", "WD710", "WD711", "WD713")
CODES = ("WD510", "WD511", "WD512", "WD522", *HANGING)
_VERSION = "admissionregistration.k8s.io/v1"


def reads(request: Request) -> Iterator[Reference]:
    return (reference for reference, dummy, _findings in _wanted(request))


def plan(request: Request) -> Iterator[Change]:
    for reference, cases, findings in _wanted(request):
        configuration = request.read(reference)
        if configuration is None:
            continue
        edit = Edit(configuration)
        entries = {entry["name"]: position for position, entry in enumerate(configuration.get("webhooks") or ())}
        words = []
        for case, seconds, why in cases:
            position = entries.get(str(case.callout["webhook"]))
            if position is None:
                continue
            current = edit.get(pointer("webhooks", position, "timeoutSeconds"), 10)
            if current == seconds:
                continue
            edit.anchor(pointer("webhooks", position, "name"))
            edit.set(pointer("webhooks", position, "timeoutSeconds"), seconds)
            words.append(f"{case.callout['webhook']}: {current} s to {seconds} s ({why})")
        if edit:
            yield Change(
                remedy=ROLE,
                codes=tuple(sorted({finding["code"] for finding in findings})),
                fingerprints=tuple(sorted({finding["fingerprint"] for finding in findings if finding["code"] not in HANGING})),
                target=reference,
                action="patch",
                edit=edit,
                reason="; ".join(words),
                risk=Risk.LOW,
                callouts=tuple(case.id for case, dummy, _why in cases),
                values=_values(request, cases),
            )
    yield from _fixed_limits(request)


def _wanted(request: Request) -> list[tuple[Reference, list[tuple[Case, int, str]], list[Mapping[str, Any]]]]:
    """(configuration, [(webhook, seconds, why)], the findings that ask for it) of every configuration in which something is to change."""
    profile = choice(request.options, "profile", PROFILES)
    wanted: dict[Reference, tuple[list, list]] = {}
    asked: dict[str, list[Mapping[str, Any]]] = {}
    for finding in request.of(*CODES):
        for case in request.cases(finding):
            asked.setdefault(case.id, []).append(finding)
    for case in request.cluster.cases:
        if case.callout["kind"] not in ("validating", "mutating"):
            continue
        findings = asked.get(case.id, [])
        if not findings and profile != "explicit":
            continue
        target = _target(request, profile, case, [finding["code"] for finding in findings])
        if target and target[0] != case.callout["timeout_seconds"]:
            reference = Reference(_VERSION, case.callout["object"]["kind"], case.callout["object"]["name"])
            cases, because = wanted.setdefault(reference, ([], []))
            cases.append((case, *target))
            because += findings
    return [(reference, *both) for reference, both in sorted(wanted.items())]


def _target(request: Request, profile: str, case: Case, codes: Iterable[str]) -> tuple[int, str] | None:
    """(seconds, why) that this webhook is to have; None: leave it."""
    if profile == "explicit":
        names = request.options["webhooks"]
        if not isinstance(names, (list, tuple)):
            raise InvalidOption(f"webhooks is {names!r}. Expected a list of names of webhooks; empty for all that have a finding.")
        chosen = str(case.callout["webhook"]) in names if names else bool(list(codes))
        return (whole(request.options, "seconds", 1, 30, "seconds"), "as asked for") if chosen else None
    current = int(case.callout["timeout_seconds"])
    if profile == "surface":
        hangs = any(code in HANGING for code in codes)
        return (CALL_LIMIT, "so that Go's own limits end first and the text names the phase") if hangs and hides_the_phase(case) else None
    if not any(code in ("WD510", "WD511", "WD512", "WD522") for code in codes):
        return None
    applying = profiles(case)
    # The strictest of the upper limits counts first: what the control plane needs goes before a clear text.
    ceiling = min((one for one in applying), key=lambda one: one.high, default=None)
    if ceiling and current > ceiling.high:
        return ceiling.high, ceiling.why
    floor = max((one for one in applying if ceiling is None or one.low <= ceiling.high), key=lambda one: one.low, default=None)
    if floor and current < floor.low:
        return floor.low, floor.why
    if "WD510" in codes and current > 10:
        return 10, "the time-outs of the webhooks of one request add up"
    return None


def _values(request: Request, cases: list) -> tuple[Values, ...]:
    """The chart of cert-manager has one value for its webhook."""
    seconds = {second for case, second, dummy in cases if str(case.callout["webhook"]) == "webhook.cert-manager.io"}
    return (Values("cert-manager", {"webhook.timeoutSeconds": seconds.pop()}),) if len(seconds) == 1 else ()


def _fixed_limits(request: Request) -> Iterator[Change]:
    """What a time-out cannot help, said once for each call-out that hangs."""
    if request.options["profile"] != "surface":
        return
    for finding in request.of(*HANGING):
        for case in request.cases(finding):
            if case.callout["kind"] not in ("conversion", "apiservice"):
                continue
            limit = "30 s" if case.callout["kind"] == "conversion" else "5 s for the check of its availability"
            owner = case.callout["object"]
            yield Change(
                remedy=ROLE,
                codes=(finding["code"],),
                fingerprints=(),
                target=Reference(owner["api_version"], owner["kind"], owner["name"]),
                action="manual",
                reason=f"its time limit is fixed in the API server ({limit}), so no setting can help; mend what {finding['code']} says",
                manual=tuple(finding["remedy"]["manual"]),
                callouts=(case.id,),
            )


PLANNER = Planner(ROLE, CODES, reads, plan, {"profile": "guard", "seconds": 10, "webhooks": []})
