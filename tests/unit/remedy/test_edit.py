# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits as JSON patches: what they do, what they depend on, how they are taken back."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.edit import Edit, pointer
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.patching import Changed, MissingLibrary, apply_patch, value_at
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import Reference, Selection
from ansible_collections.kubeops.webhook_doctor.tests.unit.remedy.planning import stored

ROWS = yaml.safe_load((Path(__file__).parent / "edit.yml").read_text(encoding="utf-8"))


def edited(row: dict[str, Any]) -> Edit:
    edit = Edit(row["object"])
    for verb, *arguments in row["edits"]:
        getattr(edit, verb)(*arguments)
    return edit


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_an_edit_and_its_undoing(row: dict[str, Any]) -> None:
    before = copy.deepcopy(row["object"])
    edit = edited(row)
    assert row["object"] == before, "the object itself is not touched"
    assert edit.result == row["result"] and bool(edit) == (not row.get("nothing"))
    assert apply_patch(before, edit.patch) == row["result"]
    assert jsonpatch.apply_patch(before, edit.patch) == row["result"], "it is a JSON patch for everybody"
    assert stored(apply_patch(row["result"], edit.undo)) == before
    assert {path: edit.before.get(path, "?") for path in row.get("before", {})} == row.get("before", {})
    assert {path: edit.after.get(path, "?") for path in row.get("after", {})} == row.get("after", {})


@pytest.mark.parametrize("row", [row for row in ROWS if "theirs" in row], ids=lambda row: row["name"])
def test_an_edit_of_what_somebody_changed(row: dict[str, Any]) -> None:
    edit = edited(row)
    theirs = Edit(row["object"])
    for path, value in row["theirs"].items():
        theirs.set(path, value) if value is not None else theirs.remove(path)
    if "kept" in row:
        assert apply_patch(theirs.result, edit.patch) == row["kept"]
        return
    with pytest.raises(Changed) as caught:
        apply_patch(theirs.result, edit.patch)
    assert caught.value.path == row["refused"] and row["refused"] in str(caught.value)


def test_undoing_overwrites_nobody() -> None:
    edit = Edit({"a": 1, "b": 1})
    edit.set("/a", 2)
    edit.remove("/b")
    for now in ({"a": 3}, {"a": 2, "b": 5}):
        with pytest.raises(Changed):
            apply_patch(now, edit.undo)


def test_what_changed_is_told_in_short() -> None:
    with pytest.raises(Changed) as caught:
        apply_patch({"a": "x" * 500}, [{"op": "test", "path": "/a", "value": None}])
    assert str(caught.value).endswith("...; expected not there") and len(str(caught.value)) < 200
    with pytest.raises(Changed, match="/b/c is not there"):
        apply_patch({}, [{"op": "replace", "path": "/b/c", "value": 1}])


def test_pointers() -> None:
    assert pointer("metadata", "annotations", "example.com/a~b", 0) == "/metadata/annotations/example.com~1a~0b/0"
    document = {"a/b": [{"~": 1}]}
    assert value_at(document, pointer("a/b", 0, "~")) == 1
    assert [value_at(document, path, "?") for path in ("/a~1b/7", "/x/y", "/a~1b/z", "x")] == ["?"] * 4


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy import patching

    monkeypatch.setattr(patching, "jsonpatch", None)
    monkeypatch.setattr(patching, "jsonpointer", None)
    for call in (lambda: apply_patch({}, []), lambda: value_at({}, "/a")):
        with pytest.raises(MissingLibrary, match="pip install"):
            call()


def test_references() -> None:
    item = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n", "uid": "u"}}
    reference = Reference.of(item)
    assert (reference.key, reference.words, reference.group) == ("Deployment/n/d", "Deployment n/d", "apps")
    assert Reference.of(reference.shown()) == reference and Reference.of({**reference.shown(), "uid": "u"}) == reference
    core = Reference("v1", "Namespace", "n")
    assert (core.key, core.words, core.group, core.shown()["namespace"]) == ("Namespace/n", "Namespace n", "", None)
    assert Reference.of({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "namespace": ""}}) == core
    assert Selection("v1", "Pod").shown() == {"api_version": "v1", "kind": "Pod", "namespace": None, "label_selector": None, "fields": None}
