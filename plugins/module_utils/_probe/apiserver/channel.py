# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only way by which this vantage reaches the API server: reads, and writes that are always dry runs. PRIVATE to the collection."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api, Response
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline, OutOfTime

MERGE_PATCH = "application/merge-patch+json"
FIELD_MANAGER = "webhook-doctor"

_DRY_RUN_METHODS = frozenset({"PATCH", "POST"})  # DELETE is left out on purpose: nothing is worth that request
_MOST_BYTES = 16 * 1024 * 1024
_TEXT_KEPT = 4096
# Names and labels are enough to choose an object; its contents are nobody's business.
_METADATA_ONLY = {
    False: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
    True: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
}


@dataclass(frozen=True)
class Answer:
    """What came back. status: HTTP, 0 where no answer came (then `message` says why); reason: the Status' reason, "" without one."""

    status: int
    message: str
    reason: str = ""
    document: Any = None
    elapsed_ms: float = 0.0

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Channel:
    """One API server (or one instance of it), until a deadline. Safe for threads as far as the Api is."""

    def __init__(self, api: Api, deadline: Deadline) -> None:
        self._api = api
        self._deadline = deadline

    def read(self, path: str, *, timeout: float, query: dict[str, str] | None = None, metadata_only: bool = False, listing: bool = False) -> Answer:
        """GET. `metadata_only` asks for PartialObjectMetadata (`listing`: of a LIST)."""
        headers = {"Accept": _METADATA_ONLY[listing]} if metadata_only else {}
        return self._send("GET", path, timeout, query=query or {}, headers=headers)

    def dry_run(self, method: str, path: str, *, timeout: float, body: Any, content_type: str) -> Answer:
        """A write that the API server only pretends to make: admission runs, nothing is stored. Raises ValueError for any method but PATCH and POST.

        Here and nowhere else is a writing request made; there is no way to make it without dryRun=All.
        """
        if method not in _DRY_RUN_METHODS:
            raise ValueError(f"{method} is never sent")
        query = {"dryRun": "All", "fieldManager": FIELD_MANAGER}
        return self._send(method, path, timeout, query=query, body=body, content_type=content_type)

    def _send(self, method: str, path: str, timeout: float, **options: Any) -> Answer:
        began = time.monotonic()
        try:
            response = self._api.request(method, path, timeout=self._deadline.sooner(timeout).left(), max_bytes=_MOST_BYTES, **options)
        except Unreachable as error:
            return Answer(0, error.message, elapsed_ms=_since(began))
        except OutOfTime:
            return Answer(0, "no time was left for it before the overall deadline")
        return _answer(response, _since(began))


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)


def _answer(response: Response, elapsed_ms: float) -> Answer:
    try:
        document = response.json()
    except ValueError:
        document = None
    if isinstance(document, dict) and document.get("kind") == "Status" and isinstance(document.get("message"), str):
        return Answer(response.status, document["message"][:_TEXT_KEPT], str(document.get("reason") or ""), document, elapsed_ms)
    text = "" if 200 <= response.status < 300 else response.body[:_TEXT_KEPT].decode("utf-8", "replace").strip()
    return Answer(response.status, text, "", document, elapsed_ms)
