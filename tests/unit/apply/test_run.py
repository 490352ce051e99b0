# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying a plan to a little API server: what holds of it on good days and on bad ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.journal import Journal, read_journal
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.marks import marks_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.run import Locked
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.change import Risk
from ansible_collections.kubeops.webhook_doctor.tests.unit.apply.cluster import Cluster, content
from ansible_collections.kubeops.webhook_doctor.tests.unit.apply.items import (
    HOOK,
    POLICY,
    apply,
    deleted,
    finding,
    hook,
    made_new,
    noted,
    opened,
    patch,
    roll_back,
    run_of,
    shorter,
)

GONE = f"{HOOK}/gone"


def seconds(cluster: Cluster, name: str) -> int:
    return int(cluster.objects[f"{HOOK}/{name}"]["webhooks"][0]["timeoutSeconds"])


@pytest.fixture
def cluster() -> Cluster:
    found = Cluster()
    found.add(hook("a"), hook("b", labels={"app": "b"}, annotations={"of": "b"}), hook("c"), hook("gone"), hook("dead"))
    return found


def whole(cluster: Cluster) -> list[dict[str, Any]]:
    """A plan with everything in it: what opens the way, what waits for it, a wave of two, something made, something deleted."""
    way = opened(cluster, "dead")
    return [
        way,
        shorter(cluster, "a", after_=(way["id"],)),
        shorter(cluster, "b"),
        patch(cluster, "c", lambda edit: edit.set("/metadata/annotations/added", "yes"), risk=Risk.MEDIUM),
        made_new("let-in", risk=Risk.MEDIUM),
        deleted(cluster, "gone"),
    ]


def test_everything_goes_well(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.contents()
    plan = whole(cluster)
    states = apply(cluster, tmp_path, plan)
    assert list(states.values()) == ["put_back", *["unproven"] * 5]
    assert (seconds(cluster, "a"), seconds(cluster, "b"), seconds(cluster, "dead")) == (15, 15, 30)
    assert content(cluster.objects[f"{HOOK}/dead"]) == before[f"{HOOK}/dead"]
    assert GONE not in cluster.objects and f"{POLICY}/system/let-in" in cluster.objects and cluster.holder is None
    assert all(one.state == "taken_back" for one in roll_back(cluster, tmp_path))
    assert cluster.contents() == before


def test_check_mode_writes_nothing_and_asks_for_everything(cluster: Cluster, tmp_path: Path) -> None:
    before = json.dumps(cluster.objects)
    plan = whole(cluster)
    states = apply(cluster, tmp_path, plan, check=True)
    assert set(states.values()) == {"would"} and len(states) == len(plan)
    assert json.dumps(cluster.objects) == before and not cluster.written() and not list(tmp_path.iterdir())
    tried = [name for what, name in cluster.requests if what.startswith("dry ")]
    assert f"{HOOK}/a" not in tried and len(tried) == len(plan) - 1, "what passes only after a temporary change cannot be tried"


def requests_of_a_run(tmp_path: Path) -> int:
    found = Cluster()
    found.add(hook("a"), hook("b", labels={"app": "b"}, annotations={"of": "b"}), hook("c"), hook("gone"), hook("dead"))
    apply(found, tmp_path, whole(found))
    return len(found.requests)


NUMBER = 34  # of requests of a run of `whole`


def test_every_request_is_cut_once(tmp_path: Path) -> None:
    assert requests_of_a_run(tmp_path) == NUMBER


@pytest.mark.parametrize("lost", [False, True], ids=["refused", "answer lost"])
@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("number", range(2, NUMBER + 1))
def test_whatever_request_fails(number: int, for_good: bool, lost: bool, cluster: Cluster, tmp_path: Path) -> None:
    """Each object is changed and says so, or is not and says nothing; the results are true; the next run heals; a rollback brings all back."""
    before = cluster.contents()
    plan = whole(cluster)
    cluster.cut = set(range(number, 1000)) if for_good else {number}
    cluster.lost_answers = lost
    states = apply(cluster, tmp_path, plan)
    cluster.cut = set()
    targets = {item["id"]: "/".join(part for part in (item["target"]["kind"], item["target"]["namespace"], item["target"]["name"]) if part) for item in plan}
    for item in plan:
        name, state = targets[item["id"]], states[item["id"]]
        live = cluster.objects.get(name)
        if item["action"] == "delete":
            changed = live is None
            copies = [one for one in cluster.objects.values() if one["kind"] == "ConfigMap"]
            assert not changed or [json.loads(one["data"]["object.json"])["metadata"]["name"] for one in copies] == ["gone"]
        else:
            marks = [mark.item for mark in marks_of(live)] if live else []
            changed = live is not None and (name not in before or content(live)["webhooks"] != before[name]["webhooks"] or "added" in str(live["metadata"]))
            assert marks == ([item["id"]] if changed else []), "a change without a note, or a note without a change"
        if state in ("stopped", "put_back", "waits"):
            assert not changed, f"{item['id']} is {state}"
        if state in ("unproven", "mended"):
            assert changed, f"{item['id']} is {state}"
    if not for_good and states[plan[0]["id"]] == "put_back":
        assert not noted(cluster, f"{HOOK}/dead")
    following = run_of(cluster, tmp_path, "run-2")
    following.apply([shorter(cluster, "b", 7)])
    assert content(cluster.objects[f"{HOOK}/dead"]) == before[f"{HOOK}/dead"], "what was for a time only is still there"
    assert [one.because for one in roll_back(cluster, tmp_path) if one.state == "refused"] == []
    assert cluster.contents() == before


@pytest.mark.parametrize("number", range(1, NUMBER))
def test_ctrl_c(number: int, cluster: Cluster, tmp_path: Path) -> None:
    """What is for a time only is put back before the program ends, and the lock is given back."""
    before = cluster.contents()
    plan = whole(cluster)

    def watch(what: str, name: str) -> None:
        if len(cluster.requests) == number and not interrupted:
            interrupted.append(what)
            raise KeyboardInterrupt

    interrupted: list[str] = []
    cluster.watch = watch
    with pytest.raises(KeyboardInterrupt):
        apply(cluster, tmp_path, plan)
    if number < NUMBER - 3:  # the last three requests look at it, put it back, and give the lock back
        assert content(cluster.objects[f"{HOOK}/dead"]) == before[f"{HOOK}/dead"]
    assert cluster.holder is None or number == NUMBER - 1
    apply(cluster, tmp_path, [shorter(cluster, "b", 7)], name="run-2")
    assert content(cluster.objects[f"{HOOK}/dead"]) == before[f"{HOOK}/dead"]
    assert [one for one in roll_back(cluster, tmp_path) if one.state == "refused"] == [] and cluster.contents() == before


@pytest.mark.parametrize("number", range(1, 24))
def test_a_journal_that_cannot_be_written_any_more(number: int, cluster: Cluster, tmp_path: Path) -> None:
    """A full disk stops the run, and still nothing stays open that was opened for a time."""

    class FullDisk(Journal):
        written = 0

        def write_all(self, steps: Sequence[Mapping[str, Any]]) -> None:
            self.written += 1
            if self.written >= number:
                self.path = Path("/dev/full")
            super().write_all(steps)

    before = cluster.contents()
    plan = whole(cluster)
    run = run_of(cluster, tmp_path, journal=FullDisk(tmp_path / "run-1.jsonl"))
    states = {result.item["id"]: result.state.value for result in run.apply(plan)}
    assert "No space left on device" in (run.stopped or "")
    assert content(cluster.objects[f"{HOOK}/dead"]) == before[f"{HOOK}/dead"]
    for item in plan[1:]:
        if states[item["id"]] == "stopped" and item["action"] == "patch":
            assert not noted(cluster, f"{HOOK}/{item['target']['name']}")
    roll_back(cluster, tmp_path)
    assert cluster.contents() == before


def test_what_is_sent_was_in_the_journal_before(cluster: Cluster, tmp_path: Path) -> None:
    journal = tmp_path / "run-1.jsonl"
    unannounced = []

    def watch(what: str, name: str) -> None:
        if what in ("put", "create", "delete") and not name.startswith("ConfigMap/"):
            steps = list(read_journal(journal))
            told = [step for step in steps if step["step"] in ("sending", "taking back") and step["target"]["name"] == name.rpartition("/")[2]]
            if not told:
                unannounced.append((what, name))

    cluster.watch = watch
    apply(cluster, tmp_path, whole(cluster))
    assert not unannounced and list(read_journal(journal))[-1]["step"] == "end"
    assert journal.stat().st_mode & 0o777 == 0o600


def test_a_copy_is_there_before_it_is_deleted(cluster: Cluster, tmp_path: Path) -> None:
    def watch(what: str, name: str) -> None:
        if (what, name) == ("delete", GONE):
            copies = [json.loads(one["data"]["object.json"]) for one in cluster.objects.values() if one["kind"] == "ConfigMap"]
            assert [content(one) for one in copies] == [content(cluster.objects[GONE])]

    cluster.watch = watch
    assert apply(cluster, tmp_path, [deleted(cluster, "gone")]) == {f"webhook_timeouts/{GONE}": "unproven"}
    assert ("delete", GONE) in cluster.requests


def test_without_a_copy_nothing_is_deleted_and_others_go_on(cluster: Cluster, tmp_path: Path) -> None:
    cluster.watch = lambda what, name: cluster.forbidden.add(name) if name.startswith("ConfigMap/") else None
    states = apply(cluster, tmp_path, [deleted(cluster, "gone", risk=Risk.LOW), shorter(cluster, "a")])
    assert list(states.values()) == ["failed", "unproven"] and GONE in cluster.objects


def test_what_somebody_changes_is_not_deleted(cluster: Cluster, tmp_path: Path) -> None:
    """The copy is of what was looked at, and so is what is deleted."""
    cluster.faster[GONE] = [lambda item: item["webhooks"][0].update(timeoutSeconds=3)]
    assert apply(cluster, tmp_path, [deleted(cluster, "gone")]) == {f"webhook_timeouts/{GONE}": "refused"}
    assert seconds(cluster, "gone") == 3


def test_somebody_is_faster_with_another_field(cluster: Cluster, tmp_path: Path) -> None:
    cluster.faster[f"{HOOK}/a"] = [lambda item: item["webhooks"][0].update(matchPolicy="Exact"), lambda item: item["metadata"].update(labels={"x": "y"})]
    assert list(apply(cluster, tmp_path, [shorter(cluster, "a"), shorter(cluster, "b")]).values()) == ["unproven", "unproven"]
    live = cluster.objects[f"{HOOK}/a"]
    assert (live["webhooks"][0]["timeoutSeconds"], live["webhooks"][0]["matchPolicy"], live["metadata"]["labels"]["x"]) == (15, "Exact", "y")
    roll_back(cluster, tmp_path)
    assert content(cluster.objects[f"{HOOK}/a"])["metadata"] == {"name": "a", "labels": {"x": "y"}} and seconds(cluster, "a") == 30


def test_somebody_is_faster_with_the_same_field(cluster: Cluster, tmp_path: Path) -> None:
    cluster.faster[f"{HOOK}/a"] = [lambda item: item["webhooks"][0].update(timeoutSeconds=20)]
    run = run_of(cluster, tmp_path)
    (result,) = run.apply([shorter(cluster, "a")])
    assert (result.state.value, seconds(cluster, "a")) == ("refused", 20)
    assert "/webhooks/0/timeoutSeconds is 20; expected 30" in result.because[0]


def test_somebody_changes_it_all_the_time(cluster: Cluster, tmp_path: Path) -> None:
    cluster.faster[f"{HOOK}/a"] = [lambda item, n=n: item["metadata"].update(labels={"n": str(n)}) for n in range(9)]  # type: ignore[misc]
    assert list(apply(cluster, tmp_path, [shorter(cluster, "a")]).values()) == ["refused"]
    assert seconds(cluster, "a") == 30 and not noted(cluster, f"{HOOK}/a")


@pytest.mark.parametrize(
    ("path", "theirs"),
    [("/metadata/annotations/inject", {"inject": "theirs"}), ("/metadata/annotations/inject", {"inject": ""})],
)
def test_what_somebody_added_meanwhile_is_not_overwritten(path: str, theirs: dict[str, str], cluster: Cluster, tmp_path: Path) -> None:
    """The plan was made when nothing was there, so there was nothing to test for."""
    plan = [patch(cluster, "a", lambda edit: edit.set(path, "ours"))]
    cluster.objects[f"{HOOK}/a"]["metadata"]["annotations"] = dict(theirs)
    assert list(apply(cluster, tmp_path, plan).values()) == ["refused"]
    assert cluster.objects[f"{HOOK}/a"]["metadata"]["annotations"] == theirs


def test_others_annotations_of_meanwhile_are_kept(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.contents()
    plan = [patch(cluster, "a", lambda edit: edit.set("/metadata/annotations/inject", "ours"))]
    cluster.objects[f"{HOOK}/a"]["metadata"]["annotations"] = {"other": "theirs"}
    assert list(apply(cluster, tmp_path, plan).values()) == ["unproven"]
    cluster.objects[f"{HOOK}/a"]["metadata"]["annotations"]["later"] = "theirs, too"
    assert [one.state for one in roll_back(cluster, tmp_path)] == ["taken_back"]
    assert content(cluster.objects[f"{HOOK}/a"]) == {
        **before[f"{HOOK}/a"],
        "metadata": {"name": "a", "annotations": {"other": "theirs", "later": "theirs, too"}},
    }


def test_two_changes_of_an_object_that_had_no_annotations(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.contents()
    plan = [
        patch(cluster, "a", lambda edit: edit.set("/metadata/annotations/one", "1"), part="one"),
        patch(cluster, "a", lambda edit: edit.set("/metadata/annotations/two", "2"), part="two"),
    ]
    assert list(apply(cluster, tmp_path, plan).values()) == ["unproven", "unproven"]
    assert len(noted(cluster, f"{HOOK}/a")) == 2
    roll_back(cluster, tmp_path)
    assert cluster.contents() == before


def test_an_object_that_was_made_anew_is_another_one(cluster: Cluster, tmp_path: Path) -> None:
    plan = [shorter(cluster, "a"), deleted(cluster, "gone")]
    for name in (f"{HOOK}/a", GONE):
        cluster.objects[name]["metadata"]["uid"] = "another"
    assert list(apply(cluster, tmp_path, plan).values()) == ["refused", "refused"] and not cluster.written()


def test_what_exists_by_now_is_not_overwritten(cluster: Cluster, tmp_path: Path) -> None:
    theirs = {"apiVersion": "networking.k8s.io/v1", "kind": POLICY, "metadata": {"name": "let-in", "namespace": "system"}, "spec": {"podSelector": {}}}
    cluster.watch = lambda what, name: cluster.add(theirs) if what == "create" and f"{POLICY}/system/let-in" not in cluster.objects else None
    assert list(apply(cluster, tmp_path, [made_new("let-in")]).values()) == ["failed"]
    assert "ingress" not in cluster.objects[f"{POLICY}/system/let-in"]["spec"]


def test_without_the_right_for_one(cluster: Cluster, tmp_path: Path) -> None:
    plan = [shorter(cluster, "a"), shorter(cluster, "b"), shorter(cluster, "c")]
    cluster.forbidden = {f"{HOOK}/b"}
    assert list(apply(cluster, tmp_path, plan).values()) == ["unproven", "forbidden", "unproven"]
    assert not noted(cluster, f"{HOOK}/b")


def test_admission_says_no(cluster: Cluster, tmp_path: Path) -> None:
    cluster.denied = {f"{HOOK}/a"}
    assert list(apply(cluster, tmp_path, [shorter(cluster, "a"), shorter(cluster, "b")]).values()) == ["denied", "unproven"]


def test_what_requires_something_that_failed_waits(cluster: Cluster, tmp_path: Path) -> None:
    first = shorter(cluster, "a")
    second = shorter(cluster, "b", after_=(first["id"],))
    third = shorter(cluster, "c", after_=(second["id"],))
    cluster.denied = {f"{HOOK}/a"}
    assert list(apply(cluster, tmp_path, [first, second, third]).values()) == ["denied", "waits", "waits"]
    assert not cluster.written()


# ---- proof


def judged_by_time(limit: int, *names: str) -> Any:
    """Findings of call-outs whose time-out is above a limit."""

    def judge(objects: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [finding(name, f"long-{name}") for name in names if objects[f"{HOOK}/{name}"]["webhooks"][0]["timeoutSeconds"] > limit]

    return judge


def test_mended_is_what_is_not_found_any_more(cluster: Cluster, tmp_path: Path) -> None:
    cluster.judge = judged_by_time(15, "a", "b")
    before = cluster.judge(cluster.objects)
    plan = [shorter(cluster, name, limit, mends=(f"long-{name}",), patience=9) for name, limit in (("a", 15), ("b", 20))]
    assert list(apply(cluster, tmp_path, plan, before=before).values()) == ["mended", "not_mended"]
    assert 9 <= cluster.time < 15, "it is waited for as long as the item says"


def test_what_made_things_worse_is_undone_and_no_more_is_begun(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.contents()
    cluster.judge = lambda objects: [finding("b", "fails-now")] if objects[f"{HOOK}/b"]["webhooks"][0]["timeoutSeconds"] == 1 else []
    way = opened(cluster, "dead")
    plan = [way, shorter(cluster, "b", 1, after_=(way["id"],)), shorter(cluster, "c", risk=Risk.MEDIUM), made_new("let-in", risk=Risk.MEDIUM)]
    assert list(apply(cluster, tmp_path, plan).values()) == ["put_back", "undone", "stopped", "stopped"]
    assert cluster.contents() == before and cluster.holder is None


def test_harm_is_undone_before_others_have_shown_what_they_do(cluster: Cluster, tmp_path: Path) -> None:
    cluster.judge = lambda objects: [finding("a", "old"), *([finding("b", "new")] if objects[f"{HOOK}/b"]["webhooks"][0]["timeoutSeconds"] == 1 else [])]
    plan = [shorter(cluster, "a", mends=("old",), patience=600), shorter(cluster, "b", 1)]
    assert list(apply(cluster, tmp_path, plan, before=[finding("a", "old")]).values()) == ["not_mended", "undone"]
    assert cluster.time < 30


def test_one_failed_call_is_no_harm(cluster: Cluster, tmp_path: Path) -> None:
    looks = iter([[finding("a", "hiccup")], [finding("a", "hiccup")], []])
    cluster.judge = lambda objects: next(looks)
    assert list(apply(cluster, tmp_path, [shorter(cluster, "a")]).values()) == ["unproven"] and seconds(cluster, "a") == 15


def test_harm_that_cannot_be_undone_is_told(cluster: Cluster, tmp_path: Path) -> None:
    cluster.judge = lambda objects: [finding("a", "new")] if objects[f"{HOOK}/a"]["webhooks"][0]["timeoutSeconds"] == 1 else []
    cluster.watch = lambda what, name: cluster.denied.add(f"{HOOK}/a") if what == "observe" else None
    run = run_of(cluster, tmp_path)
    (result,) = run.apply([shorter(cluster, "a", 1)])
    assert result.state.value == "worse" and "kubeops.webhook_doctor.rollback" in result.because[-1]


# ---- the lock


def test_somebody_else_holds_the_lock(cluster: Cluster, tmp_path: Path) -> None:
    cluster.locked_by = "somebody@elsewhere"
    with pytest.raises(Locked, match="somebody@elsewhere"):
        apply(cluster, tmp_path, whole(cluster))
    assert not cluster.written()


def test_the_lock_is_lost_in_between(cluster: Cluster, tmp_path: Path) -> None:
    """What was for a time only is put back all the same, and what was made is told."""
    before = cluster.contents()

    def watch(what: str, name: str) -> None:
        if (what, name) == ("put", f"{HOOK}/a"):
            cluster.locked_by = "somebody@elsewhere"

    cluster.watch = watch
    states = apply(cluster, tmp_path, whole(cluster))
    assert list(states.values())[:2] == ["put_back", "unproven"] and list(states.values())[-1] == "stopped"
    assert content(cluster.objects[f"{HOOK}/dead"]) == before[f"{HOOK}/dead"]


def test_the_lock_that_cannot_be_given_back_is_told(cluster: Cluster, tmp_path: Path) -> None:
    plan = [shorter(cluster, "a")]
    cluster.watch = lambda what, name: cluster.cut.add(len(cluster.requests) + 1) if what == "unlock" else None
    assert list(apply(cluster, tmp_path, plan).values()) == ["unproven"]
    assert any("the lock could not be given back" in text for text in cluster.said)


def test_nothing_to_do_takes_no_lock(cluster: Cluster, tmp_path: Path) -> None:
    assert apply(cluster, tmp_path, [{**shorter(cluster, "a"), "state": "owned"}]) == {} and not cluster.requests
