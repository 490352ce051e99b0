# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guard `webhooks`: no webhook that fails closed and does not answer stands in the way of the start. Pure. PRIVATE to the collection.

What an API server writes when it starts goes through admission, and a post-start hook that fails ends the process (k8s.io/apiserver pkg/server/hooks.go);
without leases nobody is elected afterwards. The diagnosis tells which webhooks do not answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._diagnosis.case import Case
from ..._diagnosis.cluster_needs import RESTART
from ..._diagnosis.judgement import State
from ..._diagnosis.needs import intercepted
from ..situation import Situation
from .guard import Guard

NAME = "webhooks"


def webhooks(situation: Situation) -> Iterator[Guard]:
    cluster = situation.cluster
    if cluster is None:
        yield Guard(NAME, None, "the cluster was not diagnosed, so whether a webhook would stop the start is not known")
        return
    unread = [gap for gap in situation.facts["coverage"] if gap["what"] in ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")]
    if unread:
        yield Guard(NAME, None, f"{unread[0]['what']} could not be read: {unread[0]['message']}")
        return
    stands, asked = False, 0
    for case in cluster.cases:
        if case.callout["failure_policy"] != "Fail" or case.callout["kind"] not in ("validating", "mutating"):
            continue
        needs = intercepted(case, RESTART)
        if not needs:
            continue
        asked += 1
        state = case.judgement.state
        if state is State.HEALTHY:
            continue
        stands = True
        what = "is not proven to answer" if state is State.UNJUDGED else f"does not answer ({case.judgement.cause or 'unknown'})"
        says = f"fails closed, {what}, and is asked about {needs[0].what}, {needs[0].why}: mend it first (the playbook diagnose says how)"
        yield Guard(NAME, None if state is State.UNJUDGED else False, says, _name(case))
    if not stands:
        who = "1 webhook is" if asked == 1 else f"{asked} webhooks are"
        answers = "answers" if asked == 1 else "all answer"
        yield Guard(NAME, True, f"{who} asked about what an API server writes at its start, and {answers}" if asked else "none is in the way")


def _name(case: Case) -> str:
    return f"{case.callout['object']['kind']} {case.callout['object']['name']}, webhook {case.callout['webhook']}"
