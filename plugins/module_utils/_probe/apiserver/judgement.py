# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer of the API server proves about one webhook. Pure. PRIVATE to the collection.

An answer speaks for the webhook that it names, and for those that the request must have passed to get that far:

    authorization -> built-in mutating plugins -> mutating webhooks, in order -> validation of the object -> built-in validating
    plugins and policies -> validating webhooks, all at once, the first error wins -> quota

Source: k8s.io/kubernetes pkg/kubeapiserver/options/plugins.go AllOrderedPlugins; k8s.io/apiserver pkg/endpoints/handlers/{create,patch}.go,
pkg/admission/plugin/webhook/{mutating,validating}/dispatcher.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors.on_demand import classify
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.candidates import Candidate
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.chain import Callout, position
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.channel import Answer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.surroundings import trouble

HEALTHY = "healthy"
FAILING = "failing"
UNPROVEN = "unproven"

PROBING_RIGHTS = "docs/rbac/diagnose-probing.yaml"

# Anchored: what a webhook or policy says in its own message is never taken for the API server's words.
_QUOTED = r'"(?P<name>[^"]{1,253})"'
_FAILED = re.compile(r"(?:Internal error occurred: )?failed calling (?:admission )?webhook " + _QUOTED)
_DENIED = re.compile(r"admission webhook " + _QUOTED + r" denied the request")
_NO_DRY_RUN = re.compile(r"admission webhook " + _QUOTED + r" does not support dry run")
_RBAC = re.compile(r'(?s).{0,600}is forbidden: User ".{1,400}?" cannot (?P<verb>\w{1,40}) resource "(?P<resource>[^"]{1,300})"')
_NOT_READY = re.compile(r"(?s).{0,600}not yet ready to handle request")
_AFTER_MUTATION = re.compile(r"(?s).{0,600}(?:violates PodSecurity |ValidatingAdmissionPolicy ')")
_AFTER_ALL_WEBHOOKS = re.compile(r"(?s).{0,600} is forbidden: (?:exceeded|failed) quota: ")
_BY_A_POLICY = re.compile(r"(?s).{0,600}(?:\bpolicy|MutatingAdmissionPolicy) '")
_UNCERTAIN = "a match condition decides, or labels that another mutating webhook may have changed"
_BEFORE_TRUST = ("resolve", "connect")  # phases in which call-outs of one back end fare alike, whatever their caBundle and path


@dataclass(frozen=True)
class Judgement:
    """state: healthy, failing or unproven. cause, phase, error: of a failing one; reason, hidden_by: of an unproven one."""

    state: str
    cause: str | None = None
    phase: str | None = None
    error: str | None = None
    reason: str | None = None
    hidden_by: str | None = None
    refused: bool = False  # RBAC refused the request before anything else looked at it


def judge(callout: Callout, candidate: Candidate, answer: Answer) -> Judgement:
    """What `answer` to `candidate` says about `callout`, which has failurePolicy Fail."""
    if answer.status == 0:
        return _unproven(f"the API server gave no answer: {answer.message}")
    if answer.ok:
        return _passed(candidate, "the dry run succeeded")
    named = _FAILED.match(answer.message)
    if named:
        return _failure(callout, candidate, answer, named["name"])
    named = _DENIED.match(answer.message)
    if named:
        return _denial(callout, candidate, answer, named["name"])
    named = _NO_DRY_RUN.match(answer.message)
    if named:
        return _by_another(callout, candidate, named["name"], f"the dry run was refused: {answer.message}", failed=False)
    return _unnamed(callout, candidate, answer)


def _unproven(reason: str, **more: Any) -> Judgement:
    return Judgement(UNPROVEN, reason=reason, **more)


def _passed(candidate: Candidate, how: str) -> Judgement:
    """The request got past the place of the webhook: it was called and allowed the request, if it was called at all."""
    if candidate.certain:
        return Judgement(HEALTHY)
    return _unproven(f"{how}, but it is not certain that the webhook was called: {_UNCERTAIN}")


def _failure(callout: Callout, candidate: Candidate, answer: Answer, name: str) -> Judgement:
    if name != callout["webhook"]:
        return _by_another(callout, candidate, name, f"another webhook failed: {answer.message}", failed=True)
    told = classify(answer.message)
    redirected = told["url"] and not _host_of(callout, told["url"])
    cause, phase = ("http_status", "http") if redirected else (told["cause"], told["phase"])
    failing = Judgement(FAILING, cause=cause, phase=phase, error=answer.message)
    namesakes = [other for other in candidate.others if other["webhook"] == name]
    if not namesakes:
        return failing
    fitting = [each for each in (callout, *namesakes) if _fits(each, told)]
    if fitting == [callout] or (callout in fitting and told["phase"] in _BEFORE_TRUST and all(_same_back_end(callout, other) for other in fitting)):
        return failing
    suspects = ", ".join(each["id"] for each in fitting or namesakes if each is not callout)
    if fitting and callout not in fitting:
        return _unproven(f"a webhook of the same name failed ({suspects}): {answer.message}", hidden_by=name)
    return _unproven(f"the error does not tell this webhook from one of the same name ({suspects}): {answer.message}", hidden_by=name)


def _denial(callout: Callout, candidate: Candidate, answer: Answer, name: str) -> Judgement:
    if name != callout["webhook"]:
        return _by_another(callout, candidate, name, f"another webhook denied the request: {answer.message}", failed=False)
    namesakes = [other["id"] for other in candidate.others if other["webhook"] == name]
    if namesakes:
        return _unproven(f"the denial does not tell this webhook from one of the same name ({', '.join(namesakes)}): {answer.message}")
    return Judgement(HEALTHY)  # it was called, and it answered


def _by_another(callout: Callout, candidate: Candidate, name: str, why: str, failed: bool) -> Judgement:
    """The request ended at another webhook: whatever stands before that one has been passed."""
    standing = [position(other) for other in candidate.others if other["webhook"] == name]
    if standing and position(callout) < min(standing):
        return _passed(candidate, f"the request got as far as {name}")
    return _unproven(why, hidden_by=name if failed else None)


def _unnamed(callout: Callout, candidate: Candidate, answer: Answer) -> Judgement:
    refused = _RBAC.match(answer.message)
    if answer.status == 403 and refused:
        place = f" in namespace {candidate.request.namespace}" if candidate.request.namespace else ""
        return _unproven(f"not allowed to {refused['verb']} {candidate.words()['resource']}{place} (grant it as {PROBING_RIGHTS} shows)", refused=True)
    if answer.status == 403 and _NOT_READY.match(answer.message):
        return _unproven("the API server has not read its webhook configurations yet; try again")
    if answer.status in (403, 422) and _AFTER_ALL_WEBHOOKS.match(answer.message):
        return _passed(candidate, "the request got as far as its quota")
    if callout["kind"] == "mutating" and (_AFTER_MUTATION.match(answer.message) or _invalid_object(answer)):
        return _passed(candidate, "the request got past the mutating webhooks")
    if answer.status == 504:
        return _unproven(f"the webhooks on the way took longer than the API server waits altogether, and it does not say which: {answer.message}")
    return _unproven(f"the API server ended the dry run for another reason: {trouble(answer)}")


def _invalid_object(answer: Answer) -> bool:
    """Whether the object was found invalid by its own kind's validation, which comes after all mutation (a MutatingAdmissionPolicy comes before)."""
    details = answer.document.get("details") if isinstance(answer.document, dict) else None
    causes = details.get("causes") if isinstance(details, dict) else None
    return answer.status == 422 and answer.reason == "Invalid" and bool(causes) and not _BY_A_POLICY.match(answer.message)


def _fits(callout: Callout, told: Mapping[str, Any]) -> bool:
    """Whether what an error says of URL and Service is true of this call-out. What says nothing fits all, on either side."""
    client = callout.get("client")
    if not client:
        return True
    service = client["service"]
    if told["url"]:
        return str(told["url"]).partition("?")[0].rstrip("/") == _url(callout).rstrip("/")
    named = (told["service"] or {}).get("name")
    return not named or (bool(service) and service["name"] == named)


def _host_of(callout: Callout, url: str) -> bool:
    """Whether `url` is at the host and port that the call-out names. The error names another one only after a redirect, which the API server follows."""
    return _authority(url) == _authority(_url(callout))


def _authority(url: str) -> str:
    """host:port as it stands there; what an error text quotes need not be a URL."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].lower()


def _same_back_end(one: Callout, other: Callout) -> bool:
    """Whether the API server reaches both at the same port."""
    return one["backend"] == other.get("backend")


def _url(callout: Callout) -> str:
    service = callout["client"]["service"]
    if service is None:
        return str(callout["client"]["url"]).partition("?")[0]
    return f"https://{callout['server_name']}:{service['port']}{service['path'] or ''}"
