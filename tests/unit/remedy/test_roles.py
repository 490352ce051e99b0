# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A remedy's options stand in its planner, its role and the playbook; they are the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.catalogue.index import CATALOGUE
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.planner import Planner
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.planners.registry import PLANNERS

ROOT = Path(__file__).resolve().parents[3]


# Roles that do more than what their planner plans.
BESIDES = ("no_proxy",)


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def given_in(tasks: list[dict[str, Any]], role: str) -> set[str]:
    """The options of a role that some include of apply_plan hands over."""
    options = next(task["vars"]["apply_plan_options"] for task in tasks if "apply_plan_options" in task.get("vars", {}))
    return set(options.get(role, {}))


@pytest.mark.parametrize("planner", PLANNERS.values(), ids=PLANNERS.keys())
def test_the_options_of_a_remedy(planner: Planner) -> None:
    role = planner.role
    expected = {f"{role}_{name}": value for name, value in planner.defaults.items()}
    defaults = load(f"roles/{role}/defaults/main.yml")
    assert {name: defaults[name] for name in expected} == expected
    assert set(defaults) == set(expected) or role in BESIDES
    assert set(load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]) == set(defaults)
    tasks = [task for path in sorted((ROOT / "roles" / role / "tasks").glob("*.yml")) for task in yaml.safe_load(path.read_text(encoding="utf-8"))]
    assert given_in(tasks, role) == set(planner.defaults)
    assert any(f"{role}_is_changed" in task.get("ansible.builtin.set_fact", {}) for task in tasks)
    assert given_in(load("playbooks/tasks/remediate.yml"), role) == set(planner.defaults)
    assert (ROOT / "docs" / "rbac" / f"remediate-{role}.yaml").is_file()
    readme = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in expected)


def test_who_mends_what() -> None:
    """The catalogue names a role for a code if, and only if, that role says so; some codes are mended by several, as each case may be."""
    for code, entry in CATALOGUE.items():
        if entry.role is not None:
            assert code in PLANNERS[entry.role].codes, code
    for planner in PLANNERS.values():
        assert set(planner.codes) <= set(CATALOGUE), planner.role
