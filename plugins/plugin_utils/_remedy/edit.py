# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits of one object as a JSON patch with its preconditions (RFC 6902), and how to take them back. Pure. PRIVATE to the collection.

    edit = Edit(configuration)
    edit.anchor("/webhooks/2/name")                    # the entry that is meant, whatever happened to the order meanwhile
    edit.set("/webhooks/2/timeoutSeconds", 15)
    edit.patch      [{test name}, {test 30}, {replace 15}]
    edit.undo       [{test name}, {test 15}, {replace 30}]

Every operation that changes something has a `test` of what was there before, so that a patch never overwrites what somebody changed meanwhile.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from .patching import apply_patch, value_at

Operation = dict[str, Any]
ABSENT = object()
# Others write into these all the time, and the API server keeps no empty ones: one that was made for an edit is left to them when the edit is taken back.
_SHARED = ("/metadata/annotations", "/metadata/labels")


def pointer(*steps: str | int) -> str:
    """The JSON pointer (RFC 6901) of these keys and positions."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


class Edit:
    """Collects operations on a copy of an object. Paths are JSON pointers (`pointer` makes them from keys with a slash)."""

    def __init__(self, before: Mapping[str, Any]) -> None:
        self._object: Any = copy.deepcopy(dict(before))
        self.patch: list[Operation] = []
        self._undo: list[list[Operation]] = []
        self._anchors: list[Operation] = []
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}

    def get(self, path: str, default: Any = None) -> Any:
        """What is at the path now, with the edits so far."""
        found = value_at(self._object, path, ABSENT)
        return default if found is ABSENT else found

    def anchor(self, path: str) -> None:
        """Make the patch and its undoing depend on what is at this path, without changing it. Call it before the edits that rely on it."""
        operation = {"op": "test", "path": path, "value": copy.deepcopy(self.get(path))}
        if operation not in self._anchors:
            self._anchors.append(operation)
            self.patch.append(operation)

    def set(self, path: str, value: Any) -> None:
        """Have this value at the path; nothing happens if it is there. Missing mappings on the way are made."""
        parent, _slash, key = path.rpartition("/")
        if parent and value_at(self._object, parent, ABSENT) is ABSENT:
            self.set(parent, {})
        old = value_at(self._object, path, ABSENT)
        if old is not ABSENT and old == value:
            return
        appended = key == "-"
        if old is ABSENT or appended:
            if appended:
                path = f"{parent}/{len(self.get(parent))}"
            shared = path.endswith(_SHARED) and value == {}
            self._do([{"op": "add", "path": path, "value": value}], [] if shared else [_test(path, value), {"op": "remove", "path": path}])
            self.before.setdefault(path, None)
        else:
            self._do([_test(path, old), {"op": "replace", "path": path, "value": value}], [_test(path, value), {"op": "replace", "path": path, "value": old}])
            self.before.setdefault(path, old)
        self.after[path] = value

    def append(self, path: str, value: Any) -> None:
        """Add an item to the end of the list at the path, which is made if missing; the list as it is now is a precondition."""
        current = self.get(path)
        self.set(path, [*(current or []), value])

    def remove(self, path: str) -> None:
        """Have nothing at the path; nothing happens if nothing is there."""
        old = value_at(self._object, path, ABSENT)
        if old is ABSENT:
            return
        self._do([_test(path, old), {"op": "remove", "path": path}], [{"op": "add", "path": path, "value": old}])
        self.before.setdefault(path, old)
        self.after[path] = None

    @property
    def undo(self) -> list[Operation]:
        """The JSON patch that takes the edits back, the last one first; its tests refuse where somebody changed what was set here."""
        return [*copy.deepcopy(self._anchors), *(copy.deepcopy(operation) for group in reversed(self._undo) for operation in group)]

    @property
    def result(self) -> dict[str, Any]:
        """The object with the edits."""
        return copy.deepcopy(self._object)

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self._undo)

    def _do(self, operations: list[Operation], undo: list[Operation]) -> None:
        self.patch += copy.deepcopy(operations)
        self._undo.append(copy.deepcopy(undo))
        self._object = apply_patch(self._object, operations)


def _test(path: str, value: Any) -> Operation:
    return {"op": "test", "path": path, "value": value}
