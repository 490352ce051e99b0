# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of guards: each verdict beside its opposite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.guards.all import GUARDS, blocking, guards
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.guards.guard import Guard
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.options import InvalidOptions
from ansible_collections.kubeops.webhook_doctor.tests.unit.rotation.control_plane import over, situation

ROWS = yaml.safe_load((Path(__file__).parent / "guards.yml").read_text(encoding="utf-8"))["rows"]


def line(guard: Guard) -> str:
    word = "ok" if guard.ok else "accepted" if guard.accepted else "warning" if guard.warning else "STOP" if guard.ok is False else "UNKNOWN"
    return f"{word} {f'{guard.subject}: ' if guard.subject else ''}{guard.says}"


def check(name: str, given: dict[str, Any], expected: list[str]) -> None:
    found = list(GUARDS[name](situation(given)))
    lines = [line(guard) for guard in found]
    assert {guard.name for guard in found} == {name}
    assert len(lines) == len(expected), lines
    for beginning, said in zip(expected, lines, strict=True):
        assert said.startswith(beginning), (beginning, said)
    assert [guard.blocks for guard in found] == [said.startswith(("STOP", "UNKNOWN")) for said in lines]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['guard']}: {row['name']}" for row in ROWS])
def test_a_guard_and_its_twin(row: dict[str, Any]) -> None:
    given = row.get("given", {})
    check(row["guard"], given, row["says"])
    check(row["guard"], over(given, row["but"]), row["otherwise"])


def test_every_guard_has_a_row_that_it_passes_and_one_that_it_does_not() -> None:
    for name in GUARDS:
        said = [text for row in ROWS if row["guard"] == name for text in (*row["says"], *row["otherwise"])]
        assert any(text.startswith("ok") for text in said), name
        assert any(text.startswith(("STOP", "UNKNOWN")) for text in said), name


def test_where_all_is_well_nothing_blocks() -> None:
    assert not blocking(guards(situation({})))


def test_what_the_user_accepts_does_not_block_and_is_said_all_the_same() -> None:
    given = {"hosts": {"cp2": {"busy": [{"what": "an upgrade", "because": "it runs"}]}}}
    assert [guard.name for guard in blocking(guards(situation(given)))] == ["busy"]
    found = guards(situation({**given, "options": {"ignore_guards": ["busy"]}}))
    assert not blocking(found)
    assert [line(guard) for guard in found if guard.accepted] == ["accepted cp2: an upgrade (it runs): wait until that is done"]


@pytest.mark.parametrize("name", ["lock", "supported", "nonsense"])
def test_some_guards_cannot_be_ignored(name: str) -> None:
    with pytest.raises(InvalidOptions, match=f"'{name}' cannot be ignored. Expected some of: known, single, peers"):
        guards(situation({"options": {"ignore_guards": [name]}}))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"windows": []}, "there is no option windows. Expected: alerts, allow_single"),
        ({"window": ["22-04"]}, r"window '22-04' is not understood. Expected: \[days \]HH:MM-HH:MM"),
        ({"window": ["25:00-26:00"]}, "there is no time 25:00"),
        ({"window": ["10:00-10:00"]}, "is empty"),
        ({"window": ["Fry 10:00-11:00"]}, "there is no day 'Fry'"),
        ({"time_zone": "Europe/Nowhere"}, "time zone 'Europe/Nowhere' is not known"),
        ({"ignore_alerts": "("}, r"ignore_alerts '\(' is no regular expression"),
        ({"max_skew": 0}, "max_skew 0 is out of range"),
        ({"seconds_per_server": "long"}, "seconds_per_server 'long' is no number"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOptions, match=said):
        situation({"options": options})
