# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One finding about two configurations: each is told its own commands."""

from __future__ import annotations

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.planners.stale_webhooks import PLANNER
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import Reference
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.request import Answer, Request
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.callouts_short import a_callout, some_facts


def test_the_commands_name_the_object_that_is_meant() -> None:
    facts = some_facts([a_callout("left"), a_callout("right")], {})
    backend = next(backend for backend in facts["backends"] if backend["id"] == facts["callouts"][0]["backend"])
    backend.update(endpoints=[], pods=[], service={**backend["service"], "found": False})
    findings = [finding for finding in diagnose(facts) if finding["code"] == "WD101"]
    assert [len(finding["affects"]) for finding in findings] == [2]
    young = {"creationTimestamp": facts["source"]["observed_at"]}
    configurations = [
        {"apiVersion": callout["object"]["api_version"], "kind": callout["object"]["kind"], "metadata": {"name": callout["object"]["name"], **young}}
        for callout in facts["callouts"]
    ]
    answers = {Reference.of(one): Answer((one,)) for one in configurations}
    items = list(PLANNER.plan(Request(findings, Cluster.of(facts), PLANNER.defaults, answers)))
    commands = {item.target.name: [step for step in item.manual if not step.startswith("# ")] for item in items if item.action == "manual"}
    assert set(commands) == {"left", "right"}
    for name, steps in commands.items():
        assert steps and all(name in step.split() for step in steps), steps
