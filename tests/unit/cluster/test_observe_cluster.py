# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that observes in one task: it returns what the three modules return, and says what stands in the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.trust_plan import plan_trust
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust import library
from ansible_collections.kubeops.webhook_doctor.plugins.modules import observe_cluster, webhook_facts
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import a_cluster


def run(capsys: Any, module: Any = observe_cluster, **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        module.main()
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def dump(tmp_path: Path) -> str:
    items = [one for objects in a_cluster().values() for one in objects]
    (tmp_path / "all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return str(tmp_path)


def test_of_files_it_returns_the_facts_of_webhook_facts_and_verdicts_without_a_chain(capsys: Any, dump: str) -> None:
    observed = run(capsys, src=[dump])
    assert observed["facts"] == run(capsys, webhook_facts, src=[dump])["ansible_facts"]["kubernetes_webhooks"]
    assert observed["probes"] == []
    assert [verdict["name"] for verdict in observed["verdicts"]] == [asked["name"] for asked in plan_trust(observed["facts"], [])]
    assert observed["changed"] is False


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"deadline": 0}, "deadline 0 is out of range. Expected 0.1 to 86400 seconds."),
        ({"warn_days": -1}, "warn_days -1 is out of range. Expected 0 to 36500 days."),
        ({"vantages": ["moon"]}, "value of vantages must be one or more of:"),
        ({"src": ["/nowhere"]}, "/nowhere"),
        ({"kubeconfig": "/nowhere"}, "/nowhere"),
    ],
)
def test_what_stands_in_the_way_is_named(capsys: Any, wrong: dict[str, Any], words: str) -> None:
    failed = run(capsys, **wrong)
    assert failed["failed"] is True
    assert words in failed["msg"]


def test_without_cryptography_nothing_is_asked(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "MISSING", "Traceback: no module")
    assert "cryptography >= 42.0.0" in run(capsys, kubeconfig="/nowhere")["msg"]
