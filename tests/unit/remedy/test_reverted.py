# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""reverted.yml: what a change made, what is there later, and what is said about it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.change import Change
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.edit import Edit
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.item import PLANNED, item_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import Reference
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reverted import reverted
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import merged

MADE_AT = "2026-11-20T18:00:00Z"
_TABLE = yaml.safe_load((Path(__file__).parent / "reverted.yml").read_text(encoding="utf-8"))
BEFORE: dict[str, Any] = _TABLE["before"]
ROWS: list[dict[str, Any]] = _TABLE["rows"]


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_what_is_said_of_a_change_later(row: dict[str, Any]) -> None:
    assert said(row) == row["says"]
    assert said(merged(row, row["but"])) == row.get("otherwise", [])


def said(row: dict[str, Any]) -> list[str]:
    """`later` edits what the change made; then `order` puts the entries into another order, `wrote` says who wrote when."""
    action = row.get("action", "patch")
    edit = Edit(BEFORE) if action == "patch" else None
    if edit is not None:
        edit.anchor("/webhooks/0/name")
        for path, value in row.get("set", {}).items():
            edit.set(path, value)
        for path in row.get("remove", ()):
            edit.remove(path)
    change = Change("r", ("WD511",), (), Reference.of(BEFORE), action, "r", edit=edit, created=BEFORE if action == "create" else None)
    item = item_of(change, None, PLANNED, {} if action == "create" else {change.target: BEFORE})
    if row.get("gone"):
        return reverted(item, None, MADE_AT)
    later = Edit(edit.result if edit else BEFORE)
    for path, value in row.get("later", {}).items():
        later.set(path, value)
    now = copy.deepcopy(later.result)
    if row.get("order"):
        now["webhooks"] = [now["webhooks"][position] for position in row["order"]]
    now["metadata"]["managedFields"] = [
        {"manager": manager, "operation": operation, "time": time, **({"subresource": sub[0]} if sub else {})}
        for manager, operation, time, *sub in row.get("wrote", ())
    ]
    return reverted(item, now, MADE_AT)
