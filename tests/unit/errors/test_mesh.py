# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Istio's texts -> what is behind them, and what to do. mesh.yml is the specification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._classify import classify
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.advice import advise

ROWS = yaml.safe_load((Path(__file__).parent / "mesh.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_the_text_is_recognised(row: dict[str, Any]) -> None:
    result = classify(row["text"])
    for key, value in row["find"].items():
        found = {name: result["names"].get(name) for name in value} if key == "names" else result[key]
        assert found == value, result
    assert result["others"] == []
    assert row.get("says", "") in advise(result)
