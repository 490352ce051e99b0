# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a cluster that is waited for: what is proven, what is still missing, and why. Pure. PRIVATE to the collection.

A call-out is good if a dry run has made every API server that is known call it, and nothing that was seen from elsewhere says that a part of its calls
fails. One that no dry run can prove is good if the other vantages agree that it works, unless the wish wants a proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._diagnosis.cluster import Cluster
from .._diagnosis.diagnose import diagnose
from .._diagnosis.judgement import State
from .._diagnosis.text import dial
from .wish import PROVEN, Wish, unreadable

if TYPE_CHECKING:
    from .._diagnosis.case import Case

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Missing:
    """Something that is not good yet. name: for people; why: without a full stop; codes: of the findings that explain it; instances: the API servers at
    which it fails where others call it; hopeless: waiting does not help. callout: None for what is not there at all."""

    name: str
    why: str
    callout: str | None = None
    codes: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    hopeless: bool = False

    def shown(self) -> dict[str, Any]:
        return {"name": self.name, "why": self.why, "callout": self.callout, "codes": list(self.codes), "instances": list(self.instances)}

    @property
    def line(self) -> str:
        return f"{self.name}: {self.why}"


@dataclass(frozen=True)
class Look:
    """proven: ids of call-outs. reachable: (id, why no dry run proves it). findings: those that explain what is missing. instances: the API servers that
    were asked one by one; empty where only one is known."""

    proven: tuple[str, ...] = ()
    reachable: tuple[tuple[str, str], ...] = ()
    missing: tuple[Missing, ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    instances: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return not self.missing

    @property
    def hopeless(self) -> bool:
        return any(one.hopeless for one in self.missing)

    @property
    def callouts(self) -> frozenset[str]:
        """What was waited for: a further call-out makes it another question."""
        return frozenset((*self.proven, *(callout for callout, dummy in self.reachable), *(one.callout for one in self.missing if one.callout)))


def look_at(facts: Mapping[str, Any], probes: Sequence[Result], verdicts: Iterable[Result], wish: Wish) -> Look:
    """Judge one observation (shapes: docs/architecture.md). Raises InvalidObservation where the wish cannot be understood."""
    verdicts = list(verdicts)
    cluster = Cluster.of(facts, probes, verdicts)
    chosen = wish.chosen(cluster.cases)
    missing = [Missing("call-outs", line) for line in unreadable(facts)]
    if (facts["source"].get("access") or {}).get("dry_run") is False:
        missing.append(Missing("dry runs", "the rights do not permit any; docs/rbac/diagnose-probing.yaml has them", hopeless=True))
    missing += [Missing(name, "nothing of this name calls a webhook or an API behind a Service yet") for name in wish.absent(facts["callouts"])]
    if wish.select and not chosen and not missing:
        missing.append(Missing("call-outs", f"{wish.select} picks none yet"))
    asked: dict[str, list[Result]] = {}
    for result in probes:
        if result["vantage"] == "apiserver":
            for callout in result["callouts"]:
                asked.setdefault(callout, []).append(result)
    findings = diagnose(facts, probes, verdicts)
    explaining = _explaining(findings)
    proven, reachable = [], []
    for case in chosen:
        stand = _stand(case, asked.get(case.id, ()), wish, explaining.get(case.id, ()))
        if isinstance(stand, Missing):
            missing.append(stand)
        elif stand:
            reachable.append((case.id, stand))
        else:
            proven.append(case.id)
    concerned = {one.callout for one in missing if one.callout}
    return Look(
        proven=tuple(proven),
        reachable=tuple(reachable),
        missing=tuple(missing),
        findings=tuple(finding for finding in findings if finding["severity"] != "info" and concerned & set(finding["affects"])),
        instances=tuple(sorted({where for results in asked.values() for result in results if (where := _where(result))})),
    )


def _explaining(findings: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Call-out -> the findings about it that are worth waking up for, the worst first, as they come."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for finding in findings:
        if finding["severity"] != "info":
            for callout in finding["affects"]:
                found.setdefault(callout, []).append(finding)
    return found


def _stand(case: Case, asked: Sequence[Result], wish: Wish, findings: Sequence[Mapping[str, Any]]) -> Missing | str:
    """What is missing; or "" where it is proven; or why it can only be told to be reachable."""
    # Beside the call itself the work of an application may be asked for; where that cannot be asked, the call has been proven all the same.
    good = {_where(result) for result in asked if _is_good(result)}
    unproven = [result for result in asked if not _is_good(result) and (result.get("provable") is not False or _where(result) not in good)]
    state, name = case.judgement.state, _name(case)
    gone = _gone(case)
    if gone and state is State.HEALTHY:
        return Missing(name, gone, case.id)
    if asked and not unproven and state is State.HEALTHY:
        return ""
    codes = tuple(dict.fromkeys(finding["code"] for finding in findings))
    refusal = next((why for result in unproven if (why := _never_proven(case, result))), None)
    if refusal and all(_never_proven(case, result) for result in unproven):
        if wish.fail_open == PROVEN:
            why = f"no dry run can prove it ({refusal}); leave it out of the selection, or let other vantages speak (fail_open: reachable)"
            return Missing(name, why, case.id, codes, hopeless=case.callout["failure_policy"] == "Ignore")
        if state is State.HEALTHY:
            return refusal
    where = tuple(dict.fromkeys(at for result in unproven if (at := _where(result))))
    if len(where) == len({_where(result) for result in asked} - {None}):
        where = ()  # at all of them, so it is not the API server
    return Missing(name, _why(case, asked, unproven, findings, where), case.id, codes, where)


def _gone(case: Case) -> str | None:
    """What is missing though calls work: the API server keeps its connections, and looks for Service and endpoints only when it makes a new one."""
    wanted = f"{case.wanted.get('namespace')}/{case.wanted.get('name')}"
    what = None
    if (case.service or {}).get("found") is False:
        what = f"Service {wanted} does not exist"
    elif case.without_endpoints:
        what = f"Service {wanted} has no ready endpoints"
    return f"{what}; what still works goes over connections that are open" if what else None


def _is_good(result: Result) -> bool:
    """Whether the call was made and answered; a refusal is an answer."""
    check = result.get("check")
    return (bool(result.get("ok")) or result.get("cause") == "denied") and (not check or check["done"])


def _never_proven(case: Case, result: Result) -> str | None:
    """Why no dry run proves this call-out, however long one waits; None where it may come. Something that hides it, or rights, are no such reason."""
    if result.get("provable") is not False or result.get("hidden_by"):
        return None
    open_ = case.callout["failure_policy"] == "Ignore"
    return str(result.get("reason") or "nothing can be sent") if open_ or not result["attempts"] or case.callout["match_conditions"] else None


def _why(case: Case, asked: Sequence[Result], unproven: Sequence[Result], findings: Sequence[Mapping[str, Any]], where: Sequence[str]) -> str:
    """The finding that explains it, else the API server's words, else what is not known."""
    at = f" at API server {', '.join(where)}" if where else ""
    words = list(_words(unproven))
    if findings:
        first = findings[0]
        more = f" and {', '.join(dict.fromkeys(one['code'] for one in findings[1:]))}" if len({one["code"] for one in findings}) > 1 else ""
        cause = f" ({first['cause']})" if first["cause"] else ""
        return f"{first['code']}{more}{at}: {first['title']}{cause}"
    if words:
        return f"not proven{at}: {words[0]}"
    if not asked:
        return "not proven: no dry run was sent"
    if not unproven:
        return f"not all of its calls work: {next(iter(case.judgement.because), 'seen from elsewhere')}"
    return f"not proven{at}"


def _words(results: Iterable[Result]) -> Iterator[str]:
    for result in results:
        check = result.get("check")
        if check and not check["done"]:
            yield f"it does not do its work ({check['what']}): {check['said']}"
        elif result.get("error") or result.get("reason"):
            yield str(result.get("error") or result.get("reason"))


def _where(result: Result) -> str | None:
    instance = result.get("instance")
    return dial(instance["address"], instance["port"]) if instance else None


def _name(case: Case) -> str:
    """`ValidatingWebhookConfiguration policy, webhook a.example.com`."""
    owner = case.callout["object"]
    webhook = f", webhook {case.callout['webhook']}" if case.callout["webhook"] else ""
    return f"{owner['kind']} {owner['name']}{webhook}"
