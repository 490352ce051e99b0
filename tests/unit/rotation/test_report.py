# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report, text, metrics and record of what was done."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.instance import Instance
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.lines import report_lines, text_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.metrics import OUTCOMES, metrics
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.record import record
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.report import report, state_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.verdict import Limits, judge
from ansible_collections.kubeops.webhook_doctor.tests.unit.rotation.control_plane import NOW, moment, result
from ansible_collections.kubeops.webhook_doctor.tests.unit.rotation.test_plan import DUE, planned
from ansible_collections.kubeops.webhook_doctor.tests.unit.rotation.test_proof import proof

RUN = "20261120t180000-4f2a91"


def done(host: str, after: dict[str, Any] | None = None) -> dict[str, Any]:
    return {**proof({"after": after or {}}).shown(), "host": host, "seconds": 14.2}


def reported(items: list[dict[str, Any]], given: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return report(planned(given if given is not None else {"hosts": DUE}), items, RUN, moment(NOW), **more)


def outcomes(made: dict[str, Any]) -> dict[str, str]:
    return {one["host"]: one["outcome"] for one in made["instances"]}


def text(made: dict[str, Any]) -> str:
    return "\n".join(line.text for line in report_lines(made, 160, {"report": "x/rotation.json"}))


def test_all_is_done() -> None:
    made = reported([done("cp2"), done("cp1")])
    assert (made["outcome"], outcomes(made)) == ("done", {"cp1": "done", "cp2": "done", "cp3": "fine"})
    assert made["says"] == "restart kube-apiserver: done and proven on cp1, cp2"
    assert "renewed       cp1  certificate until 2026-11-30 18:00 UTC -> 2027-11-20 15:36 UTC, 14 s" in text(made)
    assert "report: x/rotation.json" in text(made)


def test_a_step_that_restarts_another_program_renews_nothing() -> None:
    one = done("cp1")
    made = reported([{**one, "new": {**one["new"], "not_after": one["old"]["not_after"]}}])
    assert "done          cp1  certificate until 2026-11-30 18:00 UTC, as before, 14 s" in text(made) and "renewed" not in text(made)


def test_it_stopped_and_says_where_and_what_was_not_touched() -> None:
    failed = done("cp2", {"ready": {"status": 500, "failed": ["etcd"]}})
    made = reported([failed], failure={"host": "cp2", "says": "it is not ready", "logs": ["E1120 one", "F1120 \x1b[31mtwo"]})
    assert (made["outcome"], outcomes(made)) == ("stopped", {"cp1": "not_touched", "cp2": "failed", "cp3": "fine"})
    assert made["says"] == "stopped at cp2: it is not ready; nothing was done before; not touched: cp1"
    assert "FAILED" in text(made) and "F1120 [31mtwo" in text(made)


def test_a_guard_stopped_it_between_two() -> None:
    made = reported([done("cp2")], failure={"host": None, "says": "window: closed now", "logs": None})
    assert outcomes(made) == {"cp1": "not_touched", "cp2": "done", "cp3": "fine"}
    assert made["says"] == "stopped: window: closed now; done before: cp2; not touched: cp1"


def spared(host: str, days: float = 365) -> dict[str, Any]:
    """What is said of it in its turn, after somebody else has restarted it."""
    return judge(Instance.of(result(host, {"days": days}, moment(NOW))), moment(NOW), Limits()).shown()


def test_one_that_was_renewed_meanwhile_is_told_as_it_is_now() -> None:
    made = reported([done("cp2")], spared=[spared("cp1")])
    assert (made["outcome"], outcomes(made)) == ("done", {"cp1": "fine", "cp2": "done", "cp3": "fine"})
    assert made["says"] == "restart kube-apiserver: done and proven on cp2; not due any more in its turn: cp1"
    (one,) = [one for one in made["instances"] if one["host"] == "cp1"]
    assert (one["old"]["not_after"], one["new"]["not_after"]) == ("2026-12-10T18:00:00Z", "2027-11-20T18:00:00Z")
    assert one["notes"] == ["not due any more in its turn; when this was planned: ends in 20 days, the limit is 30 days"]
    assert "as it is      cp1  ends in 365 days, on 2027-11-20" in text(made)
    assert 'cert_not_after_seconds{cluster="test",host="cp1"} ' + str(int(moment("2027-11-20T18:00:00Z").timestamp())) in metrics(made)


def test_where_none_was_due_any_more_nothing_was_done() -> None:
    made = reported([], spared=[spared("cp1"), spared("cp2")])
    assert (made["outcome"], outcomes(made)) == ("nothing", {"cp1": "fine", "cp2": "fine", "cp3": "fine"})
    assert made["says"] == "nothing was done: not due any more in their turns: cp1, cp2"


def test_what_stopped_it_is_told_beside_one_that_was_renewed_meanwhile() -> None:
    made = reported([], spared=[spared("cp2")], failure={"host": None, "says": "window: closed now", "logs": None})
    assert (made["outcome"], outcomes(made)) == ("stopped", {"cp1": "not_touched", "cp2": "fine", "cp3": "fine"})
    assert made["says"] == "stopped: window: closed now; nothing was done before; not due any more in its turn: cp2; not touched: cp1"


def test_another_role_says_nothing_of_certificates() -> None:
    (one,) = [one for one in reported([], spared=[{"host": "cp1", "state": "fine", "says": "nothing is lacking"}])["instances"] if one["host"] == "cp1"]
    assert (one["outcome"], one["says"], one["new"]) == ("fine", "nothing is lacking", None)


def test_check_mode() -> None:
    made = reported([], check=True)
    assert (made["outcome"], outcomes(made)) == ("preview", {"cp1": "would_be_done", "cp2": "would_be_done", "cp3": "fine"})
    assert made["says"].endswith("check mode: nothing was changed")


@pytest.mark.parametrize(
    ("given", "outcome", "hosts"),
    [
        ({}, "nothing", {"cp1": "fine", "cp2": "fine", "cp3": "fine"}),
        ({"hosts": {**DUE, "cp3": {"unreachable": "away"}}}, "refused", {"cp1": "not_touched", "cp2": "not_touched", "cp3": "unknown"}),
    ],
)
def test_nothing_was_done(given: dict[str, Any], outcome: str, hosts: dict[str, str]) -> None:
    made = reported([], given)
    assert (made["outcome"], outcomes(made)) == (outcome, hosts)


def test_the_text_file_holds_report_and_plan() -> None:
    made = text_of(reported([done("cp2"), done("cp1")]), planned({"hosts": DUE}))
    assert made.index("renewed") < made.index("The plan was:") < made.index("Guards:")


def test_metrics_have_one_sample_for_each_instance_and_outcome() -> None:
    lines = metrics(reported([done("cp2"), done("cp1")], {"hosts": {**DUE, "cp3": {"unreachable": "away"}}})).splitlines()
    samples = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    of = "webhook_doctor_rotation_cert_"
    assert samples[f'{of}not_after_seconds{{cluster="test",host="cp1"}}'] == str(int(moment("2027-11-20T15:36:40Z").timestamp()))
    assert (samples[f'{of}judged{{cluster="test",host="cp1"}}'], samples[f'{of}judged{{cluster="test",host="cp3"}}']) == ("1", "0")
    assert not any("cp3" in name and "not_after" in name for name in samples)
    assert sum(int(value) for name, value in samples.items() if "rotation_outcome" in name) == 1
    assert len(samples) == 2 + 2 + 3 + 1 + len(OUTCOMES)
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families)) == 5


def test_metrics_name_the_cluster_as_the_inventory_does() -> None:
    assert 'webhook_doctor_rotation_outcome{cluster="blue",outcome="done"} 1' in metrics(reported([done("cp2"), done("cp1")]), "blue")


@pytest.mark.parametrize(
    ("given", "check", "state"),
    [
        ({"hosts": DUE}, False, "good"),
        ({"hosts": DUE}, True, "warning"),
        ({"hosts": {}}, False, "good"),
        ({"hosts": {**DUE, "cp3": {"unreachable": "away"}}}, False, "warning"),
        ({"hosts": DUE, "options": {"window": ["Sat 02:00-05:00"]}}, False, "warning"),
    ],
    ids=["done", "preview", "nothing", "one is unknown", "the window is closed"],
)
def test_in_a_summary_of_many_clusters_what_is_not_done_is_a_warning(given: dict[str, Any], check: bool, state: str) -> None:
    assert state_of(reported([], given, check=check)["outcome"], planned(given)) == state


def test_metrics_of_one_that_did_not_come_back_tell_nothing_old() -> None:
    lines = metrics(reported([], failure={"host": "cp2", "says": "it does not come back.", "logs": []})).splitlines()
    assert 'webhook_doctor_rotation_cert_judged{cluster="test",host="cp2"} 0' in lines
    assert not any("not_after" in line and "cp2" in line for line in lines)


def test_names_in_metrics_cannot_break_out() -> None:
    made = reported([])
    made["cluster"] = 'a"b\\c\nd'
    assert all(line.startswith(("#", "webhook_doctor")) for line in metrics(made).splitlines())
    assert r'cluster="a\"b\\c\nd"' in metrics(made)


def test_the_record_keeps_the_hosts_of_earlier_runs() -> None:
    first = record(None, [done("cp1")], "run-1", moment(NOW))
    second = json.loads(record(first, [done("cp2"), done("cp3", {"ready": {"status": 500}})], "run-2", moment(NOW)))
    assert {host: entry["run"] for host, entry in second.items()} == {"cp1": "run-1", "cp2": "run-2"}
    assert second["cp1"]["old_not_after"] == "2026-11-30T18:00:00Z"


def looked(days: float) -> Instance:
    return Instance.of(result("cp1", {"days": days}, moment(NOW)))


@pytest.mark.parametrize(("days", "new"), [(10, None), (365, "2027-11-20T18:00:00Z")])
def test_what_a_dead_run_had_begun_is_filled_in_where_the_certificate_is_a_new_one(days: float, new: str | None) -> None:
    begun = record(None, [], "dead", moment(NOW), begins=looked(10))
    assert json.loads(begun) == {"cp1": {"at": NOW, "run": "dead", "old_not_after": "2026-11-30T18:00:00Z", "new_not_after": None}}
    assert json.loads(record(begun, [], "next", moment(NOW), seen=[looked(days)]))["cp1"] == json.loads(begun)["cp1"] | {"new_not_after": new}


@pytest.mark.parametrize("unreadable", [{"days": 10, "subject": "somebody"}, {"unreachable": "no route to host"}])
def test_what_was_begun_stays_so_where_either_certificate_is_not_known(unreadable: dict[str, Any]) -> None:
    blind = Instance.of(result("cp1", unreadable, moment(NOW)))
    for before, after in ((looked(10), blind), (blind, looked(365))):
        begun = record(None, [], "dead", moment(NOW), begins=before)
        assert record(begun, [], "next", moment(NOW), seen=[after]) == begun


def test_what_is_proven_is_not_filled_in_anew() -> None:
    proven = record(None, [done("cp1")], RUN, moment(NOW))
    assert record(proven, [], "next", moment(NOW), seen=[looked(700)]) == proven


@pytest.mark.parametrize("before", ["", "{", "[]", '{"cp9": 3}'])
def test_a_record_that_cannot_be_read_is_begun_anew(before: str) -> None:
    assert list(json.loads(record(before, [done("cp1")], RUN, moment(NOW)))) == ["cp1"]


def test_a_record_does_not_grow_for_ever() -> None:
    many = None
    for number in range(80):
        many = record(many, [{**done(f"host-{number}"), "at": f"2026-11-20T18:{number % 60:02}:{number // 60:02}Z"}], RUN, moment(NOW))
    assert len(json.loads(str(many))) == 64
