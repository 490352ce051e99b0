# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aggregated APIs: discovery through kube-apiserver's aggregator, which asks the back end. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors.on_demand import classify
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.attempt import Probe, reading
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.channel import Answer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.judgement import FAILING, HEALTHY, UNPROVEN, Judgement
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.surroundings import trouble

_UNAVAILABLE = 503


def probe_apiservice(probe: Probe) -> Judgement:
    """GET /apis/<group>/<version>; where the aggregator says no more than 503, the APIService's condition says why."""
    group, version = probe.callout["apiservice"]["group"], probe.callout["apiservice"]["version"]
    answer = probe.tried(reading(f"{group}/{version}", None, None), probe.channel.read(f"/apis/{group}/{version}", timeout=probe.timeout))
    if answer.ok:
        return Judgement(HEALTHY)
    if answer.status == 0:
        return Judgement(UNPROVEN, reason=f"the API server gave no answer: {answer.message}")
    if answer.status in (401, 403):
        return Judgement(UNPROVEN, reason=f"discovery of {group}/{version} was refused, by the API server or by the back end: {trouble(answer)}")
    available = _available(probe)
    if answer.status != _UNAVAILABLE and available.get("status") != "False":
        said = f"HTTP {answer.status}: {trouble(answer)}"
        return Judgement(UNPROVEN, reason=f"discovery of {group}/{version} failed, although the APIService counts as available: {said}")
    return _failing(answer, available)


def _available(probe: Probe) -> Mapping[str, Any]:
    """The Available condition as it is now, or else as it was observed."""
    path = f"/apis/apiregistration.k8s.io/v1/apiservices/{probe.callout['object']['name']}"
    document = probe.channel.read(path, timeout=probe.timeout).document
    status = document.get("status") if isinstance(document, dict) else None
    conditions = status.get("conditions") if isinstance(status, dict) else None
    for condition in conditions if isinstance(conditions, list) else []:
        if isinstance(condition, dict) and condition.get("type") == "Available":
            return condition
    return probe.callout["apiservice"]["available"] or {}


def _failing(answer: Answer, available: Mapping[str, Any]) -> Judgement:
    said = trouble(answer)
    told = classify(said)
    if available.get("status") == "False":
        message = str(available.get("message") or "")
        said = f"{said} (APIService not available, {available.get('reason')}: {message})"
        if told["cause"] in ("unknown", "aggregated_api_unavailable") or told["phase"] is None:
            told = classify(message)
    cause = "aggregated_api_unavailable" if told["cause"] == "unknown" else told["cause"]
    return Judgement(FAILING, cause=cause, phase=told["phase"], error=said)
