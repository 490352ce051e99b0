# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubernetes.core.k8s returns, read. Pure. PRIVATE to the collection."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .port import Sent, Unreachable

# What urllib3 and the dynamic client say where no HTTP answer came.
_NO_ANSWER = ("Max retries exceeded", "Connection refused", "Connection aborted", "timed out", "Failed to establish", "Connection reset", "RemoteDisconnected")

# What proxies and load balancers say where the API server did not, and the API server where etcd did not: the request may have come through all the same.
_UNKNOWN_REASONS = ("Bad Gateway", "Service Unavailable", "Gateway Timeout", "Gateway Time-out")
_UNKNOWN_CODES = (502, 503, 504)
_UNKNOWN = ("etcdserver: request timed out", "etcdserver: leader changed")
# RBAC's words. A webhook or a policy that denies is Forbidden, too, and may use any words.
_NOT_ALLOWED = re.compile(r'forbidden: User "[^"]*" cannot ')
# kubernetes.core.k8s has no state for "make it, and only make it": an object that is there would be patched. With a uid that no object has, it is not, and the
# API server gives a new object one of its own.
NEW_UID = "00000000-0000-0000-0000-000000000000"
_EXISTS = Sent(False, "it exists already")


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
        # That is what the module makes of 409 AlreadyExists.
        return _EXISTS if result.get("method") == "create" and not result.get("result") else Sent(True, content=result.get("result"))
    text = str(error.get("msg") or error.get("reason") or "")
    message, status = _message(text), _status(text) or {}
    nothing = not error.get("reason") and any(word in text for word in _NO_ANSWER)
    if nothing or error.get("reason") in _UNKNOWN_REASONS or status.get("code") in _UNKNOWN_CODES or any(word in message for word in _UNKNOWN):
        raise Unreachable(message[:500])
    if NEW_UID in message and "field is immutable" in message:
        return _EXISTS
    # The module makes anew what is not there any more, which the API server refuses because of the version in it.
    gone = "resourceVersion should not be set on objects to be created" in message
    conflict = gone or "Conflict" in (error.get("reason"), status.get("reason"))
    return Sent(False, message[:2000], conflict, bool(_NOT_ALLOWED.search(message)))


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
