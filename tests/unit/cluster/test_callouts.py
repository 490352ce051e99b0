# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects to call-outs: the table is callouts.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.callouts import admission_callouts, apiservice_callout, conversion_callout
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import Malformed

TABLE = yaml.safe_load(Path(__file__).with_name("callouts.yml").read_text(encoding="utf-8"))


def callouts_of(row: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    if row["kind"] in ("validating", "mutating"):
        return admission_callouts(row["given"], row["kind"])
    one = (conversion_callout if row["kind"] == "conversion" else apiservice_callout)(row["given"])
    return ([one] if one else []), []


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in TABLE])
def test_callouts(row: dict[str, Any]) -> None:
    if "malformed" in row:
        with pytest.raises(Malformed, match=f"^{row['malformed']}$"):
            callouts_of(row)
        return
    callouts, problems = callouts_of(row)
    assert problems == row.get("problems", [])
    assert [{key: callout[key] for key in expected} for callout, expected in zip(callouts, row["expect"])] == row["expect"]
    assert len(callouts) == len(row["expect"])


def test_every_kind_has_the_same_keys() -> None:
    kinds = {callout["kind"]: set(callout) for row in TABLE if "malformed" not in row for callout in callouts_of(row)[0]}
    assert sorted(kinds) == ["apiservice", "conversion", "mutating", "validating"]
    assert len({frozenset(keys) for keys in kinds.values()}) == 1
