# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubernetes.core.k8s returns, read. Pure. PRIVATE to the collection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .port import Sent, Unreachable

# What urllib3 and the dynamic client say where no HTTP answer came.
_NO_ANSWER = ("Max retries exceeded", "Connection refused", "Connection aborted", "timed out", "Failed to establish", "Connection reset", "RemoteDisconnected")


def sent_of(result: Mapping[str, Any], count: int) -> list[Sent]:
    """One for each object that was sent. Raises Unreachable where the API server did not answer."""
    if result.get("failed"):
        raise Unreachable(_message(str(result.get("msg") or result.get("module_stderr") or "the module kubernetes.core.k8s failed"))[:500])
    results = (result.get("result") or {}).get("results") if count > 1 else [result]
    if not isinstance(results, list) or len(results) != count:
        raise Unreachable(f"kubernetes.core.k8s returned {len(results or ())} results for {count} objects")
    return [_one(one) for one in results]


def _one(result: Mapping[str, Any]) -> Sent:
    error = result.get("error")
    if not error:
        return Sent(True, content=result.get("result"))
    text = str(error.get("msg") or error.get("reason") or "")
    message = _message(text)
    if not error.get("reason") and any(word in text for word in _NO_ANSWER):
        raise Unreachable(message[:500])
    reason = str(error.get("reason") or "") + " " + str((_status(text) or {}).get("reason") or "")
    conflict = "Conflict" in reason and "AlreadyExists" not in reason
    # A webhook's or a policy's denial is Forbidden, too; only RBAC says that a user cannot do something.
    forbidden = "Forbidden" in reason and " cannot " in message
    return Sent(False, message[:2000], conflict, forbidden)


def _message(text: str) -> str:
    """The message of the Status that the client has put into its text, else the text."""
    status = _status(text)
    return str(status["message"]) if status and status.get("message") else " ".join(text.split())


def _status(text: str) -> dict[str, Any] | None:
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or end < begin:
        return None
    inner = text[begin : end + 1]
    for candidate in (inner, inner.replace("\\\\", "\\").replace("\\'", "'")):  # the client shows bytes as Python writes them
        try:
            found = json.loads(candidate)
        except ValueError:
            continue
        return found if isinstance(found, dict) else None
    return None
