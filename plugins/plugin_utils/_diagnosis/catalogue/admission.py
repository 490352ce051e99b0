# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD62x, WD63x: what the API servers have counted, and what denies requests without a call. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_COUNTERS = "kubectl get --raw /metrics | grep '^apiserver_admission_webhook_[a-z_]*count{{' | grep {webhook}"
_METRICS = "k8s.io/apiserver pkg/admission/metrics/metrics.go"

WD620 = Entry(
    code="WD620",
    title="Requests passed without this webhook, because it could not be called",
    severity=Severity.WARNING,
    cause=None,
    meaning="failurePolicy is Ignore, so when the webhook cannot be called the request goes on as if it were not there, unchecked or unchanged, and "
    "nobody is told. "
    "The API server counts such requests since it started, and that counter is the only trace. It works now, or nothing that was seen says otherwise.",
    decided="apiserver_admission_webhook_fail_open_count of an API server is not 0, and the webhook is not found failing now (then the counter is "
    "evidence of that). "
    "A warning from 1 % of the calls on, else worth knowing.",
    confirm=(_COUNTERS,),
    fix=(
        "# Look at what passed: objects that were created or changed meanwhile may lack what the webhook sees to.",
        "# Look for why it could not be called: restarts, a roll-out without a second replica, certificates that were renewed, slow answers.",
        "# Let apiserver_admission_webhook_fail_open_count raise an alert, or set failurePolicy to Fail where passing unseen is worse than being blocked.",
    ),
    source=_METRICS,
    blames="callout",
)

WD621 = Entry(
    code="WD621",
    title="This webhook could not be called now and then",
    severity=Severity.INFO,
    cause=None,
    meaning="The API server has rejected requests because it could not call the webhook. It works now, so the fault comes and goes, or has been mended since.",
    decided="apiserver_admission_webhook_rejection_count with error_type calling_webhook_error is not 0, and the webhook is not found failing now. A warning "
    "from 10 requests and 1 % of the calls on.",
    confirm=(_COUNTERS,),
    fix=(
        "# Compare the counters of all API servers: of one alone it is that instance's network or environment (WD610).",
        "# See whether it still counts. If so: restarts, evictions and roll-outs of the webhook's pods, endpoints of which one is dead, time-outs under load.",
        "kubectl -n {namespace} get pods -l {selector} -o wide",
    ),
    source=_METRICS,
    blames="callout",
)

WD622 = Entry(
    code="WD622",
    title="Calls of this webhook come close to its time-out",
    severity=Severity.INFO,
    cause=None,
    meaning="A share of the calls has taken most of the time that timeoutSeconds allows. A little more load, and they fail, or pass unseen with "
    "failurePolicy Ignore.",
    decided="By apiserver_admission_webhook_admission_duration_seconds at least 10 calls, and 5 % of them, took longer than the last bucket before "
    "timeoutSeconds.",
    confirm=(_COUNTERS,),
    fix=(
        "# Give its pods more processor time and replicas, look for what it waits for (registries, its own API calls), or let it see fewer requests.",
        "kubectl -n {namespace} get pods -l {selector} -o wide",
    ),
    source=_METRICS,
    blames="callout",
)

WD630 = Entry(
    code="WD630",
    title="A webhook of a file of the control plane is called",
    severity=Severity.INFO,
    cause=None,
    meaning="From 1.36 on (alpha, ManifestBasedAdmissionControlConfig) kube-apiserver can read webhooks from files. They are not in the API, so that "
    "no list shows them, "
    "nobody can patch or delete them through the API, and they see even changes of webhook configurations. Their names end in .static.k8s.io.",
    decided="The counters of an API server, or the text of an Event or condition, name such a webhook.",
    confirm=("kubectl get --raw /metrics | grep -F .static.k8s.io",),
    fix=(
        "# Nothing is wrong with that. If it is in the way: its file is on every control-plane node, in the folder that --admission-control-config-file names, "
        "and is read again when it changes.",
    ),
    source="k8s.io/apiserver pkg/admission/plugin/webhook/manifest; KEP-5793",
    blames="cluster",
)

WD631 = Entry(
    code="WD631",
    title="An admission policy denies requests; no webhook is involved",
    severity=Severity.INFO,
    cause="policy_denied",
    meaning="ValidatingAdmissionPolicies and MutatingAdmissionPolicies are evaluated inside the API server: there is no Service, no certificate and no "
    "network that could "
    "fail. What they deny is denied on purpose, by their expressions.",
    decided="An Event of the last hour, or a condition, holds the API server's words for a denial by a policy.",
    confirm=("kubectl get {policy_resource} {policy} -o yaml",),
    fix=("# Change the object as the message says, or the policy or its binding, if it denies too much.", "kubectl get {policy_resource}bindings -o yaml"),
    source="k8s.io/apiserver pkg/admission/plugin/policy/validating/dispatcher.go",
    blames="cluster",
)

ENTRIES = (WD620, WD621, WD622, WD630, WD631)
