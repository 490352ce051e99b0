# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""deadlock.yml: which changes a dead webhook blocks, and the way around. blocked_changes.py has the words of a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy import plan
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.change import Change, Risk
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.deadlock import reads
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.patching import apply_patch
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.plan import Settings, plan_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.planner import Planner
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import Reference
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.request import Answer
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import merged
from ansible_collections.kubeops.webhook_doctor.tests.unit.remedy.blocked_changes import World, elsewhere, world

ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "deadlock.yml").read_text(encoding="utf-8"))["rows"]
EMPTY: dict[str, Any] = {"bypasses": {}, "waits": {}, "manual": {}, "risks": {}}
each = pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
NARROWED = [row for row in ROWS if row.get("bypasses")]
SPARING = [row for row in NARROWED if not row.get("risks") and not row.get("opaque")]
each_bypass = pytest.mark.parametrize("row", NARROWED, ids=[row["name"] for row in NARROWED])


@each
def test_what_is_blocked_gets_a_way_around_and_nothing_else(row: dict[str, Any]) -> None:
    assert outcome(world(row)) == said(row)
    assert outcome(world(merged(row, row["but"]))) == said(row.get("otherwise", {}))


@each_bypass
def test_with_the_bypass_in_place_nothing_is_blocked_and_it_is_undone_to_the_letter(row: dict[str, Any]) -> None:
    made = world(row)
    kept, bypasses = made.around()
    after = dict(made.live)
    for one in [*(change for change in kept if change.edit and "WebhookConfiguration" in change.target.kind), *bypasses]:
        assert one.edit is not None
        before = after[one.target]
        after[one.target] = apply_patch(before, one.edit.patch)
        assert apply_patch(after[one.target], one.edit.undo) == before
    assert made.around(after)[1] == []


@pytest.mark.parametrize("row", SPARING, ids=[row["name"] for row in SPARING])
def test_a_narrowing_lets_nothing_else_past(row: dict[str, Any]) -> None:
    dummy, bypasses = world(row).around()
    other = world(elsewhere(row))
    after = {**other.live, **{one.target: one.edit.result for one in bypasses if one.edit}}
    assert {one.target for one in other.around(after)[1]} == {one.target for one in bypasses}


@each
def test_what_could_block_is_read(row: dict[str, Any]) -> None:
    made = world(row)
    wanted = set(reads(made.cluster))
    assert {bypass.target for bypass in made.around()[1]} <= wanted
    assert all(reference.name not in row.get("alive", ()) for reference in wanted)


def outcome(made: World) -> dict[str, Any]:
    kept, bypasses = made.around()
    names = {change.id: name for name, change in made.changes.items()} | {bypass.id: f"bypass:{bypass.target.name}" for bypass in bypasses}
    assert [change.id for change in kept] == [change.id for change in made.changes.values()]
    for bypass in bypasses:
        assert bypass.temporary
        assert bypass.reason
        assert bypass.id == f"bypass/{bypass.target.key}"
    return {
        "bypasses": {bypass.target.name: {path: value for path, value in bypass.edit.after.items() if value != {}} for bypass in bypasses if bypass.edit},
        "waits": {names[change.id]: [names[other] for other in change.after_] for change in kept if change.after_},
        "manual": {names[change.id]: change.reason for change in kept if change.action == "manual" and change.manual},
        "risks": {bypass.target.name: bypass.risk.value for bypass in bypasses if bypass.risk is not Risk.MEDIUM},
    }


class Part(str):
    """Equal to a text that it is a part of."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) in str(other)

    __hash__ = str.__hash__


def said(row: dict[str, Any]) -> dict[str, Any]:
    return {**{key: row.get(key, default) for key, default in EMPTY.items()}, "manual": {name: Part(text) for name, text in row.get("manual", {}).items()}}


# ---- in the plan


def planned(made: World, monkeypatch: pytest.MonkeyPatch, max_risk: str) -> dict[str, str]:
    """id -> state, in the order of the plan."""
    planner = Planner("test", (), lambda request: made.live, lambda request: list[Change](made.changes.values()), {})
    monkeypatch.setattr(plan, "PLANNERS", {"test": planner})
    answers: dict[Any, Answer] = {reference: Answer((item,)) for reference, item in made.live.items()}
    items = plan_of([], made.cluster, answers, {}, Settings(("test",), Risk(max_risk), "values", made.allow_fail_open))
    return {item["id"]: item["state"] for item in items}


DEPLOYMENT, BYPASS = "test/Deployment/hooks/hook", "bypass/ValidatingWebhookConfiguration/hook"
SIMPLE: dict[str, Any] = {
    "webhooks": {"hook": {"rules": [[["UPDATE"], ["apps"], ["deployments"]]], "of": "hooks"}},
    "changes": {"mend": {"patch": "Deployment/hooks/hook"}},
}


def test_the_bypass_comes_before_what_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(planned(world(SIMPLE), monkeypatch, "medium").items()) == [(BYPASS, "planned"), (DEPLOYMENT, "planned")]


def test_a_bypass_is_within_the_limit_of_risk_or_nothing_that_needs_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    assert planned(world(SIMPLE), monkeypatch, "low") == {BYPASS: "too_risky", DEPLOYMENT: "too_risky"}


def test_what_is_for_a_person_is_said_to_be_and_takes_along_what_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    later = {"patch": "Role/other/role", "after": ["mend"]}
    latest = {"patch": "Role/other/role-2", "after": ["later"]}
    row = {**SIMPLE, "unread": ["hook"], "changes": {**SIMPLE["changes"], "later": later, "latest": latest}}
    made = world(row)
    assert planned(made, monkeypatch, "high") == {DEPLOYMENT: "manual", "test/Role/other/role": "manual", "test/Role/other/role-2": "manual"}


def test_a_bypass_that_nothing_needs_any_more_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocked change waits for another that is not made, because a webhook is in the way that cannot be narrowed."""
    crd = {
        "webhooks": {"crds": {"rules": [[["*"], ["apiextensions.k8s.io"], ["*"]]]}},
        "version": 27,
        "changes": {"crd": {"patch": "CustomResourceDefinition/a.b"}},
    }
    row = merged(merged({"webhooks": {}, "changes": {}}, crd), SIMPLE)
    row["changes"]["mend"]["after"] = ["crd"]
    assert planned(world(row), monkeypatch, "high") == {"test/CustomResourceDefinition/a.b": "manual", DEPLOYMENT: "manual"}


def test_references_name_resources_as_the_api_does() -> None:
    kinds = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses", "Endpoints": "endpoints", "ConfigMap": "configmaps", "APIService": "apiservices"}
    assert {kind: Reference("v1", kind, "x").resource for kind in kinds} == kinds
