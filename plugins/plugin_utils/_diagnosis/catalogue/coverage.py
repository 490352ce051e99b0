# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD9xx: what could not be seen or explained. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

WD901 = Entry(
    code="WD901",
    title="Something could not be read",
    severity=Severity.INFO,
    cause=None,
    meaning="A part of the cluster was not visible, so what it would have shown is not judged. The evidence says what, why, and what follows from it.",
    decided="Reading it was forbidden or failed, or the dump does not hold it.",
    confirm=("kubectl auth can-i --list",),
    fix=("# Grant the read-only rights of docs/rbac/diagnose.yaml, or add the kind to the dump, and diagnose again.",),
    source="facts.coverage",
    blames="cluster",
)

WD902 = Entry(
    code="WD902",
    title="Call-outs could not be judged",
    severity=Severity.INFO,
    cause=None,
    meaning="Nothing that was seen says whether these calls work: the API server could not be made to call them by a dry run, and no other vantage tells. "
    "That is no fault, and no proof of health.",
    decided="No vantage gave a telling answer, and facts and events show no fault. A failed connection from this host alone proves nothing.",
    confirm=("kubectl get {resource} {config} -o yaml",),
    fix=("# Grant the rights of docs/rbac/diagnose-probing.yaml, or run on a host that reaches pods (a control-plane node), and diagnose again.",),
    source="the differential verdict (docs/architecture.md)",
    blames="cluster",
)

WD903 = Entry(
    code="WD903",
    title="The API server reports a failure that no rule explains",
    severity=Severity.ERROR,
    cause="unknown",
    meaning="The API server says that it cannot make the call, in words that the collection does not know.",
    decided="The API server's text names the call-out, and neither the text nor another vantage leads to a known cause.",
    confirm=("kubectl get {resource} {config} -o yaml",),
    fix=("# Please report the text in the evidence to the project, so that it is known next time.",),
    source="-",
    blames="callout",
)

ENTRIES = (WD901, WD902, WD903)
