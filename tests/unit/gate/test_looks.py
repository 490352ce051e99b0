# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of looks: what is observed, what is wished, and what a gate makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._gate.look import Look, look_at
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._gate.wish import Wish
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import merged, observe

ROWS = yaml.safe_load((Path(__file__).parent / "looks.yml").read_text(encoding="utf-8"))["rows"]


def look(row: dict[str, Any]) -> Look:
    wish = row.get("wish", {})
    return look_at(*observe(row["given"]), Wish(wish.get("select", ""), tuple(wish.get("expect", ())), wish.get("fail_open", "reachable")))


def check(seen: Look, expected: list[str]) -> None:
    lines = [f"proven {callout}" for callout in seen.proven] + [f"reachable {callout}" for callout, dummy in seen.reachable]
    for one in seen.missing:
        at = f" at {', '.join(one.instances)}" if one.instances else ""
        lines.append(f"{'hopeless' if one.hopeless else 'missing'} {one.name}{at}: {one.why}")
    assert len(lines) == len(expected), lines
    for beginning, line in zip(sorted(expected), sorted(lines)):
        assert line.startswith(beginning), (beginning, line)
    assert seen.good is not any(line.startswith(("missing", "hopeless")) for line in lines)


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_look_and_its_twin(row: dict[str, Any]) -> None:
    check(look(row), row["sees"])
    twin = merged(row, row["but"])
    if "expect" in row["but"].get("wish", {}):
        twin["wish"]["expect"] = row["but"]["wish"]["expect"]
    check(look(twin), row["otherwise"])


def test_the_findings_are_those_about_what_is_missing() -> None:
    broken = {"apiserver": {"says": "dial tcp 10.1.0.1:8443: connect: connection refused"}}
    seen = look({"given": {**broken, "more": {"two": broken}}, "wish": {"select": "[?object=='two']"}})
    assert [finding["affects"] for finding in seen.findings] == [["validating/two/two.example.com"]]
    assert seen.missing[0].codes == tuple(dict.fromkeys(finding["code"] for finding in seen.findings))


@pytest.mark.parametrize("expression", ["[?nope", "length(@)", "[].id"])
def test_a_selection_that_picks_no_call_outs_is_refused(expression: str) -> None:
    with pytest.raises(InvalidObservation, match=r"picks call-outs|not pick call-outs"):
        look({"given": {}, "wish": {"select": expression}})
