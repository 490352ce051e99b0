# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Order, plan and the guards once more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.lines import plan_lines
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.options import InvalidOptions
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.order import through, turns
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.plan import again, plan, read_verdicts
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.verdict import Limits, Verdict, judge
from ansible_collections.kubeops.webhook_doctor.tests.unit.rotation.control_plane import over, situation

ROWS = yaml.safe_load((Path(__file__).parent / "orders.yml").read_text(encoding="utf-8"))["rows"]
DUE = {"cp1": {"days": 20}, "cp2": {"days": 10}}
WHAT = "restart kube-apiserver"
EXTERNAL = {"type": "ExternalIP", "address": "192.0.2.2"}


def verdicts(given: dict[str, Any], **limits: float) -> list[Verdict]:
    seen = situation(given)
    return [judge(one, seen.now, Limits(**limits)) for one in seen.instances]


def planned(given: dict[str, Any]) -> dict[str, Any]:
    return plan(verdicts(given), situation(given), WHAT)


def shown(made: dict[str, Any]) -> str:
    return "\n".join(line.text for line in plan_lines(made, 160))


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_an_order_and_its_twin(row: dict[str, Any]) -> None:
    found = turns(verdicts(row["given"]), situation(row["given"]))
    assert [turn.host for turn in found] == row["order"]
    if "last" in row:
        assert {turn.host: turn.last[0] for turn in found if turn.last} == row["last"]
    twin = over(row["given"], row["but"])
    assert [turn.host for turn in turns(verdicts(twin), situation(twin))] == row["otherwise"]


def test_who_is_due_and_in_which_order() -> None:
    made = planned({"hosts": DUE})
    assert (made["outcome"], made["next"], [turn["host"] for turn in made["order"]]) == ("go", "cp2", ["cp2", "cp1"])
    assert made["says"] == "2 of 3 API servers due: restart kube-apiserver, one at a time"
    assert made["baseline"] == [] and made["stops"] == [] and made["unknown"] == []


def test_nothing_is_due() -> None:
    made = planned({})
    assert (made["outcome"], made["next"], made["says"]) == ("nothing", None, "nothing to do: none of 3 API servers is due")
    assert "nothing" in shown(made).lower()


def test_a_guard_that_does_not_let_it() -> None:
    made = planned({"hosts": {**DUE, "cp3": {"unreachable": "No route to host"}}})
    assert (made["outcome"], made["unknown"]) == ("refused", ["cp3"])
    assert made["says"] == "2 of 3 API servers due: restart kube-apiserver, but known, peers do not let it; cp3 cannot be judged"
    assert [line.split(" ")[0].rstrip(":") for line in made["stops"]] == ["known", "peers"]


def test_a_window_that_is_closed_is_waited_for_unless_something_else_is_in_the_way() -> None:
    closed = {"hosts": DUE, "options": {"window": "20:00-22:00"}}
    assert planned(closed)["outcome"] == "waiting"
    assert planned({**closed, "nodes": {"cp3": {"spec": {"unschedulable": True}}}})["outcome"] == "refused"


def test_what_blocks_stops_nothing_where_nothing_is_due() -> None:
    made = planned({"nodes": {"cp1": {"spec": {"unschedulable": True}}}})
    assert made["outcome"] == "nothing" and [line.split(" ")[0] for line in made["stops"]] == ["nodes"]


def test_the_guards_are_those_of_the_first_one() -> None:
    sick = {**DUE, "cp2": {"days": 10, "ready": {"status": 500, "failed": ["etcd"]}}}
    assert planned({"hosts": sick})["outcome"] == "go", "the one that is not ready is the first"
    later = again(situation({"hosts": sick, "target": "cp1", "baseline": []}))
    assert (later["go"], later["stops"][0].split(":")[0]) == (False, "peers (cp2 (10.0.0.2")


def test_once_more_it_is_asked_against_the_beginning() -> None:
    good = again(situation({"target": "cp1", "baseline": ["v1beta1.metrics.k8s.io"], "unavailable": ["v1beta1.metrics.k8s.io"]}))
    bad = again(situation({"target": "cp1", "baseline": [], "unavailable": ["v1beta1.metrics.k8s.io"]}))
    assert (good["go"], bad["go"], bad["stops"][0].split(":")[0]) == (True, False, "aggregated_apis")


@pytest.mark.parametrize(
    ("given", "target", "url"),
    [
        ({}, "cp1", "https://10.0.0.2:6443"),
        ({}, "cp2", "https://10.0.0.1:6443"),
        ({"hosts": {"cp2": {"ready": {"status": 500}}}}, "cp1", "https://10.0.0.3:6443"),
        ({"servers": ["fd00::3"], "hosts": {"cp3": {"addresses": ["fd00::3"]}}}, "cp1", "https://[fd00::3]:6443"),
        (
            {"servers": ["192.0.2.2"], "nodes": {"cp2": {"status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.2"}, EXTERNAL]}}}},
            "cp1",
            "https://192.0.2.2:6443",
        ),
        ({"servers": ["192.0.2.2"]}, "cp1", None),
        ({"hosts": {"cp2": {"gone": True}, "cp3": {"gone": True}}}, "cp1", None),
    ],
)
def test_through_whom_the_api_is_asked_meanwhile(given: dict[str, Any], target: str, url: str | None) -> None:
    assert through(situation(given), target) == url


def test_the_plan_says_who_when_and_why() -> None:
    text = shown(planned({"hosts": DUE, "leases": {"kube-controller-manager": "cp2_x"}, "options": {"window": "17:00-20:00"}}))
    assert "1.  cp1  ends in 20 days, the limit is 30 days" in text
    assert "2.  cp2  ends in 10 days, the limit is 30 days; this late because its kube-controller-manager leads" in text
    assert "cp3  ends in 100 days, on 2027-02-28" in text
    assert "When: now, until 2026-11-20 20:00 UTC" in text
    assert "ok       etcd            3 of 3 members healthy, quorum is 2" in text


def test_the_plan_says_what_is_in_the_way() -> None:
    text = shown(planned({"hosts": DUE, "options": {"window": "20:00-22:00"}, "nodes": {"cp3": {"spec": {"unschedulable": True}}}}))
    assert "STOP     nodes           node cp3: is cordoned" in text
    assert "STOP     window          closed now (Fri 2026-11-20 18:00 UTC); it opens Fri 2026-11-20 20:00 UTC" in text
    assert "When: from 2026-11-20 20:00 UTC on" in text


def test_another_role_may_say_who_is_due() -> None:
    seen = situation({})
    told = read_verdicts(
        [{"host": "cp2", "state": "due", "says": "its manifest has a proxy"}, {"host": "cp1", "state": "fine", "says": "as it should be"}], seen.instances
    )
    made = plan(told, seen, "edit the manifest")
    assert (made["outcome"], made["next"], made["instances"][0]["not_after"]) == ("go", "cp2", None)


def test_what_is_shown_of_a_verdict_is_read_again_as_it_was() -> None:
    seen = situation({"hosts": {**DUE, "cp3": {"days": -1}}})
    told = [one.shown() for one in verdicts({"hosts": {**DUE, "cp3": {"days": -1}}})]
    assert [one.shown() for one in read_verdicts(told, seen.instances)] == told


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"state": "due"}, "a verdict is not understood"),
        ({"host": "cp1", "state": "maybe"}, "'maybe' is not a valid State"),
        ({"host": "worker-1", "state": "due"}, "about worker-1 is about no control-plane host. Expected one of: cp1, cp2, cp3"),
    ],
)
def test_verdicts_that_cannot_be(item: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOptions, match=said):
        read_verdicts([item], situation({}).instances)
