# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON patches (RFC 6902) and pointers (RFC 6901), by the library `jsonpatch`, with errors for people. PRIVATE to the collection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

try:
    import jsonpatch
    import jsonpointer
except ImportError:
    jsonpatch = jsonpointer = None  # type: ignore[assignment,unused-ignore]


class MissingLibrary(Exception):
    """The library jsonpatch is not installed on the controller."""

    def __init__(self) -> None:
        super().__init__("remediating needs the Python library jsonpatch on the controller: pip install 'jsonpatch>=1.33'")


class Changed(Exception):
    """A precondition of a patch does not hold: somebody changed the object. `path` is where, `now` what is there."""

    def __init__(self, path: str, expected: Any, now: Any) -> None:
        super().__init__(f"{path} is {_short(now)}; expected {_short(expected)}")
        self.path, self.expected, self.now = path, expected, now


_MISSING = object()


def value_at(document: Any, path: str, default: Any = None) -> Any:
    """What the pointer points to, `default` where nothing is."""
    if jsonpointer is None:
        raise MissingLibrary
    try:
        return jsonpointer.resolve_pointer(document, path, default)
    except jsonpointer.JsonPointerException:
        return default


def apply_patch(document: Any, operations: Sequence[dict[str, Any]]) -> Any:
    """The patched copy. Raises Changed where a `test` fails or an operation finds nothing at its path.

    Stricter than RFC 6902, whose `add` overwrites: somebody else may have put something there since. An empty mapping that is added to have one there is
    content with any.
    """
    if jsonpatch is None:
        raise MissingLibrary
    current = document
    for operation in operations:
        taken = _taken(current, operation)
        if taken is not _MISSING:
            if operation["value"] == {} and isinstance(taken, Mapping):
                continue
            raise Changed(operation["path"], None, taken)
        try:
            current = jsonpatch.apply_patch(current, [operation])
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
            now = value_at(current, operation["path"], _MISSING)
            raise Changed(operation["path"], operation.get("value"), None if now is _MISSING else now) from error
    return current


def _taken(document: Any, operation: Mapping[str, Any]) -> Any:
    """What is already where something is to be added to a mapping; _MISSING where nothing is."""
    parent, _slash, dummy = operation["path"].rpartition("/")
    if operation["op"] != "add" or not isinstance(value_at(document, parent), Mapping):
        return _MISSING
    return value_at(document, operation["path"], _MISSING)


def _short(value: Any) -> str:
    text = "not there" if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."
