# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of this folder: what is observed, and what must be found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.catalogue.index import CATALOGUE
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe

HERE = Path(__file__).parent
TABLES = (
    "configuration",
    "network",
    "trust",
    "answers",
    "control_plane",
    "platform",
    "vantages",
    "timeout_phases",
    "loopback",
    "no_proxy",
    "admission",
    "cert_manager",
    "acme",
    "etcd",
)
# These have tables of another form, beside those that judge them: timeouts.yml, profiles.yml, interception.yml, deadlocks.yml, injection.yml.
ELSEWHERE = {f"WD{number}" for number in (*range(510, 513), *range(520, 534), 540, 541, 545)}
ELSEWHERE |= {f"WD{code}" for code in range(850, 870)}  # test_istio.py
ROWS = [(table, row) for table in TABLES for row in yaml.safe_load((HERE / f"{table}.yml").read_text(encoding="utf-8"))]


def found(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    facts, probes, verdicts = observe(given)
    return diagnose(facts, probes, verdicts)


def words(findings: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{finding['code']} {finding['severity']} {finding['cause'] or 'null'}" for finding in findings)


@pytest.mark.parametrize(("table", "row"), ROWS, ids=[f"{table}: {row['name']}" for table, row in ROWS])
def test_the_fault_is_found_and_its_twin_is_not(table: str, row: dict[str, Any]) -> None:
    fault = found(row["given"])
    assert words(fault) == sorted(row["find"]), [finding["evidence"] for finding in fault]
    for code, line in row.get("says", {}).items():
        assert any(line in evidence for finding in fault if finding["code"] == code for evidence in finding["evidence"]), fault
    if "affects" in row:
        assert [len(finding["affects"]) for finding in fault] == [row["affects"]]
    twin = found({**row["given"], **row["but"]})
    assert words(twin) == sorted(row.get("otherwise", [])), [finding["evidence"] for finding in twin]


def test_every_code_has_a_positive_and_a_negative() -> None:
    positive = {line.split()[0] for dummy, row in ROWS for line in row["find"]}
    negative = {
        line.split()[0] for dummy, row in ROWS for line in row["find"] if line.split()[0] not in {other.split()[0] for other in row.get("otherwise", [])}
    }
    assert positive - ELSEWHERE == negative - ELSEWHERE == set(CATALOGUE) - ELSEWHERE


def test_a_cluster_where_all_is_well_yields_nothing() -> None:
    assert found({"more": {"other": {}, "third": {"kind": "conversion"}, "fourth": {"kind": "apiservice"}}}) == []
