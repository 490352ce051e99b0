"""No write can leave that is not a dry run, and there is one place in the code that could send one."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver import channel
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.channel import MERGE_PATCH, Channel
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline

SOURCES = Path(channel.__file__).parent


def open_channel(server: Any) -> Channel:
    return Channel(server.api(), Deadline(time.monotonic() + 10))


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_every_write_is_a_dry_run(method: str, servers: Any) -> None:
    server = servers()
    answer = open_channel(server).dry_run(method, "/api/v1/namespaces/shop/pods/web", timeout=5, body={}, content_type=MERGE_PATCH)
    assert answer.ok
    (request,) = server.requests
    assert (request["method"], request["body"]) == (method, {})
    assert request["query"] == {"dryRun": ["All"], "fieldManager": ["webhook-doctor"]}
    assert request["headers"]["Content-Type"] == MERGE_PATCH


@pytest.mark.parametrize("method", ["DELETE", "PUT", "GET", "patch"])
def test_no_other_method_is_ever_sent(method: str, servers: Any) -> None:
    server = servers()
    with pytest.raises(ValueError, match="is never sent"):
        open_channel(server).dry_run(method, "/api/v1/namespaces/shop/pods/web", timeout=5, body={}, content_type=MERGE_PATCH)
    assert server.requests == []


def test_only_the_channel_speaks_to_the_api() -> None:
    speaking = {path.name for path in SOURCES.glob("*.py") if re.search(r"\.(request|pages|websocket)\(", path.read_text())}
    assert speaking == {"channel.py"}
    assert len(re.findall(r"\.request\(", (SOURCES / "channel.py").read_text())) == 1
