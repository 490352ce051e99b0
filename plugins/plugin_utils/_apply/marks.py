# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change leaves on the object that it changed: a label to find it by, and how to take it back. Pure. PRIVATE to the collection.

The annotation is part of the same request as the change, so an object is either changed and says how to undo it, or neither. It is a list, newest last:

    [{"run": "20261120T180000-4f2a", "item": "webhook_timeouts/...", "at": "2026-11-20T18:00:03Z", "temporary": false,
      "undo": [JSON patch] | null, "created": null | digest}]
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

PREFIX = "webhook-doctor.kubeops.io"
LABEL = f"{PREFIX}/changed"
ANNOTATION = f"{PREFIX}/journal"
SELECTOR = f"{LABEL}=true"
# The API server allows 256 KiB of annotations for one object.
MOST_BYTES = 200_000


class TooLong(Exception):
    """The note would be longer than an object may carry."""


class Unreadable(Exception):
    """Somebody edited the annotation."""


@dataclass(frozen=True)
class Mark:
    """One change of this object. undo: the JSON patch that takes it back; created: the digest of an object that was made by it; neither: it stays."""

    run: str
    item: str
    at: str
    temporary: bool = False
    undo: Sequence[Mapping[str, Any]] | None = None
    created: str | None = None

    @property
    def stays(self) -> bool:
        """Whether it was known from the start that it cannot be taken back."""
        return self.undo is None and self.created is None


def marks_of(item: Mapping[str, Any]) -> list[Mark]:
    """The changes that an object tells of, oldest first. Raises Unreadable."""
    text = ((item.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION)
    if not text:
        return []
    try:
        return [_mark(entry) for entry in json.loads(text)]
    except (ValueError, TypeError) as error:
        raise Unreadable(f"its annotation {ANNOTATION} cannot be read ({error})") from error


def _mark(entry: Mapping[str, Any]) -> Mark:
    """Raises ValueError, TypeError for what this collection does not write."""
    mark = Mark(**entry)
    if not all(isinstance(text, str) for text in (mark.run, mark.item, mark.at)):
        raise ValueError("run, item and at are texts")
    for operation in mark.undo or ():
        if not isinstance(operation, Mapping) or not isinstance(operation.get("path"), str) or operation.get("op") not in ("test", "add", "replace", "remove"):
            raise ValueError("undo is a JSON patch")
    return mark


def unmarked(item: Mapping[str, Any]) -> dict[str, Any]:
    """The object as it was edited, before it was marked: mappings of annotations and labels stay, even if nothing is left in them."""
    metadata = dict(item["metadata"])
    for part, key in (("annotations", ANNOTATION), ("labels", LABEL)):
        if part in metadata:
            metadata[part] = {name: value for name, value in (metadata[part] or {}).items() if name != key}
    return {**item, "metadata": metadata}


def marked(item: Mapping[str, Any], marks: Sequence[Mark]) -> dict[str, Any]:
    """The object with these marks and no others; without label and annotation where there are none. Raises TooLong."""
    shown = copy.deepcopy(dict(item))
    metadata = shown.setdefault("metadata", {})
    if marks:
        text = json.dumps([asdict(mark) for mark in marks], separators=(",", ":"), sort_keys=True)
        if len(text) > MOST_BYTES:
            raise TooLong(f"how to take it back would fill {len(text)} bytes of annotations; the API server allows no more than 256 KiB")
        metadata.setdefault("annotations", {})[ANNOTATION] = text
        metadata.setdefault("labels", {})[LABEL] = "true"
        return shown
    for part, key in (("annotations", ANNOTATION), ("labels", LABEL)):
        if part in metadata:
            metadata[part].pop(key, None)
            if not metadata[part]:
                del metadata[part]
    return shown


def digest(item: Mapping[str, Any]) -> str:
    """Of what an object says apart from its metadata and status: the same until somebody changes it. What the API server fills in is part of it, so it is taken
    from an answer of the API server."""
    content = {key: value for key, value in item.items() if key not in ("metadata", "status", "apiVersion", "kind")}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
