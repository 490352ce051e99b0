# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan and its outcome as people read them: in a terminal, and as Ansible's diff."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.diff import diffs
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.lines import plan_lines, result_lines, undone_lines
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.result import MADE, WELL, Result, State
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.rollback import DONE, NOTHING, REFUSED, Undone
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.change import Risk
from ansible_collections.kubeops.webhook_doctor.tests.unit.apply.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.tests.unit.apply.items import deleted, hook, made_new, network_policy, opened, patch, shorter


@pytest.fixture
def cluster() -> Cluster:
    found = Cluster()
    found.add(hook("a"))
    return found


def text(lines: Any) -> str:
    return "\n".join(line.text for line in lines)


def test_a_diff_has_only_what_changes(cluster: Cluster) -> None:
    def edit(made: Any) -> None:
        made.set("/webhooks/0/timeoutSeconds", 15)
        made.set("/webhooks/0/rules", [])
        made.remove("/webhooks/0/matchPolicy")

    shown, made, gone = diffs([patch(cluster, "a", edit), made_new("n"), deleted(cluster, "a"), {**shorter(cluster, "a"), "state": "owned"}])
    name = "ValidatingWebhookConfiguration/a"
    assert (shown["before_header"], shown["after_header"]) == (name, name)
    assert yaml.safe_load(shown["before"]) == {"/webhooks/0/timeoutSeconds": 30, "/webhooks/0/matchPolicy": "Equivalent"}
    assert yaml.safe_load(shown["after"]) == {"/webhooks/0/timeoutSeconds": 15, "/webhooks/0/rules": []}
    assert (made["before"], yaml.safe_load(made["after"])) == ("", network_policy("n")) and made["before_header"] == "NetworkPolicy/system/n"
    assert (yaml.safe_load(gone["before"]), gone["after"]) == ({"exists": True}, "")


def test_a_plan(cluster: Cluster) -> None:
    risky = {**shorter(cluster, "a", risk=Risk.HIGH), "state": "too_risky"}
    owner = {"kind": "helm", "name": "cert-manager", "because": "a label", "durable": ["webhook:", "  timeoutSeconds: 15\x1b[2J"]}
    shown = text(plan_lines([opened(cluster, "a", risk=Risk.HIGH), {**shorter(cluster, "a"), "state": "owned", "owner": owner}, risky], check=True))
    assert "Plan: 1 change, 1 above the limit of risk, 1 left to their owners." in shown
    assert "Would be changed:" in shown and "for the time of the repair" in shown
    assert '/webhooks/0/failurePolicy: "Fail" -> "Ignore"' in shown
    assert "webhook_doctor_max_risk=high" in shown and "  timeoutSeconds: 15?[2J" in shown and "\x1b" not in shown
    assert "Nothing to change" in text(plan_lines([], check=False)) and "To be changed:" in text(plan_lines([shorter(cluster, "a")], check=False))


def test_a_long_plan_is_cut(cluster: Cluster) -> None:
    shown = text(plan_lines([shorter(cluster, "a")] * 25, check=False))
    assert shown.count("~ ValidatingWebhookConfiguration") == 20 and "and 5 more items" in shown


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_every_outcome_has_words(state: State, cluster: Cluster) -> None:
    result = Result(shorter(cluster, "a"), state, ("why\x07 not",))
    lines = result_lines([result], "run-1", "journal.jsonl", None)
    assert lines[0].text.startswith(f"  {result.item['id']}: ") and (lines[0].tone == "good") == (state in WELL)
    assert "why" in lines[1].text and "\x07" not in lines[1].text and result.shown()["state"] == state.value
    assert "webhook_doctor_run=run-1" in text(lines)


def test_what_went_wrong_is_last(cluster: Cluster) -> None:
    item = shorter(cluster, "a")
    shown = text(result_lines([Result(item, State.DENIED), Result(item, State.MENDED)], "r", None, "the API server does not answer"))
    assert shown.index("mended") < shown.index("admission says no") < shown.index("Stopped: the API server does not answer")
    assert not result_lines([], "r", None, None) and State.UNKNOWN in MADE and State.UNKNOWN not in WELL


def test_what_was_taken_back() -> None:
    target = {"api_version": "v1", "kind": "Service", "namespace": "n", "name": "s"}
    undone = [Undone(target, DONE, "x"), Undone(target, NOTHING, "y", "it exists again"), Undone(target, REFUSED, "z", "somebody changed it since")]
    shown = text(undone_lines(undone, check=False))
    assert "Service n/s: taken back (x)" in shown and "left as it is (y)" in shown and "not taken back (z)\n      somebody changed it since" in shown
    assert "would be taken back" in text(undone_lines(undone, check=True)) and "Nothing to take back" in text(undone_lines([], check=False))
