# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of this folder, one for each remedy: what is observed, and what is planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.catalogue.index import CATALOGUE
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.planners.registry import PLANNERS
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import merged
from ansible_collections.kubeops.webhook_doctor.tests.unit.remedy.certificates import written_out
from ansible_collections.kubeops.webhook_doctor.tests.unit.remedy.planning import planned, words

HERE = Path(__file__).parent
ROWS = [
    (role, row) for role in PLANNERS if (HERE / f"{role}.yml").exists() for row in yaml.safe_load((HERE / f"{role}.yml").read_text(encoding="utf-8"))["rows"]
]


@pytest.mark.parametrize(("role", "row"), ROWS, ids=[f"{role}: {row['name']}" for role, row in ROWS])
def test_what_is_found_is_planned_and_its_twin_is_not(role: str, row: dict[str, Any]) -> None:
    row = written_out(row)
    plan = planned(role, row)
    assert words(plan) == row["plan"], plan
    after = {item["id"]: item["after"] for item in plan}
    for item, changes in row.get("changes", {}).items():
        assert after[item] == changes
    for item, made in row.get("created", {}).items():
        assert next(one["object"] for one in plan if one["id"] == item) == made
    for item, names in row.get("deleted", {}).items():
        assert [target["name"] for one in plan if one["id"] == item for target in one["targets"]] == names
    requires = {item["id"]: item["requires"] for item in plan}
    for item, others in row.get("requires", {}).items():
        assert requires[item] == others and set(list(requires)[: list(requires).index(item)]) >= set(others)
    for item, text in row.get("says", {}).items():
        shown = next(one for one in plan if one["id"] == item)
        assert any(text in line for line in (shown["reason"], *shown["manual"], *shown["notes"])), shown
    for item, text in row.get("stays", {}).items():
        assert text in next(one for one in plan if one["id"] == item)["rollback"]["because"]
    assert {item["id"] for item in plan if item["action"] == "patch" and not item["rollback"]["possible"]} == set(row.get("stays", ()))
    for item, number in row.get("proven", {}).items():
        assert len(next(one for one in plan if one["id"] == item)["verify"]["fingerprints"]) == number
    twin = planned(role, merged(row, row["but"]))
    assert words(twin) == row.get("otherwise", []), twin


def test_every_planner_has_a_table() -> None:
    assert {role for role, dummy in ROWS} == set(PLANNERS)


@pytest.mark.parametrize("role", PLANNERS)
def test_a_role_has_the_defaults_of_its_planner(role: str) -> None:
    folder = HERE.parents[2] / "roles" / role
    defaults = yaml.safe_load((folder / "defaults" / "main.yml").read_text(encoding="utf-8"))
    options = yaml.safe_load((folder / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    assert {f"{role}_{option}": value for option, value in PLANNERS[role].defaults.items()}.items() <= defaults.items()
    said = {name: option["default"] for name, option in options.items()}
    assert said == {name: said[name] if str(value).startswith("{{") else value for name, value in defaults.items()}


@pytest.mark.parametrize("role", PLANNERS)
def test_what_names_a_role_is_planned_by_it(role: str) -> None:
    assert {entry.code for entry in CATALOGUE.values() if entry.role == role} <= set(PLANNERS[role].codes)
