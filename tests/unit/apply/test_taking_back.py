# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back: by the marks of objects, by copies, by a journal, and what a killed run has left."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.changing import Changer
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.healing import heal
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.journal import Journal, read_journal
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.marks import ANNOTATION, LABEL
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.port import Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.prepare import settled
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.edit import Edit
from ansible_collections.kubeops.webhook_doctor.tests.unit.apply.cluster import Cluster, content, key
from ansible_collections.kubeops.webhook_doctor.tests.unit.apply.items import (
    HOOK,
    POLICY,
    apply,
    deleted,
    hook,
    item,
    made_new,
    noted,
    opened,
    patch,
    roll_back,
    run_of,
    shorter,
)

A, B = f"{HOOK}/a", f"{HOOK}/b"
LET_IN = f"{POLICY}/system/let-in"


@pytest.fixture
def cluster() -> Cluster:
    found = Cluster()
    found.add(hook("a"), hook("b", labels={"app": "b"}))
    return found


def states(cluster: Cluster, folder: Path, **more: Any) -> dict[str, str]:
    return {f"{one.target['kind']}/{one.target['name']}": one.state for one in roll_back(cluster, folder, **more)}


@pytest.mark.parametrize(
    "name_and_edits",
    [
        ("a", {"set /metadata/annotations/x": "1"}),
        ("a", {"set /metadata/labels/x": "1"}),
        ("b", {"remove /metadata/labels/app": None}),
        ("b", {"set /metadata/labels/app": "c", "set /metadata/annotations/x~1y": "2"}),
        ("a", {"set /webhooks/0/namespaceSelector/matchLabels/x": "y"}),
        ("a", {"remove /webhooks/0/matchPolicy": None, "append /webhooks/0/rules": {"operations": ["CREATE"]}}),
        ("a", {"append /webhooks": {"name": "more.example.com"}, "set /webhooks/1/timeoutSeconds": 5}),
    ],
    ids=str,
)
def test_to_the_letter(name_and_edits: tuple[str, dict[str, Any]], cluster: Cluster, tmp_path: Path) -> None:
    name, edits = name_and_edits
    before = cluster.contents()

    def edit(made: Any) -> None:
        for what, value in edits.items():
            verb, path = what.split(" ")
            made.remove(path) if verb == "remove" else getattr(made, verb)(path, value)

    apply(cluster, tmp_path, [patch(cluster, name, edit)])
    assert cluster.contents() != before
    assert states(cluster, tmp_path) == {f"{HOOK}/{name}": "taken_back"}
    assert cluster.contents() == before
    assert states(cluster, tmp_path) == {}, "twice is once"


def test_check_mode(cluster: Cluster, tmp_path: Path) -> None:
    apply(cluster, tmp_path, [shorter(cluster, "a"), deleted(cluster, "b")])
    before = json.dumps(cluster.objects)
    assert states(cluster, tmp_path, check=True) == {A: "taken_back", B: "taken_back"}
    assert json.dumps(cluster.objects) == before and not (tmp_path / "rollback.jsonl").exists()


def test_only_one_run(cluster: Cluster, tmp_path: Path) -> None:
    apply(cluster, tmp_path, [shorter(cluster, "a", 15)], name="run-1")
    apply(cluster, tmp_path, [patch(cluster, "a", lambda edit: edit.set("/webhooks/0/matchPolicy", "Exact"))], name="run-2")
    assert states(cluster, tmp_path, run="run-1") == {A: "taken_back"}
    entry = cluster.objects[A]["webhooks"][0]
    assert (entry["timeoutSeconds"], entry["matchPolicy"]) == (30, "Exact") and len(noted(cluster, A)) == 1
    assert states(cluster, tmp_path, run="run-7") == {}


def test_an_older_run_whose_field_was_changed_again(cluster: Cluster, tmp_path: Path) -> None:
    """The newest first; the older one alone would overwrite it."""
    before = cluster.contents()
    apply(cluster, tmp_path, [shorter(cluster, "a", 15)], name="run-1")
    apply(cluster, tmp_path, [shorter(cluster, "a", 10)], name="run-2")
    assert states(cluster, tmp_path, run="run-1") == {A: "refused"}
    assert states(cluster, tmp_path) == {A: "taken_back"} and cluster.contents() == before


def test_labels_of_namespaces_before_what_is_created_by_them(cluster: Cluster, tmp_path: Path) -> None:
    """Taking back a restart creates pods, and an injector chooses them by their namespace's labels of that moment."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"mesh": "on"}}}
    web = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": {"metadata": {"labels": {}}}}}
    cluster.add(space, web)
    before = cluster.contents()
    for live, path in ((space, "/metadata/labels/mesh"), (web, "/spec/template/metadata/labels/restarted")):
        made = Edit(cluster.objects[key(live)])
        made.set(path, "changed")
        apply(cluster, tmp_path, [item("patch", cluster.objects[key(live)], edit=made)])
        cluster.sleep(60)
    cluster.requests.clear()
    assert set(states(cluster, tmp_path).values()) == {"taken_back"}
    assert [name for what, name in cluster.written()] == ["Namespace/shop", "Deployment/shop/web"]
    assert cluster.contents() == before


def test_what_was_made_is_deleted_only_as_it_was_made(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.contents()
    apply(cluster, tmp_path, [made_new("let-in")])
    cluster.objects[LET_IN]["spec"]["ingress"] = []
    assert states(cluster, tmp_path) == {f"{POLICY}/let-in": "refused"} and LET_IN in cluster.objects
    cluster.objects[LET_IN]["spec"]["ingress"] = [{}]
    assert states(cluster, tmp_path) == {f"{POLICY}/let-in": "taken_back"} and cluster.contents() == before


def test_what_was_made_and_then_changed_by_us_is_deleted(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.contents()
    apply(cluster, tmp_path, [made_new("let-in")], name="run-1")
    edited = shorter(cluster, "a")
    edit = {**edited, "id": "more", "target": {**made_new("let-in")["target"], "uid": cluster.objects[LET_IN]["metadata"]["uid"]}}
    edit["patch"] = [{"op": "test", "path": "/spec/ingress", "value": [{}]}, {"op": "replace", "path": "/spec/ingress", "value": []}]
    edit["before"], edit["after"] = {"/spec/ingress": [{}]}, {"/spec/ingress": []}
    undo = [{"op": "test", "path": "/spec/ingress", "value": []}, {"op": "replace", "path": "/spec/ingress", "value": [{}]}]
    edit["rollback"] = {"possible": True, "patch": undo, "because": None}
    assert apply(cluster, tmp_path, [edit], name="run-2") == {"more": "unproven"}
    assert states(cluster, tmp_path) == {f"{POLICY}/let-in": "taken_back"} and cluster.contents() == before


def test_changed_and_then_deleted(cluster: Cluster, tmp_path: Path) -> None:
    """The copy comes back with its marks, and is then taken back itself."""
    before = cluster.contents()
    apply(cluster, tmp_path, [shorter(cluster, "a")], name="run-1")
    apply(cluster, tmp_path, [deleted(cluster, "a")], name="run-2")
    assert A not in cluster.objects
    roll_back(cluster, tmp_path)
    assert cluster.contents() == before


def test_a_deleted_object_that_somebody_made_again(cluster: Cluster, tmp_path: Path) -> None:
    apply(cluster, tmp_path, [deleted(cluster, "a")])
    cluster.add(hook("a", 7))
    assert states(cluster, tmp_path) == {A: "nothing"} and cluster.objects[A]["webhooks"][0]["timeoutSeconds"] == 7


def test_a_copy_stays_until_its_object_is_back(cluster: Cluster, tmp_path: Path) -> None:
    apply(cluster, tmp_path, [deleted(cluster, "a")])
    cluster.denied = {A}
    assert states(cluster, tmp_path) == {A: "refused"}
    cluster.denied = set()
    assert states(cluster, tmp_path) == {A: "taken_back"} and not [one for one in cluster.objects if one.startswith("ConfigMap")]


def test_a_copy_that_somebody_edited(cluster: Cluster, tmp_path: Path) -> None:
    apply(cluster, tmp_path, [deleted(cluster, "a")])
    (copy,) = [one for one in cluster.objects.values() if one["kind"] == "ConfigMap"]
    copy["data"]["object.json"] = "{"
    assert list(states(cluster, tmp_path).values()) == ["refused"]


def test_a_conflict_is_looked_at_again(cluster: Cluster, tmp_path: Path) -> None:
    apply(cluster, tmp_path, [shorter(cluster, "a")])
    cluster.faster[A] = [lambda item: item["webhooks"][0].update(matchPolicy="Exact")]
    assert states(cluster, tmp_path) == {A: "taken_back"}
    entry = cluster.objects[A]["webhooks"][0]
    assert (entry["timeoutSeconds"], entry["matchPolicy"]) == (30, "Exact")


@pytest.mark.parametrize(
    "annotation",
    ["{", "7", '["x"]', '[{"run": 1, "item": "x", "at": "y"}]', '[{"run": "r", "item": "x", "at": "y", "undo": [{"op": "move"}]}]', '[{"whatever": 1}]'],
)
def test_an_annotation_that_somebody_edited(annotation: str, cluster: Cluster, tmp_path: Path) -> None:
    apply(cluster, tmp_path, [shorter(cluster, "a"), shorter(cluster, "b")])
    cluster.objects[A]["metadata"]["annotations"][ANNOTATION] = annotation
    assert states(cluster, tmp_path) == {A: "refused", B: "taken_back"}
    assert list(apply(cluster, tmp_path, [shorter(cluster, "a", 7)]).values()) == ["refused"]


@pytest.mark.parametrize("number", range(1, 7))
def test_cut_off_and_begun_again(number: int, cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.contents()
    apply(cluster, tmp_path, [shorter(cluster, "a"), deleted(cluster, "b"), made_new("let-in")])
    cluster.cut, cluster.lost_answers = {len(cluster.requests) + number}, True
    with pytest.raises(Unreachable):
        roll_back(cluster, tmp_path)
    roll_back(cluster, tmp_path)
    assert cluster.contents() == before


def test_kinds_that_may_not_be_read_are_told(cluster: Cluster, tmp_path: Path) -> None:
    apply(cluster, tmp_path, [shorter(cluster, "a")])
    cluster.forbidden = {"read ConfigMap", f"read {POLICY}"}
    done = roll_back(cluster, tmp_path)
    assert [(one.target["kind"], one.state, one.because) for one in done] == [
        ("ConfigMap", "unseen", "ConfigMap is forbidden"),
        (HOOK, "taken_back", None),
        (POLICY, "unseen", f"{POLICY} is forbidden"),
        ("ConfigMap", "unseen", "ConfigMap is forbidden"),
    ]


# ---- by a journal


def without_marks(cluster: Cluster) -> None:
    for stored in cluster.objects.values():
        stored["metadata"].get("annotations", {}).pop(ANNOTATION, None)
        stored["metadata"].get("labels", {}).pop(LABEL, None)


def journaled(cluster: Cluster, tmp_path: Path) -> list[dict[str, Any]]:
    """A run in which somebody was faster once, after which all marks and copies were removed."""
    cluster.faster[A] = [lambda item: item["webhooks"][0].update(matchPolicy="Exact")]
    apply(cluster, tmp_path, [shorter(cluster, "a"), deleted(cluster, "b"), made_new("let-in")])
    without_marks(cluster)
    for name in [name for name in cluster.objects if name.startswith("ConfigMap")]:
        del cluster.objects[name]
    return list(read_journal(tmp_path / "run-1.jsonl"))


def test_by_a_journal_alone(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.contents()
    journal = journaled(cluster, tmp_path)
    assert states(cluster, tmp_path) == {}
    done = roll_back(cluster, tmp_path, journal=journal)
    assert [(one.target["name"], one.state) for one in done] == [("let-in", "refused"), ("b", "taken_back"), ("a", "taken_back")]
    assert content(cluster.objects[B]) == before[B] and cluster.objects[A]["webhooks"][0]["timeoutSeconds"] == 30
    assert "by hand" in str(done[0].because)


def test_by_a_journal_what_cannot_be_read_is_not_called_gone(cluster: Cluster, tmp_path: Path) -> None:
    journal = journaled(cluster, tmp_path)
    cluster.forbidden = {f"read {A}"}
    assert {one.target["name"]: one.state for one in roll_back(cluster, tmp_path, journal=journal)}["a"] == "refused"


def test_a_journal_and_marks_together(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.contents()
    apply(cluster, tmp_path, [shorter(cluster, "a"), shorter(cluster, "b")])
    journal = list(read_journal(tmp_path / "run-1.jsonl"))
    assert [one.state for one in roll_back(cluster, tmp_path, journal=journal)] == ["taken_back"] * 2 and cluster.contents() == before


# ---- healing


def test_what_a_killed_run_left_open(cluster: Cluster, tmp_path: Path) -> None:
    """Only what was for a time is taken back; what was changed for good stays."""
    before = cluster.contents()
    run = run_of(cluster, tmp_path, "killed")
    changer = run.changer
    ready, _refused = changer.tried([opened(cluster, "a"), shorter(cluster, "b")])
    changer.made(ready)
    other = Changer(cluster, Journal(None), "later")
    assert heal(cluster, other) == [(f"{HOOK} a", None)]
    assert content(cluster.objects[A]) == before[A] and cluster.objects[B]["webhooks"][0]["timeoutSeconds"] == 15
    assert heal(cluster, other) == []


def test_what_a_killed_run_left_open_is_taken_back_where_nothing_else_is_to_be_done(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.contents()
    changer = run_of(cluster, tmp_path, "killed").changer
    changer.made(changer.tried([opened(cluster, "a")])[0])
    cluster.locked_by = "a run that goes on"
    going_on = run_of(cluster, tmp_path, "during")
    assert (going_on.apply([]), going_on.healed, noted(cluster, A) != []) == ([], False, True), "the way that a run has opened is its own"
    cluster.locked_by = None
    later = run_of(cluster, tmp_path, "later")
    assert (later.apply([]), later.healed, cluster.contents()) == ([], True, before)
    again = run_of(cluster, tmp_path, "again")
    assert (again.apply([]), again.healed) == ([], False)


def test_a_plan_is_for_what_is_there_once_the_way_around_is_closed(cluster: Cluster, tmp_path: Path) -> None:
    """The bypass of a run that was killed is planned anew, with the object as it is without it; also a preview passes."""
    before = cluster.contents()
    changer = run_of(cluster, tmp_path, "killed").changer
    changer.made(changer.tried([opened(cluster, "a")])[0])
    live = cluster.objects[A]
    assert content(dict(settled(live))) == before[A] and settled(live, "killed") is live
    cluster.objects[A] = dict(settled(live))
    plan = [opened(cluster, "a")]
    cluster.objects[A] = live
    assert list(apply(cluster, tmp_path, plan, name="preview", check=True).values()) == ["would"]
    assert list(apply(cluster, tmp_path, plan, name="next").values()) == ["put_back"] and cluster.contents() == before
    live = copy.deepcopy(live)
    live["webhooks"][0]["failurePolicy"] = "Fail"  # somebody did it by hand
    assert settled(live) is live


def test_what_cannot_be_healed_is_told_and_does_not_stop_the_run(cluster: Cluster, tmp_path: Path) -> None:
    changer = Changer(cluster, Journal(None), "killed")
    ready, _refused = changer.tried([opened(cluster, "a")])
    changer.made(ready)
    cluster.objects[A]["webhooks"][0]["failurePolicy"] = "Fail"  # somebody did it by hand
    assert list(apply(cluster, tmp_path, [shorter(cluster, "b")]).values()) == ["unproven"]
    assert any("is still there: somebody changed it since" in text for text in cluster.said)
