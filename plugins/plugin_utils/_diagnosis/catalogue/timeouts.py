# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD50x, WD51x: time. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_DISPATCH = "k8s.io/apiserver pkg/admission/plugin/webhook/{mutating,validating}/dispatcher.go"
_TIMING = (
    "curl -sk -o /dev/null -w '%{{time_connect}} %{{time_appconnect}} %{{time_total}}'"
    " -X POST -H Content-Type:application/json --data '{{}}' https://{endpoint}{path}"
)
_LOAD = "kubectl -n {namespace} top pods -l {selector} --containers"

WD501 = Entry(
    code="WD501",
    title="The answer comes too late",
    severity=Severity.ERROR,
    cause="deadline_exceeded",
    meaning="The back end is reached and answers later than timeoutSeconds allows (conversion: 30 s, aggregated APIs: 5 s for the check). It waits for "
    "something itself, an outside service or "
    "the API server, or has too little CPU.",
    decided="The API server runs out of time, and another vantage gets through to the HTTP request and waits longer than the limit, answered or not.",
    confirm=(_TIMING, _LOAD),
    fix=(
        "# See what it waits for: outside calls, CPU limits that throttle it, the API server itself (client-side rate limits).",
        "kubectl -n {pod_namespace} logs {pod} --all-containers --tail=50",
        "# Raising timeoutSeconds (30 at most) only helps as long as all webhooks of one request stay under 34 s together.",
    ),
    source=_DISPATCH,
)

WD502 = Entry(
    code="WD502",
    title="The answer comes close to the time limit",
    severity=Severity.WARNING,
    cause=None,
    meaning="The back end answers in time, but takes more than half of what it is allowed. Under load it will be too late.",
    decided="The quickest good answer of any vantage took more than half of the limit.",
    confirm=(_TIMING, _LOAD),
    fix=("# See what it waits for: outside calls, CPU limits that throttle it, a cold cache.", _LOAD),
    source=_DISPATCH,
)

WD510 = Entry(
    code="WD510",
    title="Mutating webhooks of one request may take longer together than the API server waits",
    severity=Severity.WARNING,
    cause=None,
    meaning="Mutating webhooks are called one after the other, and the API server ends a write after 34 s. If each takes the time that it is allowed, the "
    "request fails with a "
    "time-out that names no webhook.",
    decided="The sum of timeoutSeconds of the mutating webhooks that one and the same request would meet is above 34 s.",
    confirm=(
        "kubectl get mutatingwebhookconfigurations -o custom-columns=NAME:.metadata.name,WEBHOOKS:.webhooks[*].name,TIMEOUTS:.webhooks[*].timeoutSeconds",
    ),
    fix=(
        "# Lower timeoutSeconds (a webhook that answers in 100 ms needs no 10 s), or narrow the rules so that fewer of them meet.",
        "kubectl edit {resource} {config}",
    ),
    source="k8s.io/apiserver pkg/endpoints/handlers/rest.go (requestTimeoutUpperBound 34 s); " + _DISPATCH,
    blames="cluster",
)

ENTRIES = (WD501, WD502, WD510)
