# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be taken back: told from the plan to the rollback, which leaves it as it is. And what an item has to answer for."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.changing import Changer
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.journal import Journal
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.marks import marks_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.outcome import Effect, look
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.port import Sent
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.prepare import prepared
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.rollback import DONE, NOTHING, Rollback, Undone

TARGET = {"api_version": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "namespace": None, "name": "hooks.example.com"}
LIVE = {"apiVersion": TARGET["api_version"], "kind": TARGET["kind"], "metadata": {"name": TARGET["name"], "resourceVersion": "1"}, "spec": {"a": "garbage"}}
PATCH = [{"op": "test", "path": "/spec/a", "value": "garbage"}, {"op": "replace", "path": "/spec/a", "value": "good"}]
UNDO = [{"op": "test", "path": "/spec/a", "value": "good"}, {"op": "replace", "path": "/spec/a", "value": "garbage"}]
BECAUSE = "the API server does not take it back"


def item(possible: bool) -> dict[str, Any]:
    rollback = {"possible": possible, "patch": UNDO if possible else [], "because": None if possible else BECAUSE}
    return {"id": "mended", "action": "patch", "target": TARGET, "targets": [], "patch": PATCH, "temporary": False, "rollback": rollback}


class Store:
    """A cluster of one object."""

    def __init__(self, live: Mapping[str, Any]) -> None:
        self.live = copy.deepcopy(dict(live))

    def now(self) -> str:
        return "2026-11-20T18:00:00Z"

    def read(self, references: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [{"error": None, "reason": None, "objects": [self.live] if one["kind"] == TARGET["kind"] else []} for one in references]

    def put(self, contents: Sequence[dict[str, Any]], dry_run: bool) -> list[Sent]:
        (self.live,) = contents
        return [Sent(True)]


def back(store: Store, folder: Path, journal: Sequence[Mapping[str, Any]] = ()) -> list[Undone]:
    return Rollback(store, Changer(store, Journal(folder / "back.jsonl"), "back"), "kube-system").take_back(journal)  # type: ignore[arg-type]


@pytest.mark.parametrize(("possible", "state", "value"), [(True, DONE, "garbage"), (False, NOTHING, "good")], ids=["can be taken back", "cannot"])
def test_by_the_annotation(possible: bool, state: str, value: str, tmp_path: Path) -> None:
    sending = prepared(item(possible), LIVE, "run", "2026-11-20T18:00:00Z")
    assert sending.content
    store = Store(sending.content)
    (undone,) = back(store, tmp_path)
    assert (undone.state, store.live["spec"]["a"]) == (state, value)
    assert not marks_of(store.live)
    assert possible or "cannot be taken back" in str(undone.because)
    assert back(store, tmp_path) == []


def test_by_the_journal_alone(tmp_path: Path) -> None:
    store = Store({**LIVE, "spec": {"a": "good"}})
    sending = {"step": "sending", "item": "mended", "target": TARGET, "undo": [], "backup": None, "irreversible": BECAUSE}
    (undone,) = back(store, tmp_path, [sending, {"step": "sent", "item": "mended"}])
    assert undone.state == NOTHING and BECAUSE in str(undone.because) and store.live["spec"]["a"] == "good"


def finding(*callouts: str) -> dict[str, Any]:
    return {"code": "WD101", "severity": "error", "cause": "service_not_found", "fingerprint": "f", "affects": list(callouts)}


@pytest.mark.parametrize(("left", "effect"), [(["theirs"], Effect.MENDED), (["mine", "theirs"], Effect.NOT_MENDED)], ids=["of others", "of its own"])
def test_a_finding_about_several_objects(left: list[str], effect: Effect) -> None:
    """Each item answers for its own call-outs: that of another object is mended by another item, later."""
    about = {"subject": {"kind": "Service", "namespace": "a", "name": "b"}, "title": "t", "evidence": []}
    verify = {"callouts": ["mine"], "fingerprints": ["f"]}
    assert look({"verify": verify}, [finding("mine", "theirs")], [{**finding(*left), **about}]).effect is effect
