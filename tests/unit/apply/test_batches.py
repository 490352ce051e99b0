# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deleting many objects as one change: each in the state in which it was read only, and one that cannot go does not keep the others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.changing import Changer
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.journal import Journal
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.port import Sent
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.result import State

KIND = {"api_version": "cert-manager.io/v1", "kind": "CertificateRequest", "namespace": "apps"}
CHANGED = Sent(False, "the object has been modified", conflict=True)
FORBIDDEN = Sent(False, 'certificaterequests "r" is forbidden: User "u" cannot delete', forbidden=True)


class Store:
    """A cluster that answers as it is told, and keeps what it was asked."""

    def __init__(self, answers: Mapping[str, Sent]) -> None:
        self.answers, self.asked = answers, list[tuple[str, str | None, str | None, bool]]()

    def now(self) -> str:
        return "2026-11-20T18:00:00Z"

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing is to be waited for")

    def read(self, references: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        raise AssertionError("what the plan was made from decides")

    def delete(self, targets: Sequence[Mapping[str, Any]], dry_run: bool) -> list[Sent]:
        self.asked += [(one["name"], one["uid"], one["resource_version"], dry_run) for one in targets]
        return [self.answers.get(one["name"], Sent(True)) for one in targets]


def item(*names: str) -> dict[str, Any]:
    targets = [{**KIND, "name": name, "uid": f"uid-{name}", "resource_version": f"v{name}"} for name in names]
    target = {key: value for key, value in targets[0].items() if key != "resource_version"}
    return {
        "id": "batch",
        "remedy": "certificate_requests",
        "action": "delete",
        "target": target,
        "targets": targets,
        "rollback": {"possible": False, "patch": [], "because": "records"},
    }


@pytest.mark.parametrize(
    ("answers", "state", "words"),
    [
        ({}, None, ""),
        ({"b": CHANGED}, None, ""),
        ({"a": CHANGED, "b": CHANGED, "c": CHANGED}, State.FAILED, "all 3 objects have changed"),
        ({"b": FORBIDDEN}, State.FORBIDDEN, "cannot delete (2 of 3 went through)"),
    ],
    ids=["all", "one changed meanwhile", "all changed meanwhile", "no right"],
)
def test_what_becomes_of_a_batch(answers: Mapping[str, Sent], state: State | None, words: str, tmp_path: Path) -> None:
    store = Store(answers)
    changer = Changer(store, Journal(tmp_path / "journal"), "run")  # type: ignore[arg-type]
    ready, refused = changer.tried([item("a", "b", "c")])
    assert store.asked == [(name, f"uid-{name}", f"v{name}", True) for name in "abc"]
    if state:
        assert (ready, [result.state for result in refused]) == ([], [state])
        assert words in refused[0].because[0]
        return
    made, failed = changer.made(ready)
    assert (len(made), failed) == (1, [])
    assert store.asked[3:] == [(name, f"uid-{name}", f"v{name}", False) for name in "abc"]
    line = json.loads((tmp_path / "journal").read_text(encoding="utf-8").splitlines()[0])
    assert [one["name"] for one in line["targets"]] == ["a", "b", "c"]
    assert line["backup"] is None
