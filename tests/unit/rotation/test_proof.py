# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of proofs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.instance import Instance
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.proof import Proof, prove
from ansible_collections.kubeops.webhook_doctor.tests.unit.rotation.control_plane import NOW, moment, over, result

ROWS = yaml.safe_load((Path(__file__).parent / "proofs.yml").read_text(encoding="utf-8"))["rows"]
NEW = {"days": 364.9, "life": 365, "started": 0, "container": {"id": "cp1-new"}, "process": {"pid": 200, "started": "2026-11-20T18:00:20Z"}}


def proof(row: dict[str, Any], restarted: bool = True) -> Proof:
    before, after = moment(NOW), moment(NOW) + timedelta(seconds=40)
    told = {key: value for key, value in over(NEW, row.get("after", {})).items() if value is not None or key == "container"}
    old = {"days": 10, **row.get("before", {})}
    first = result("cp1", old, before)
    second = result("cp1", {key: value for key, value in told.items() if key != "old_certificate"}, after)
    if "old_certificate" in told:
        second["api_server"]["loopback"] = first["api_server"]["loopback"]
    return prove(Instance.of(first), Instance.of(second), after, restarted)


def check(found: Proof, expected: list[str], notes: list[str]) -> None:
    assert len(found.why) == len(expected), found.why
    for beginning, said in zip(expected, found.why, strict=True):
        assert said.startswith(beginning), (beginning, said)
    assert found.proven is not bool(expected)
    assert list(found.notes) == notes


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_proof_and_its_twin(row: dict[str, Any]) -> None:
    check(proof(row), row["why"], row.get("notes", []))
    check(proof(over(row, row["but"])), row["otherwise"], [])


def test_where_nothing_is_restarted_it_has_to_be_ready() -> None:
    same = {"container": {"id": "cp1-old"}, "days": 10}
    assert proof({"after": same}, restarted=False).proven
    assert not proof({"after": {**same, "ready": {"status": 500}}}, restarted=False).proven


def test_old_and_new_are_told() -> None:
    shown = proof({}).shown()
    assert (shown["old"]["container_id"], shown["new"]["container_id"]) == ("cp1-old", "cp1-new")
    assert shown["old"]["not_after"] == "2026-11-30T18:00:00Z" and shown["new"]["started"] == "2026-11-20T18:00:40Z"
