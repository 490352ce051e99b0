# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubernetes.core.k8s returns, read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.answers import NEW_UID, sent_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.modules_port import Looking, ModulesPort
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.port import Sent, Unreachable

TABLE = yaml.safe_load((Path(__file__).parent / "answers.yml").read_text(encoding="utf-8"))
ROWS = [row for rows in TABLE.values() for row in rows]


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_what_the_module_returns(row: dict[str, Any]) -> None:
    if "unreachable" in row:
        with pytest.raises(Unreachable) as caught:
            sent_of(row["result"], row["count"])
        assert row["unreachable"] in str(caught.value)
        return
    sent = sent_of(row["result"], row["count"])
    assert [_shown(one, wanted) for one, wanted in zip(sent, row["sent"], strict=True)] == row["sent"]


def _shown(sent: Sent, wanted: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: True for name in ("ok", "conflict", "forbidden") if getattr(sent, name)}
    content, error = ((sent.content or {}).get("metadata") or {}).get("name"), sent.error
    assert sent.ok == (error is None) and error != ""
    # A row need not repeat every text.
    return {**shown, **({"content": content} if content else {}), **({"error": error} if "error" in wanted else {})}


def test_the_requests_of_the_port() -> None:
    """As kubernetes.core.k8s takes them."""
    asked: list[tuple[str, dict[str, Any], bool]] = []

    def execute(module: str, arguments: Mapping[str, Any], check: bool) -> Mapping[str, Any]:
        asked.append((module, dict(arguments), check))
        return {"changed": True, "result": {"metadata": {"name": "x"}}, "method": "create"}

    port = ModulesPort(execute, {"context": "blue"}, None, Looking(), quiet=True)
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "y", "resourceVersion": "5"}}
    assert port.put([item], True)[0].ok and port.create([item], False)[0].ok
    (dummy, put, dry), (dummy, create, dummy) = asked
    assert {module for module, *_rest in asked} == {"kubernetes.core.k8s"} and {one["context"] for dummy, one, dummy in asked} == {"blue"} and dry
    assert (put["resource_definition"], put["force"]) == ([item], True)
    assert "force" not in create and create["resource_definition"][0]["metadata"]["uid"] == NEW_UID and "uid" not in item["metadata"]
