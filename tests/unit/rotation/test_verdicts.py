# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of verdicts about certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.certificate import NotLoopback, read_loopback
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.instance import Instance
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.verdict import Limits, judge
from ansible_collections.kubeops.webhook_doctor.tests.unit.rotation.control_plane import NOW, chain, moment, over, result

ROWS = yaml.safe_load((Path(__file__).parent / "verdicts.yml").read_text(encoding="utf-8"))["rows"]


def check(row: dict[str, Any], expected: str) -> None:
    now = moment(NOW)
    verdict = judge(Instance.of(result("cp1", row["given"], now)), now, Limits(**row.get("limits", {})))
    said = f"{verdict.state.value}{'!' if verdict.urgent else ':'} {verdict.says}"
    assert said.startswith(expected), said
    assert verdict.shown()["host"] == "cp1"


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_certificate_and_its_twin(row: dict[str, Any]) -> None:
    check(row, row["verdict"])
    check(over(row, row["but"]), row["otherwise"])


def test_what_is_read_is_what_the_certificate_says() -> None:
    now = moment(NOW)
    read = read_loopback(chain(100, 365, now))
    assert (read.lifetime_days, round(read.days_left(now), 6), round(read.share_left(now), 3)) == (365, 100, 0.274)
    assert (read.started - read.not_before).total_seconds() == 3600


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n*\n"])
def test_what_is_no_certificate_is_said_so(text: str) -> None:
    with pytest.raises(NotLoopback):
        read_loopback([text] if text else [])


@pytest.mark.parametrize("cut", range(0, 300, 7))
def test_a_cut_certificate_is_no_crash(cut: int) -> None:
    import base64
    import ssl

    der = ssl.PEM_cert_to_DER_cert(chain(100, 365, moment(NOW))[0])[:cut]
    with pytest.raises(NotLoopback):
        read_loopback([f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(der).decode()}\n-----END CERTIFICATE-----\n"])
