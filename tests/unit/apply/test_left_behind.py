# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks, copies and the journal: what is left behind, and what is read of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.backups import Backups, NotKept, kept
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.journal import Journal, NotRead, NotWritten, read_journal
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.marks import (
    ANNOTATION,
    LABEL,
    Mark,
    TooLong,
    Unreadable,
    digest,
    marked,
    marks_of,
    unmarked,
)
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.prepare import Refused, backup_of, prepared
from ansible_collections.kubeops.webhook_doctor.tests.unit.apply.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.tests.unit.apply.items import deleted, hook, made_new, network_policy, shorter

ONE = Mark("run-1", "item-1", "2026-11-20T18:00:00Z", False, [{"op": "remove", "path": "/x"}])
TWO = Mark("run-2", "item-2", "2026-11-20T18:01:00Z", True, None, "abc")


def test_marks_there_and_back() -> None:
    item = hook("a", labels={"x": "y"})
    shown = marked(item, [ONE, TWO])
    assert marks_of(shown) == [ONE, TWO] and shown["metadata"]["labels"] == {"x": "y", LABEL: "true"}
    assert marked(shown, []) == item and marks_of(item) == [] and "annotations" not in item["metadata"]
    assert marked(marked(hook("b"), [ONE]), []) == hook("b")


def test_unmarked_keeps_what_was_emptied() -> None:
    assert unmarked(marked(hook("a", annotations={}), [ONE]))["metadata"] == {"name": "a", "annotations": {}, "labels": {}}


def test_a_mark_that_is_too_long() -> None:
    long = Mark("r", "i", "t", False, [{"op": "add", "path": "/x", "value": "y" * 200_000}])
    with pytest.raises(TooLong, match="256 KiB"):
        marked(hook("a"), [long])
    cluster = Cluster()
    cluster.add(hook("a"))
    item = shorter(cluster, "a")
    item["rollback"]["patch"] = list(long.undo or ())
    with pytest.raises(Refused, match=r"kubeops\.webhook_doctor\.rollback"):
        prepared(item, cluster.objects["ValidatingWebhookConfiguration/a"], "r", "t")


def test_a_mark_that_cannot_be_read() -> None:
    with pytest.raises(Unreadable, match=ANNOTATION):
        marks_of(hook("a", annotations={ANNOTATION: "nonsense"}))


def test_the_digest_is_of_what_an_object_says() -> None:
    item = network_policy("a")
    assert digest(item) == digest({**item, "metadata": {"name": "other"}, "status": {"x": 1}})
    assert digest(item) != digest({**item, "spec": {"podSelector": {"matchLabels": {"a": "b"}}}})


def test_what_is_prepared() -> None:
    cluster = Cluster()
    cluster.add(hook("a"))
    live = cluster.objects["ValidatingWebhookConfiguration/a"]
    sending = prepared(shorter(cluster, "a"), live, "run-1", "now")
    assert sending.content and sending.content["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"] and sending.backup is None
    gone = prepared(deleted(cluster, "a"), live, "run-1", "now")
    (pinned,) = gone.pinned
    assert gone.content is None and (pinned["uid"], pinned["resource_version"]) == (live["metadata"]["uid"], live["metadata"]["resourceVersion"])
    for item, found, words in ((made_new("x"), network_policy("x"), "exists by now"), (shorter(cluster, "a"), None, "does not exist any more")):
        with pytest.raises(Refused, match=words):
            prepared(item, found, "run-1", "now")


def test_a_copy_is_whole_but_for_what_the_api_server_counts() -> None:
    live = {**network_policy("a"), "status": {"x": 1}}
    live["metadata"] = {**live["metadata"], "labels": {"a": "b"}, "uid": "1", "resourceVersion": "2", "managedFields": [], "ownerReferences": [{"name": "o"}]}
    copy = backup_of(live)
    assert copy and copy["metadata"] == {"name": "a", "namespace": "system", "labels": {"a": "b"}, "ownerReferences": [{"name": "o"}]}
    assert copy["spec"] == live["spec"] and "status" not in copy
    assert backup_of({"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "b"}}) is None


# ---- copies


def role(namespace: str, name: str, api_version: str = "rbac.authorization.k8s.io/v1") -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": "Role", "metadata": {"name": name, "namespace": namespace}}


def test_copies_do_not_take_each_others_place() -> None:
    """Of objects whose names read the same, and of names that a ConfigMap cannot have."""
    cluster, backups = Cluster(), Backups("kube-system")
    items = [role("a", "b-c"), role("a-b", "c"), role("a", "b-c", "example.com/v1"), role("a", "system:b"), role("a", "x" * 253), role("b", "x" * 253)]
    for item in items:
        backups.keep(cluster, "20261120t180000-4f2a91", item)
    copies = [one for one in cluster.objects.values() if one["kind"] == "ConfigMap"]
    assert [kept(one) for one in copies] == [("20261120t180000-4f2a91", item) for item in items]
    for one in copies:
        name = one["metadata"]["name"]
        assert len(name) <= 253 and re.fullmatch("[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name)


def test_a_copy_that_does_not_fit() -> None:
    with pytest.raises(NotKept, match="1 MiB"):
        Backups("kube-system").keep(Cluster(), "r", {**role("a", "b"), "rules": ["x" * 1_000_000]})


@pytest.mark.parametrize("data", [None, {}, {"object.json": "{"}, {"object.json": "[]"}, {"object.json": '{"kind": "x"}'}])
def test_a_copy_that_cannot_be_read(data: Any) -> None:
    assert kept({"metadata": {"labels": {"webhook-doctor.kubeops.io/run": "r"}}, "data": data}) is None


# ---- journal


def test_a_journal_there_and_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "run.jsonl")
    journal.write("one", "now", a=1)
    journal.write("two", "later")
    assert list(read_journal(tmp_path / "deep" / "run.jsonl")) == [{"step": "one", "at": "now", "a": 1}, {"step": "two", "at": "later"}]
    Journal(None).write("nothing", "now")


def test_a_journal_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"step":"one"}\n{"step":"tw', encoding="utf-8")
    assert [step["step"] for step in read_journal(path)] == ["one"]


@pytest.mark.parametrize(
    ("text", "words"), [('{"step":"one"}\n{"st\n{"step":"two"}\n', "damaged in line 2"), ("[]\n", "is no journal"), ('{"a":1}\n', "is no journal")]
)
def test_a_journal_that_is_none(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NotRead, match=words):
        list(read_journal(path))
    with pytest.raises(NotRead, match="cannot be read"):
        list(read_journal(tmp_path / "missing"))


def test_a_journal_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for path in (tmp_path / "file" / "run.jsonl", Path("/dev/full")):
        with pytest.raises(NotWritten, match="webhook_doctor_journal_dir"):
            Journal(path).write("one", "now")


def test_a_mark_is_what_is_documented() -> None:
    assert json.loads(marked(hook("a"), [ONE])["metadata"]["annotations"][ANNOTATION]) == [
        {"run": "run-1", "item": "item-1", "at": "2026-11-20T18:00:00Z", "temporary": False, "undo": [{"op": "remove", "path": "/x"}], "created": None}
    ]
