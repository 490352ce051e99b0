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
    decided="The sum of timeoutSeconds of the mutating webhooks that one and the same request would meet is above 34 s. It is only worth knowing (info) where "
    "that takes second calls (reinvocationPolicy IfNeeded), the validating webhooks that follow and a conversion (30 s) as well, of webhooks of several back "
    "ends with limits above the default.",
    confirm=(
        "kubectl get mutatingwebhookconfigurations -o custom-columns=NAME:.metadata.name,WEBHOOKS:.webhooks[*].name,TIMEOUTS:.webhooks[*].timeoutSeconds",
    ),
    fix=(
        "# Lower timeoutSeconds (a webhook that answers in 100 ms needs no 10 s), or narrow the rules so that fewer of them meet.",
        "kubectl edit {resource} {config}",
    ),
    source="k8s.io/apiserver pkg/endpoints/handlers/rest.go (requestTimeoutUpperBound 34 s); " + _DISPATCH,
    blames="cluster",
    role="webhook_timeouts",
)

WD511 = Entry(
    code="WD511",
    title="A webhook may hold up the control plane for longer than its clients wait",
    severity=Severity.INFO,
    cause=None,
    meaning="The clients of the control plane (controllers, scheduler, kubelets) give up on a request after 30 s. A webhook in their way that may take "
    "more than 15 s leaves no time for a second one, and one that fails open does so too late: the request has failed by then.",
    decided="timeoutSeconds is above 15, and the webhook is called for something that nodes, controllers or kube-system need, whatever its failure policy.",
    confirm=("kubectl get {resource} {config} -o yaml",),
    fix=(
        "# Lower timeoutSeconds to 15 at most (10 is the default); where the owner of the configuration sets it, change it there.",
        "# Or leave out of its rules and namespaceSelector what the control plane needs; then any limit is fine.",
        "kubectl edit {resource} {config}",
    ),
    source="gardener/gardener docs/usage/shoot/shoot_status.md (constraints for webhooks); " + _DISPATCH,
    blames="callout",
    role="webhook_timeouts",
)

WD512 = Entry(
    code="WD512",
    title="The time limit of a webhook is too short for what it is good for",
    severity=Severity.INFO,
    cause=None,
    meaning="A time limit of 10 s or less ends before Go's own limits (10 s for the TLS handshake, 30 s for connecting), so a failure only says "
    "`context deadline exceeded` and not in which phase; cert-manager sets 30 s for its webhook therefore. And with 1 s a single lost packet fails a request.",
    decided="timeoutSeconds of webhook.cert-manager.io is 10 or less; or that of a webhook that fails closed is 1. Other webhooks do well with the "
    "default of 10.",
    confirm=("kubectl get {resource} {config} -o jsonpath='{{.webhooks[*].timeoutSeconds}}'",),
    fix=(
        "# Raise it; with Helm for cert-manager: --set webhook.timeoutSeconds=30 (the chart's default from 1.14 on).",
        "kubectl patch {resource} {config} --type=json -p {longer}",
        "kubectl edit {resource} {config}",
    ),
    source="https://cert-manager.io/docs/troubleshooting/webhook/; client-go transport/cache.go (TLSHandshakeTimeout 10 s); RFC 6298",
    blames="callout",
    role="webhook_timeouts",
)

ENTRIES = (WD501, WD502, WD510, WD511, WD512)
