# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way through planning: order, states, what users say, and the two filters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.kubeops.webhook_doctor.plugins.filter.remediation_plan import remediation_plan
from ansible_collections.kubeops.webhook_doctor.plugins.filter.remediation_reads import remediation_reads
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy import plan as planning
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.change import Change, Risk
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.ordering import Circle, ordered
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.owner import Owner
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.planners.registry import PLANNERS
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import Reference
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.callouts_short import several

ROLE = "webhook_timeouts"


def change(name: str, risk: Risk = Risk.LOW, remedy: str = "r", after: tuple[str, ...] = ()) -> Change:
    return Change(remedy, (), (), Reference("v1", "K", name), "patch", "because", risk, after_=tuple(f"r/K/{one}" for one in after))


def names(changes: list[Change]) -> str:
    return "".join(one.target.name for one in changes)


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        ([change("b"), change("a")], "ab"),
        ([change("a", Risk.HIGH), change("b", Risk.MEDIUM), change("c")], "cba"),
        ([change("a", remedy="s"), change("b")], "ba"),
        ([change("a", after=("b",)), change("b")], "ba"),
        ([change("a", after=("b",)), change("b", Risk.HIGH), change("c")], "cba"),
        ([change("a", after=("b",)), change("b", after=("c",)), change("c", Risk.MEDIUM), change("d", Risk.HIGH)], "cbad"),
        ([change("a", after=("z",)), change("b")], "ab"),
        ([], ""),
    ],
    ids=["by name", "least risk first", "by role", "prerequisites first", "even if riskier", "a chain", "what is not among them", "nothing"],
)
def test_the_order(changes: list[Change], order: str) -> None:
    assert names(ordered(changes, ["r", "s"])) == order
    assert names(ordered(reversed(changes), ["r", "s"])) == order, "the order of planning does not matter"


def test_changes_that_wait_for_one_another() -> None:
    with pytest.raises(Circle, match="r/K/a, r/K/b"):
        ordered([change("a", after=("b",)), change("b", after=("a",)), change("c")], ["r"])


# ---- through the filters


def world(**timeouts: int) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """(facts, findings, objects) of configurations of one webhook each."""
    facts = several({f"{name}/x.{name}.example.com": {"timeout": seconds} for name, seconds in timeouts.items()}, {})
    objects = [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name, "uid": f"uid-{name}"},
            "webhooks": [{"name": f"x.{name}.example.com", "timeoutSeconds": seconds}],
        }
        for name, seconds in timeouts.items()
    ]
    return facts, list(diagnose(facts, [], [])), objects


def results(reads: list[dict[str, Any]], objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What read_objects returns."""
    found = {item["metadata"]["name"]: item for item in objects}
    return [{**one, "objects": [found[one["name"]]] if one.get("name") in found else [], "error": None, "reason": None} for one in reads]


def plan(facts: dict[str, Any], findings: list[dict[str, Any]], objects: list[dict[str, Any]], **said: Any) -> list[dict[str, Any]]:
    asked = {key: said[key] for key in ("remedies", "options", "select") if key in said}
    reads = remediation_reads(findings, facts, **asked)
    return remediation_plan(findings, facts, objects=results(reads, objects), **said)


def test_from_findings_to_a_plan() -> None:
    facts, findings, objects = world(a=30, b=5, c=25)
    reads = remediation_reads(findings, facts, remedies=[ROLE])
    assert {one["name"] for one in reads if one["kind"] == "ValidatingWebhookConfiguration"} >= {"a", "c"}
    items = plan(facts, findings, objects, remedies=[ROLE])
    assert [item["id"] for item in items] == [f"{ROLE}/ValidatingWebhookConfiguration/{name}" for name in ("a", "c")]
    first = items[0]
    assert (first["state"], first["target"]["uid"], first["after"]) == ("planned", "uid-a", {"/webhooks/0/timeoutSeconds": 15})
    assert first["verify"]["callouts"] and first["verify"]["fingerprints"] and first["rollback"]["possible"] and first["codes"]
    assert plan(facts, list(reversed(findings)), objects, remedies=[ROLE]) == items, "the order of findings does not matter"
    assert plan(facts, [], objects, remedies=[ROLE]) == []


def test_only_what_is_selected() -> None:
    facts, findings, objects = world(a=30, c=25)
    (item,) = plan(facts, findings, objects, remedies=[ROLE], select="[?subject.name=='c']")
    assert item["target"]["name"] == "c"


@pytest.mark.parametrize("remedies", [ROLE, f" {ROLE} , webhook_network", [ROLE], (), None, ""])
def test_remedies_as_people_say_them(remedies: Any) -> None:
    """`-e webhook_doctor_remedies=webhook_timeouts` is a text."""
    facts, findings, objects = world(a=30)
    assert [item["remedy"] for item in plan(facts, findings, objects, remedies=remedies)] == [ROLE]


@pytest.mark.parametrize(
    ("owned", "max_risk", "state"),
    [("values", "low", "owned"), ("skip", "high", "skipped"), ("patch", "low", "planned"), ("patch", "high", "planned")],
)
def test_what_somebody_owns(owned: str, max_risk: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "owner_of", lambda *dummy: Owner("helm", "release", "a label", ("a: b",)))
    facts, findings, objects = world(a=30)
    (item,) = plan(facts, findings, objects, remedies=[ROLE], owned=owned, max_risk=max_risk)
    assert item["state"] == state and item["owner"] == {"kind": "helm", "name": "release", "because": "a label", "durable": ["a: b"]}


def test_what_waits_for_something_that_is_not_made_is_not_made_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the chain is, and in whatever order it was planned."""
    changes = [change("c", after=("b",)), change("b", after=("a",)), change("a", Risk.HIGH), change("d", after=("elsewhere",))]
    planner = replace(PLANNERS[ROLE], reads=lambda request: (), plan=lambda request: changes)
    monkeypatch.setitem(planning.PLANNERS, ROLE, planner)
    facts, findings, _objects = world(a=30)
    items = remediation_plan(findings, facts, remedies=[ROLE])
    assert {item["target"]["name"]: item["state"] for item in items} == {"a": "too_risky", "b": "too_risky", "c": "too_risky", "d": "planned"}
    assert "waits for r/K/b, which is not made in this run" in next(item["notes"] for item in items if item["target"]["name"] == "c")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"remedies": ["webhook_timeout"]}, "'webhook_timeout' is no remedy. There are: webhook_timeouts"),
        ({"max_risk": "none"}, "max_risk is 'none'. Expected one of: low, medium, high"),
        ({"owned": "ask"}, "owned is 'ask'. Expected one of: values, patch, skip"),
        ({"options": {"timeouts": {}}}, "'timeouts' is no remedy"),
        ({"options": {ROLE: {"second": 7}}}, f"{ROLE} has no second. It has: "),
        ({"options": {ROLE: 7}}, f"options: {ROLE} is 7. Expected its options by name"),
        ({"options": [ROLE]}, "options is ['webhook_timeouts']. Expected, for each remedy"),
        ({"options": {ROLE: {"profile": "quick"}}}, "quick"),
        ({"objects": "x"}, "objects is a str"),
        ({"objects": []}, "objects lack ValidatingWebhookConfiguration a"),
    ],
    ids=str,
)
def test_what_cannot_be_meant(said: dict[str, Any], words: str) -> None:
    facts, findings, objects = world(a=30)
    given = {"objects": results(remediation_reads(findings, facts), objects), **said}
    with pytest.raises(AnsibleFilterError) as caught:
        remediation_plan(findings, facts, **given)
    assert words in str(caught.value) and str(caught.value).startswith("kubeops.webhook_doctor.remediation_plan: ")


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ("text", "the findings are a str"),
        ({}, "the findings are a dict"),
        ([1], "findings[0] is no finding"),
        ([{"code": "WD504"}], "findings[0] is no finding"),
    ],
    ids=str,
)
def test_what_are_no_findings(findings: Any, words: str) -> None:
    facts, _findings, _objects = world(a=30)
    for call in (remediation_plan, remediation_reads):
        with pytest.raises(AnsibleFilterError) as caught:
            call(findings, facts)
        assert words in str(caught.value)


def test_answers_of_something_else() -> None:
    facts, findings, objects = world(a=30)
    given = [{key: value for key, value in one.items() if key != "objects"} for one in results(remediation_reads(findings, facts), objects)]
    with pytest.raises(AnsibleFilterError, match="have no list `objects` for ValidatingWebhookConfiguration"):
        remediation_plan(findings, facts, objects=given)


def test_options_that_are_not_given_are_the_defaults() -> None:
    filled = planning.complete({ROLE: dict.fromkeys(PLANNERS[ROLE].defaults), "webhook_network": None})  # type: ignore[dict-item]
    assert filled == {role: dict(planner.defaults) for role, planner in PLANNERS.items()}
