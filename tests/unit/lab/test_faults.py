# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults are data: what is in tests/lab/faults is sound, and what is not is refused with the name of the key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from doctorlab import faults, paths
from doctorlab.errors import LabError
from doctorlab.faults import Expected, Fault, Make

NOTHING = {"endpoint_routing": [], "cluster_ip_routing": []}
REFUSED = {"endpoint_routing": ["WD201", "connection_refused"], "cluster_ip_routing": ["WD201", "connection_refused"]}


def item(**changes: Any) -> dict[str, Any]:
    return {"name": "example", "summary": "An example.", "make": {}, "expect": REFUSED, **changes}


@pytest.fixture(scope="module")
def all_faults() -> list[Fault]:
    return faults.load(paths.FAULTS)


def test_every_fault_has_a_healthy_twin_and_differs_from_it(all_faults: list[Fault]) -> None:
    for fault in all_faults:
        if any(expected.code for expected in fault.expect.values()):
            assert fault.twin is not None, fault.name
            assert fault.twin != fault.make, fault.name
        else:
            assert fault.twin is None, fault.name


def test_twins_are_healthy(all_faults: list[Fault]) -> None:
    for fault in all_faults:
        if fault.twin:
            healthy = Make(call_out=fault.twin.call_out, events=fault.twin.events, policy="admits" if fault.twin.policy == "admits" else None)
            assert fault.twin == healthy, fault.name
            assert fault.twin.call_out.ca_bundle == ["ca"], fault.name


def test_what_fails_open_is_a_warning(all_faults: list[Fault]) -> None:
    open_ones = [fault for fault in all_faults if fault.make.call_out.failure_policy == "Ignore" and any(expected.code for expected in fault.expect.values())]
    assert len(open_ones) >= 10
    assert {fault.severity for fault in open_ones} == {"warning"}


def test_causes_are_words_of_the_vocabulary(all_faults: list[Fault]) -> None:
    vocabulary = pytest.importorskip("ansible_collections.kubeops.webhook_doctor.plugins.module_utils._vocabulary")
    causes = {expected.cause for fault in all_faults for expected in fault.expect.values() if expected.cause}
    assert causes <= vocabulary.CAUSES


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"make": {"pods": {"readyy": 0}}}, "make.pods: unknown keys readyy"),
        ({"make": {"pods": {"ready": 3}}}, "ready and listening lie between 0 and count"),
        ({"make": {"pods": {"ready": "none"}}}, "make.pods.ready: 'none' is not"),
        ({"make": {"pods": {"ready": True}}}, "make.pods.ready: True is not"),
        ({"make": {"packet_filter": "reject"}}, "make.packet_filter: 'reject' is none of"),
        ({"make": {"server": {"accept": "drop"}}}, "make.server.accept: 'drop' is none of"),
        ({"make": {"call_out": {"ca_bundle": ["mine"]}}}, "unknown authorities mine"),
        ({"make": {"call_out": {"rules": [{"resource": "pods"}]}}}, "make.call_out.rules[0]: unknown keys resource"),
        ({"expect": {"endpoint_routing": []}}, "expected the keys endpoint_routing and cluster_ip_routing"),
        ({"expect": {**REFUSED, "cluster_ip_routing": ["connection_refused"]}}, "expect.cluster_ip_routing: expected [] or [code, cause]"),
        ({"severity": "fatal"}, "severity: 'fatal' is none of"),
        ({"mend": None}, "expected a mapping with name, summary"),
        ({"make": {"call_out": {"kind": "conversion"}}, "fail_open_too": True}, "only admission webhooks have a failurePolicy"),
    ],
)
def test_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        list(faults.parse(item(**changes), "family"))


def test_the_same_without_the_mistake_is_accepted() -> None:
    (fault,) = faults.parse(item(make={"pods": {"ready": 0}}), "family")
    assert fault.make.pods.ready == 0
    assert fault.expect == {"endpoint": Expected("WD201", "connection_refused"), "cluster_ip": Expected("WD201", "connection_refused")}


def test_nothing_to_find_needs_no_twin() -> None:
    (fault,) = faults.parse(item(expect=NOTHING), "family")
    assert fault.twin is None


def test_the_twin_may_say_more() -> None:
    given = item(make={"call_out": {"kind": "mutating", "entries": 4}}, twin={"call_out": {"timeout_seconds": 5}})
    (fault,) = faults.parse(given, "family")
    assert fault.twin is not None
    assert (fault.twin.call_out.kind, fault.twin.call_out.entries, fault.twin.call_out.timeout_seconds) == ("mutating", 4, 5)


def test_fail_open_variant() -> None:
    closed, opened = faults.parse(item(fail_open_too=True), "family")
    assert (closed.make.call_out.failure_policy, opened.make.call_out.failure_policy) == ("Fail", "Ignore")
    assert (opened.name, opened.severity, opened.expect) == ("example-fail-open", "warning", closed.expect)
    assert opened.twin is not None
    assert opened.twin.call_out.failure_policy == "Ignore"


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(yaml.safe_dump([item()]), encoding="utf-8")
    (tmp_path / "b.yml").write_text(yaml.safe_dump([item()]), encoding="utf-8")
    with pytest.raises(LabError, match="more than one fault is called example"):
        faults.load(tmp_path)


def test_a_mistake_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(yaml.safe_dump([item(make={"x": 1})]), encoding="utf-8")
    with pytest.raises(LabError, match=r"a\.yml: example: make: unknown keys x"):
        faults.load(tmp_path)


@pytest.mark.parametrize(("wanted", "count"), [("none", 0), ("syn-dropped", 1), ("syn-dropped, no-route", 2), ("conversion", 6)])
def test_select(all_faults: list[Fault], wanted: str, count: int) -> None:
    assert len(faults.select(all_faults, wanted)) == count


def test_select_all(all_faults: list[Fault]) -> None:
    assert faults.select(all_faults, "all") == all_faults


def test_select_unknown(all_faults: list[Fault]) -> None:
    with pytest.raises(LabError, match="is called sin-dropped"):
        faults.select(all_faults, "syn-dropped,sin-dropped")
