# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""webhook_timeouts: timeoutSeconds of admission webhooks, by profile. Pure. PRIVATE to the collection.

surface:  30 s, for calls that hang: Go's own limits then end first and the API server's text names the phase (timeout_profile.py has the sources).
guard:    what the place of the webhook recommends: at most 15 s in the way of the control plane, at most 3 s for leases, no less than the floors; and of
          the mutating webhooks of one request no more than the API server waits for all of them.
explicit: `seconds` for every webhook that is selected, findings or not.
Every entry of a configuration is looked at by itself. Conversion webhooks and APIServices have fixed limits, which the plan says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._diagnosis.severity import fails_open
from ..._diagnosis.timeout_profile import CALL_LIMIT, floors, hides_the_phase, profiles
from ..change import Change, Risk, Values
from ..edit import Edit, pointer
from ..planner import Planner
from ..reference import Reference
from ..request import InvalidOption, Request, choice, whole
from ..time_share import WRITE_LIMIT, share

if TYPE_CHECKING:
    from ..._diagnosis.case import Case

ROLE = "webhook_timeouts"
PROFILES = ("guard", "surface", "explicit")
# Findings about calls that hang: the profile surface shows where.
HANGING = ("WD210", "WD212", "WD321", "WD501", "WD701", "WD702", "WD703", "WD704", "WD710", "WD711", "WD713")
CODES = ("WD510", "WD511", "WD512", "WD522", *HANGING)
_VERSION = "admissionregistration.k8s.io/v1"
_STILL_CLOSED = "WD522 stays as long as the webhook fails closed for leases: leave them out of its rules, or out of its namespaceSelector"


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
                fingerprints=tuple(sorted({finding["fingerprint"] for finding in findings if _goes(request, finding)})),
                target=reference,
                action="patch",
                edit=edit,
                reason="; ".join(words),
                risk=Risk.LOW,
                callouts=tuple(case.id for case, dummy, _why in cases),
                values=_values(request, cases),
                notes=(_STILL_CLOSED,) if any(finding["code"] == "WD522" and not _goes(request, finding) for finding in findings) else (),
            )
    yield from _fixed_limits(request)
    yield from _too_many(request)


def _goes(request: Request, finding: Mapping[str, Any]) -> bool:
    """Whether the right time-out is all that a finding wants: a hanging call goes on hanging, and a webhook that fails closed goes on failing leases."""
    if finding["code"] == "WD522":
        return all(fails_open(case.callout) for case in request.cases(finding))
    return finding["code"] not in HANGING


def _wanted(request: Request) -> list[tuple[Reference, list[tuple[Case, int, str]], list[Mapping[str, Any]]]]:
    """(configuration, [(webhook, seconds, why)], the findings that ask for it) of every configuration in which something is to change."""
    profile = choice(request.options, "profile", PROFILES)
    wanted: dict[Reference, tuple[list, list]] = {}
    asked: dict[str, list[Mapping[str, Any]]] = {}
    for finding in request.of(*CODES):
        for case in request.cases(finding):
            asked.setdefault(case.id, []).append(finding)
    together = _together(request)
    for case in request.cluster.cases:
        if case.callout["kind"] not in ("validating", "mutating"):
            continue
        findings = asked.get(case.id, [])
        if not findings and profile != "explicit":
            continue
        target = _target(request, profile, case, [finding["code"] for finding in findings], together.get(case.id))
        if target and target[0] != case.callout["timeout_seconds"]:
            reference = Reference(_VERSION, case.callout["object"]["kind"], case.callout["object"]["name"])
            cases, because = wanted.setdefault(reference, ([], []))
            cases.append((case, *target))
            because += findings
    return [(reference, *both) for reference, both in sorted(wanted.items())]


def _together(request: Request) -> dict[str, int]:
    """call-out -> seconds that leave enough for the other mutating webhooks of the same request (WD510)."""
    found: dict[str, int] = {}
    for finding in request.of("WD510"):
        for callout, seconds in (_share(request, finding) or {}).items():
            found[callout] = min(seconds, found.get(callout, seconds))
    return found


def _share(request: Request, finding: Mapping[str, Any]) -> dict[str, int] | None:
    cases = request.cases(finding)
    least = {case.id: max((one.low for one in floors(case)), default=1) for case in cases}
    return share({case.id: int(case.callout["timeout_seconds"]) for case in cases}, least)


def _target(request: Request, profile: str, case: Case, codes: Iterable[str], fair: int | None) -> tuple[int, str] | None:
    """(seconds, why) that this webhook is to have; None: leave it. fair: what it may take beside the others of its request."""
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
    if ceiling and current > ceiling.high and not (fair and fair < ceiling.high):
        return ceiling.high, ceiling.why
    floor = max((one for one in applying if ceiling is None or one.low <= ceiling.high), key=lambda one: one.low, default=None)
    if floor and current < floor.low:
        return floor.low, floor.why
    if fair and current > fair:
        return fair, f"the time-outs of the mutating webhooks of one request add up, and the API server waits {WRITE_LIMIT} s for all of them"
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


def _too_many(request: Request) -> Iterator[Change]:
    """Where so many webhooks meet that none would have the time that it needs."""
    if request.options["profile"] != "guard":
        return
    for finding in request.of("WD510"):
        if _share(request, finding) is None:
            yield Change(
                remedy=ROLE,
                codes=("WD510",),
                fingerprints=(),
                target=Reference(_VERSION, finding["subject"]["kind"], finding["subject"]["name"]),
                action="manual",
                reason=f"{len(finding['affects'])} mutating webhooks meet in one request: with the least time that each needs they take more than the "
                f"{WRITE_LIMIT} s that the API server waits; narrow the rules, so that fewer meet",
                manual=tuple(finding["remedy"]["manual"]),
                part="by hand",
            )


PLANNER = Planner(ROLE, CODES, reads, plan, {"profile": "guard", "seconds": 10, "webhooks": []})
