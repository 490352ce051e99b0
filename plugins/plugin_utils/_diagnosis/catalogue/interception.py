# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD52x: what a webhook intercepts. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_PRACTICE = "https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/"
_RULES = "kubectl get {resource} {config} -o yaml"

WD520 = Entry(
    code="WD520",
    title="A fail-closed webhook intercepts what would bring it back",
    severity=Severity.WARNING,
    cause=None,
    meaning="The webhook intercepts the creation of its own pods. If all of them are gone at once, no new one is admitted, because nobody is there to "
    "admit it: a deadlock that only a "
    "person resolves.",
    decided="Its rules and selectors match pods in the namespace of its own back end, and its failure policy is Fail.",
    confirm=(_RULES, "kubectl get namespace {namespace} --show-labels"),
    fix=(
        "# Exempt its own namespace: a namespaceSelector with kubernetes.io/metadata.name NotIn [{namespace}].",
        "kubectl edit {resource} {config}",
    ),
    source=_PRACTICE,
    blames="callout",
)

WD521 = Entry(
    code="WD521",
    title="A fail-closed webhook intercepts pods of kube-system",
    severity=Severity.WARNING,
    cause=None,
    meaning="While the webhook is down, no pod of kube-system can be created: DNS, network, proxies. What the webhook itself needs to come back may be "
    "among them.",
    decided="Its rules and selectors match pods in kube-system, and its failure policy is Fail.",
    confirm=(_RULES, "kubectl get namespace kube-system --show-labels"),
    fix=("# Exempt kube-system: a namespaceSelector with kubernetes.io/metadata.name NotIn [kube-system].", "kubectl edit {resource} {config}"),
    source=_PRACTICE,
    blames="callout",
)

WD522 = Entry(
    code="WD522",
    title="A webhook stands in the way of leases",
    severity=Severity.WARNING,
    cause=None,
    meaning="Nodes prove that they live, and controllers that they lead, by writing leases every few seconds. A webhook that fails or delays those makes "
    "nodes NotReady and leaders resign.",
    decided="Its rules and selectors match leases in kube-system or kube-node-lease, and its failure policy is Fail or its time limit is above 3 s.",
    confirm=(_RULES,),
    fix=("# Leave leases out of its rules, or exempt kube-system and kube-node-lease by a namespaceSelector.", "kubectl edit {resource} {config}"),
    source=_PRACTICE,
    blames="callout",
)

WD523 = Entry(
    code="WD523",
    title="A fail-closed webhook intercepts nodes",
    severity=Severity.WARNING,
    cause=None,
    meaning="While the webhook is down, nodes cannot register or update their status. A namespaceSelector does not exempt nodes: they have no namespace.",
    decided="Its rules match nodes (or nodes/status), no selector or condition leaves them out, and its failure policy is Fail.",
    confirm=(_RULES,),
    fix=("# Leave nodes out of its rules, or add a matchCondition that exempts the users in the group system:nodes.", "kubectl edit {resource} {config}"),
    source=_PRACTICE,
    blames="callout",
)

ENTRIES = (WD520, WD521, WD522, WD523)
