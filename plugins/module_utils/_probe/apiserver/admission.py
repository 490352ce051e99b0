# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validating and mutating webhooks: a dry run that they intercept. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.attempt import Probe
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.candidates import COPY, PATCH, Candidate, candidates, why_none
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.chain import refuses_dry_run
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.channel import MERGE_PATCH, Answer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.judgement import FAILING, HEALTHY, UNPROVEN, Judgement, judge
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.objects import copied, minimal

_MOST_TRIED = 4  # requests that got as far as admission
_SLOW = 0.4  # of timeoutSeconds; many probes at once make each of them look slower than it is
_MOST_REFUSED = 8  # requests that RBAC refused: these cost the API server next to nothing


class _Unproven(NamedTuple):
    judgement: Judgement
    candidate: Candidate
    request: dict[str, Any] | None
    answer: Answer | None


def probe_admission(probe: Probe) -> Judgement:
    """Try candidates until one proves something, avoiding what hid the webhook from the former ones."""
    why_not = not_even_tried(probe.callout)
    if why_not:
        return Judgement(UNPROVEN, reason=why_not)
    unproven: list[_Unproven] = []
    for candidate in candidates(probe.callout, probe.run.chain, probe.run.surroundings, probe.run.name):
        if not all(_may_tell_more(candidate, former) for former in unproven):
            continue
        judgement = judge(probe.callout, candidate, probe.tried(candidate.words(), _sent(probe, candidate)))
        if judgement.state != UNPROVEN:
            probe.candidate = candidate
            return judgement
        unproven.append(_Unproven(judgement, candidate, probe.request, probe.answer))
        refused = sum(former.judgement.refused for former in unproven)
        if refused >= _MOST_REFUSED or len(unproven) - refused >= _MOST_TRIED:
            break
    if not unproven:
        return Judgement(UNPROVEN, reason=why_none(probe.callout, probe.run.surroundings))
    # What hid the webhook, or ended the request, says more than a right that was missing.
    told = min(unproven, key=lambda each: (each.judgement.hidden_by is None, each.judgement.refused))
    probe.request, probe.answer = told.request, told.answer
    return told.judgement


def seemed_slow(probe: Probe, judgement: Judgement) -> bool:
    """Whether a webhook that answered took so long that the time itself may become a finding."""
    slow = _SLOW * probe.callout["timeout_seconds"] * 1000
    return judgement.state == HEALTHY and probe.candidate is not None and probe.answer is not None and probe.answer.elapsed_ms > slow


def asked_again(probe: Probe, judgement: Judgement) -> Judgement:
    """The same request once more, now that the rush of all probes is over: the better time counts, and so does a failure that shows itself only now."""
    if probe.candidate is None or probe.answer is None:
        return judgement
    former, answer = probe.answer, _sent(probe, probe.candidate, "again")
    second = judge(probe.callout, probe.candidate, answer)
    probe.attempts += 1
    if second.state == FAILING or (second.state == HEALTHY and answer.elapsed_ms < former.elapsed_ms):
        probe.answer = answer
    return second if second.state == FAILING else judgement


def not_even_tried(callout: Mapping[str, Any]) -> str | None:
    """Why no dry run can prove anything about this call-out, null if one may."""
    if refuses_dry_run(callout):
        return f"sideEffects is {callout['side_effects']}: the API server refuses dry runs that this webhook intercepts"
    if callout["failure_policy"] == "Ignore":
        # Nothing in the answer tells: the API server only counts it (fail_open_count), logs it and annotates its audit event.
        return "failurePolicy is Ignore: a dry run succeeds whether the webhook answers or fails open"
    return None


def _may_tell_more(candidate: Candidate, former: _Unproven) -> bool:
    """Whether a candidate is worth a request after a former one ended unproven: not where the same right is missing, or the same webhook hides."""
    if former.judgement.refused:
        return (candidate.words()["verb"], candidate.words()["resource"]) != (former.candidate.words()["verb"], former.candidate.words()["resource"])
    if former.judgement.hidden_by:
        return all(other["webhook"] != former.judgement.hidden_by for other in candidate.others)
    return True


def _sent(probe: Probe, candidate: Candidate, time: str = "first") -> Answer:
    """The answer to a candidate; a request that several probes choose is sent once."""
    key = (time, probe.channel, candidate.how, candidate.target, candidate.request.namespace, candidate.request.name, frozenset(candidate.labels.items()))
    answer: Answer = probe.run.sent.get(key, lambda: _send(probe, candidate))
    return answer


def _send(probe: Probe, candidate: Candidate) -> Answer:
    resource, request = candidate.target.resource, candidate.request
    if candidate.how == PATCH:
        path = resource.path(request.namespace, request.name or "", candidate.target.subresource)
        return probe.channel.dry_run("PATCH", path, timeout=probe.timeout, body={}, content_type=MERGE_PATCH)
    if candidate.how == COPY and candidate.source is not None:
        existing = probe.channel.read(resource.path(candidate.source.namespace, candidate.source.name), timeout=probe.timeout)
        if not existing.ok or not isinstance(existing.document, dict):
            return existing
        body = copied(existing.document, probe.run.name)
    else:
        body = minimal(resource, request.namespace, probe.run.name, candidate.labels)
    return probe.channel.dry_run("POST", resource.path(request.namespace), timeout=probe.timeout, body=body, content_type="application/json")
