# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD62x: what API servers have counted of webhooks that work now. WD63x: what stands in the way of requests and is no webhook of the API. PRIVATE to the
collection.

Where a webhook fails now its counters are evidence of that finding (words.seen_before), not a second one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors.on_demand import classify

from ..catalogue import admission as catalogue
from ..checked import moment
from ..counters import lines
from ..evidence import RECENT
from ..finding import Finding, Subject
from ..judgement import State
from ..severity import Severity
from ..text import clean

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster import Cluster

# From this share of the calls on it is more than a glitch, such as the minute in which the webhook was rolled out.
_NOT_RARE = 0.01
_SLOW_SHARE, _FEW = 0.05, 10
STATIC = ".static.k8s.io"
_FAILS = (State.FAILING, State.PARTIAL)


def failed_open(case: Case) -> Iterator[Finding]:
    """WD620. Of a webhook with failurePolicy Ignore nothing else tells."""
    passed, calls = sum(one.fail_open for one in case.counters), sum(one.calls for one in case.counters)
    if not passed or case.judgement.state in _FAILS:
        return
    then = "" if case.callout["failure_policy"] == "Ignore" else "its failurePolicy is Fail now, it was Ignore then"
    often = calls == 0 or passed / calls >= _NOT_RARE
    severity = Severity.WARNING if often and not then else Severity.INFO
    yield catalogue.WD620.about(case, [*lines(case.counters), then, _now(case)], severity=severity, root=case.id)


def could_not_be_called(case: Case) -> Iterator[Finding]:
    """WD621."""
    rejected, calls = sum(one.uncalled for one in case.counters), sum(one.calls for one in case.counters)
    if not rejected or case.judgement.state in _FAILS:
        return
    often = rejected >= _FEW and rejected / max(calls, rejected) >= _NOT_RARE
    yield catalogue.WD621.about(case, [*lines(case.counters), _now(case)], severity=Severity.WARNING if often else Severity.INFO, root=case.id)


def close_to_the_time_out(case: Case) -> Iterator[Finding]:
    """WD622."""
    if case.judgement.state in _FAILS:
        return
    timeout = float(case.callout["timeout_seconds"])
    slow = [(one, *one.slow_calls(timeout)) for one in case.counters]
    count, calls = sum(number for dummy, bound, number in slow), sum(one.calls for one in case.counters)
    if count < _FEW or count / max(calls, count) < _SLOW_SHARE:
        return
    because = [f"{one.who}: {number} of {one.calls} calls took longer than {bound:g} s, of {timeout:g} s" for one, bound, number in slow if number]
    yield catalogue.WD622.about(case, because, root=case.id)


def _now(case: Case) -> str:
    works = "other observations show that it answers now" if case.judgement.state is State.HEALTHY else "whether it answers now was not seen"
    return f"a counter tells how often, and not when; {works}"


def static_webhooks(cluster: Cluster) -> Iterator[Finding]:
    """WD630: names that only files of the control plane can hold."""
    seen: dict[str, list[str]] = defaultdict(list)
    for (kind, webhook), counters in cluster.counters.items():
        if webhook.endswith(STATIC):
            seen[webhook] += [f"{one.who}: {one.calls} calls of the {kind} webhook {webhook}" for one in counters]
    for text in cluster.texts:
        if str(text.said["webhook"] or "").endswith(STATIC):
            seen[str(text.said["webhook"])].append(text.line())
    for webhook, because in sorted(seen.items()):
        yield catalogue.WD630.found(Subject(kind="kube-apiserver", name=webhook), because)


def denied_by_policies(cluster: Cluster) -> Iterator[Finding]:
    """WD631 for each policy that denied something within the last hour: no webhook is at fault."""
    denials: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in cluster.facts["evidence"]:
        if "denied request: " not in item["text"]:
            continue
        recent = item["source"] == "condition" or (item.get("last") and cluster.observed - moment(item["last"]) <= RECENT)
        names = classify(item["text"])["names"]
        if recent and names.get("policy"):
            denials[f"{names.get('policy_kind') or 'Validating'}AdmissionPolicy", names["policy"]].append(_denial(item))
    known = {(one["kind"], one["name"]): one for one in cluster.facts["control_plane"].get("policies") or ()}
    for (kind, name), because in sorted(denials.items()):
        yield catalogue.WD631.found(
            Subject(kind=kind, name=name),
            [_policy_line(known.get((kind, name)), kind, name), *because[:5]],
            values={"policy_resource": kind.lower(), "policy": name},
        )


def _denial(item: Mapping[str, Any]) -> str:
    owner = item.get("object") or {}
    where = "/".join(part for part in (owner.get("namespace"), owner.get("name")) if part)
    return f"{item['source']} of {owner.get('kind') or 'object'} {where}: {clean(item['text'])}"


def _policy_line(policy: Mapping[str, Any] | None, kind: str, name: str) -> str:
    if policy is None:
        return f"{kind} {name} was not found in the API (deleted since, of a file of the control plane, or not readable)"
    bindings = ", ".join(f"{one['name']} ({', '.join(one['actions'])})" if one["actions"] else str(one["name"]) for one in policy["bindings"])
    return f"{kind} {name} exists, failurePolicy {policy['failure_policy']}" + (f", bound by {bindings}" if bindings else "")


CASE_RULES = (failed_open, could_not_be_called, close_to_the_time_out)
CLUSTER_RULES = (static_webhooks, denied_by_policies)
