# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.times import iso, seconds
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.window import Windows
from ansible_collections.kubeops.webhook_doctor.tests.unit.rotation.control_plane import moment

ROWS = yaml.safe_load((Path(__file__).parent / "windows.yml").read_text(encoding="utf-8"))["rows"]


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_window(row: dict[str, Any]) -> None:
    windows, now = Windows.of(row["windows"], row.get("zone", "UTC")), moment(row["now"])
    assert (iso(windows.closes(now)), iso(windows.opens(now))) == (row["closes"], row["opens"])


def test_none_never_closes() -> None:
    always = Windows.of([], "UTC")
    assert always.closes(moment("2026-11-20T11:00:00Z")) > moment("9999-12-31T00:00:00Z")
    assert always.opens(moment("2026-11-20T11:00:00Z")) is None


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 seconds"), (90, "90 seconds"), (120, "2 minutes"), (7199, "119 minutes"), (7200, "2 hours"), (172800, "2 days")]
)
def test_a_span_in_words(number: float, said: str) -> None:
    assert seconds(number) == said
