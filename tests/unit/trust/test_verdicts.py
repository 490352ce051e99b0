# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""(bundle, chain, name, time) -> (trusted, error, cause, anchor, problems). verdicts.yml is the specification, Go its witness."""

from __future__ import annotations

import os
import pathlib

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.problems import Warn
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.verdict import Options, judge, parse_at
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._vocabulary import CAUSES
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust import against_go, cast
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.against_go import NEWEST, NoToolchain

TABLE = yaml.safe_load((pathlib.Path(__file__).parent / "verdicts.yml").read_text(encoding="utf-8"))
AT = "2026-06-15T12:00:00Z"


def question(row):
    return {
        "name": row["name"],
        "callouts": row.get("callouts", []),
        "ca_bundle": "\n".join(map(cast.pem, row["bundle"])),
        "chain": [cast.pem(one) for one in row["chain"]],
        "server_name": row.get("server_name", cast.NAME),
        "at": row.get("at", AT),
    }


def answer(row):
    options = Options(Warn(row.get("warn_days", 30), row.get("warn_fraction")), 0, os.devnull, against_go.rules_of(row.get("go", NEWEST)))
    return judge([question(row)], options)[0]


def short(problem):
    at = problem["certificate"]
    return problem["problem"] + (f" {at['source']}[{at['index']}]" if at else "")


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["name"])
def test_verdict(row):
    result = answer(row)
    expected = {"trusted": row.get("trusted", "error" not in row), "error": row.get("error"), "cause": row.get("cause")}
    assert {key: result[key] for key in expected} == expected
    assert [short(problem) for problem in result["problems"]] == row.get("problems", [])
    assert (result["anchor"] is not None) == (result["trusted"] is True)
    if "anchor" in row:
        assert result["anchor"]["subject"] == row["anchor"]
    assert result["cause"] in CAUSES | {None}


@pytest.mark.parametrize("version", sorted({row.get("go", NEWEST) for row in TABLE}))
def test_go_says_the_same(tmp_path, version):
    try:
        oracle = against_go.build(tmp_path, version)
    except NoToolchain as error:
        pytest.skip(f"Go {version}: {error}")
    rows = [row for row in TABLE if row.get("go", NEWEST) == version]
    answers = against_go.ask_go(oracle, [question(row) for row in rows])
    expected = [{"name": row["name"], "trusted": row.get("trusted", "error" not in row), "error": row.get("error")} for row in rows]
    assert answers == expected


def test_certificates_are_described():
    row = {"name": "x", "bundle": ["not_der", "ca_rsa"], "chain": ["leaf_address"]}
    ca, leaf = answer(row)["certificates"]
    assert ca == {
        "source": "bundle",
        "index": 1,
        "subject": "CN=lab-ca",
        "issuer": "CN=lab-ca",
        "serial": "1",
        "sha256": ca["sha256"],
        "is_ca": True,
        "not_before": "2026-01-01T00:00:00Z",
        "not_after": "2027-12-31T23:59:59Z",
        "days_left": 564.5,
        "dns_names": [],
        "ip_addresses": [],
        "key": "RSA 2048",
        "signature": "SHA256-RSA",
    }
    assert leaf["ip_addresses"] == ["10.96.0.7"]
    assert (leaf["source"], leaf["index"], leaf["key"], leaf["signature"]) == ("chain", 0, "ECDSA P-256", "ECDSA-SHA256")


def test_results_keep_the_order_and_equal_questions_get_equal_answers():
    rows = [TABLE[0], TABLE[1], TABLE[0]]
    results = judge([{**question(row), "name": str(number), "callouts": [f"validating/{number}/x"]} for number, row in enumerate(rows)], _options())
    assert [(result["name"], result["callouts"], result["trusted"]) for result in results] == [
        ("0", ["validating/0/x"], True),
        ("1", ["validating/1/x"], False),
        ("2", ["validating/2/x"], True),
    ]


def test_the_roots_of_the_host_decide_for_an_empty_bundle(tmp_path):
    item = {**question(TABLE[0]), "ca_bundle": ""}
    (tmp_path / "lab.crt").write_text(cast.pem("ca"))
    (tmp_path / "other.crt").write_text(cast.pem("stranger"))
    for roots, trusted in ((tmp_path / "lab.crt", True), (tmp_path, True), (tmp_path / "other.crt", False)):
        result = judge([item], Options(Warn(30, None), 0, str(roots)))[0]
        assert result["trusted"] is trusted
        assert [one["source"] for one in result["certificates"]] == ["chain"], "150 public roots would be noise"
        assert str(roots) in result["problems"][0]["message"]


def test_many_anchors_without_use_are_one_problem():
    strangers = [cast.authority(f"stranger-{number}", "p256-c").pem() for number in range(20)]
    item = {**question(TABLE[0]), "ca_bundle": "".join([cast.pem("ca"), *strangers])}
    assert [(short(one), one["message"]) for one in judge([item], _options())[0]["problems"]] == [
        ("unused", "20 certificates of the bundle take no part in a chain that is accepted")
    ]


def test_a_time_needs_a_zone():
    assert parse_at("1970-01-02T00:00:00+01:00") == 82800
    assert parse_at("1970-01-01T00:00:00.250Z") == 0.25
    for text in ("2026-06-15", "2026-06-15T12:00:00", "now", "2026-13-15T12:00:00Z", ""):
        with pytest.raises(ValueError):
            parse_at(text)


def _options():
    return Options(Warn(30, None), 0, os.devnull)
