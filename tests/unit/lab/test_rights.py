# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped rights: whole, and only reading."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "rbac"
ROLES = [
    (path.name, role)
    for path in sorted(FOLDER.glob("*.yaml"))
    for role in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    if role and role["kind"] in ("Role", "ClusterRole")
]


@pytest.mark.parametrize(("name", "role"), ROLES, ids=[f"{name}: {role['metadata']['name']}" for name, role in ROLES])
def test_every_rule_is_whole(name: str, role: dict[str, object]) -> None:
    """The API server refuses a role with a rule that lacks verbs, or what they are for."""
    rules = role["rules"]
    assert isinstance(rules, list)
    for rule in rules:
        assert rule.get("verbs"), rule
        assert rule.get("nonResourceURLs") or (rule.get("apiGroups") is not None and rule.get("resources")), rule
