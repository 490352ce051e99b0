# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NO_PROXY as Go reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.no_proxy import exempting, missing

ROWS = yaml.safe_load((Path(__file__).parent / "no_proxy.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['host']} by {row['no_proxy']}")
def test_the_entry_that_exempts(row: dict[str, Any]) -> None:
    assert exempting(row["no_proxy"], row["host"], row.get("port", 443)) == row["by"]


def test_what_is_missing() -> None:
    assert missing("svc", [("10.96.0.1", 443), ("a.b.svc", 443), ("10.96.0.1", 443)]) == ["10.96.0.1"]
