# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether cert-manager's webhook does its work: two dry-run requests for a certificate. PRIVATE to the collection.

The mutating webhook must write into a right one who asked for it (spec.username); the validating webhook must deny one that holds no signing request. This is
what `cmctl check api` does (cert-manager pkg/util/cmapichecker), and unlike other dry runs it proves something under failurePolicy Ignore as well.
"""

from __future__ import annotations

import base64
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.attempt import Probe
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.candidates import Candidate, creations
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.chain import refuses_dry_run
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.channel import Answer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.judgement import HEALTHY, UNPROVEN, Judgement, judge
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.objects import minimal

# How the validating webhook refuses a request that the mutating one has not filled in (internal/webhook/admission/certificaterequest/identity).
_NOT_FILLED_IN = "identity must be that of the requester"
_KIND = ("cert-manager.io", "certificaterequests")
_WRONG = base64.b64encode(b"no signing request").decode("ascii")
_WHAT = {
    "mutating": "a dry-run certificate request comes back with the name of the user who sent it",
    "validating": "a dry-run certificate request without a signing request is denied",
}


def check_cert_manager(probe: Probe) -> Judgement:
    """Sends the request of the call-out's kind, and leaves in `probe.check` whether what must happen happened (None: that could not be told)."""
    callout = probe.callout
    if refuses_dry_run(callout):
        return Judgement(UNPROVEN, reason="the API server refuses dry runs that this webhook intercepts")
    found = creations(callout, probe.run.chain, probe.run.surroundings, probe.run.name, _KIND)
    candidate = next((one for one in found if one.certain), None)
    if candidate is None:
        return Judgement(UNPROVEN, reason="no certificate request can be made up that it certainly intercepts")
    answer = probe.tried(candidate.words(), _send(probe, candidate))
    probe.candidate = candidate
    done = _done(callout, answer)
    judgement = judge(callout, candidate, answer)
    if done is None:
        return judgement
    probe.check = {"what": _WHAT[callout["kind"]], "done": done, "said": _said(answer)}
    if not done and callout["failure_policy"] == "Ignore":
        return Judgement(UNPROVEN, reason="the request passed as if the webhook were not there; failurePolicy is Ignore")
    return Judgement(HEALTHY)  # it was called, or the request had not come so far


def _send(probe: Probe, candidate: Candidate) -> Answer:
    resource, request = candidate.target.resource, candidate.request
    body = minimal(resource, request.namespace, probe.run.name, candidate.labels)
    if probe.callout["kind"] == "validating":
        body["spec"]["request"] = _WRONG
    return probe.channel.dry_run("POST", resource.path(request.namespace), timeout=probe.timeout, body=body, content_type="application/json")


def _done(callout: Any, answer: Answer) -> bool | None:
    """Whether the webhook did what it must; None where the answer is about something else."""
    denied = answer.message.startswith(f'admission webhook "{callout["webhook"]}" denied the request')
    if callout["kind"] == "mutating":
        if denied and _NOT_FILLED_IN in answer.message:
            return False
        spec = answer.document.get("spec") if answer.ok and isinstance(answer.document, dict) else None
        return bool(spec.get("username")) if isinstance(spec, dict) else None
    return True if denied else False if answer.ok else None


def _said(answer: Answer) -> str:
    if not answer.ok:
        return answer.message
    spec = answer.document.get("spec") if isinstance(answer.document, dict) else None
    return f"it was accepted, spec.username is {spec.get('username') or 'empty'}" if isinstance(spec, dict) else "it was accepted"
