# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking again: whether a change still holds, and who has put it back. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._diagnosis.checked import moment
from .edit import pointer
from .patching import value_at
from .reference import Reference

_ENTRY = re.compile(r"(?P<list>.*)/(?P<position>\d+)/name$")
_MISSING = object()


def reverted(item: Mapping[str, Any], now: Mapping[str, Any] | None, made_at: str) -> list[str]:
    """For people, what of a change does not hold any more and who wrote last; [] where all of it holds.

    item: a plan item that was applied. now: its object, as it is some time later; None where it does not exist. made_at: when it was applied, ISO 8601.
    """
    target = Reference.of(item["target"])
    if item["action"] == "delete":
        if not item["rollback"]["possible"]:
            return []  # deleted for good, so that its owner makes another one
        uid = ((now or {}).get("metadata") or {}).get("uid")
        return [f"{target.words} is there again{_by(now, made_at)}"] if now is not None and uid != item["target"].get("uid") else []
    if now is None:
        return [f"{target.words} is gone"]
    lines = []
    after = item["after"] or {}
    for path, value in after.items():
        if any(other.startswith(f"{path}/") for other in after):
            continue  # made on the way to something deeper
        place = _place(item, now, path)
        found = _MISSING if place is None else value_at(now, place, _MISSING)
        before = (item["before"] or {}).get(path)
        # The API server may put a default where something was taken away; only what was there before is a reversal.
        holds = found is _MISSING or found != before if value is None else _holds(now, place, found, value) and found != before
        if not holds:
            lines.append(
                f"{target.words}: {path} is {_words(found)} again" if found == before else f"{target.words}: {path} is {_words(found)}, not {_words(value)}"
            )
    return [f"{line}{_by(now, made_at)}" for line in lines]


def _by(now: Mapping[str, Any] | None, made_at: str) -> str:
    """Who wrote last since then, by managedFields; a manager has one entry for each operation and subresource, with the time of its last change."""
    entries = ((now or {}).get("metadata") or {}).get("managedFields") or ()
    since = [entry for entry in entries if entry.get("time") and not entry.get("subresource") and moment(entry["time"]) > moment(made_at)]
    last = max(since, key=lambda entry: moment(entry["time"]), default=None)
    return f"; {last['manager']} wrote last ({last['operation']}, {last['time']})" if last else "; managedFields do not tell who wrote it"


def _place(item: Mapping[str, Any], now: Mapping[str, Any], path: str) -> str | None:
    """Where the path's list entry stands now, by the name on which the patch depends; None where it is gone."""
    for operation in item["patch"]:
        found = _ENTRY.fullmatch(operation["path"]) if operation["op"] == "test" else None
        if not found or not path.startswith(f"{found['list']}/{found['position']}/"):
            continue
        entries = value_at(now, found["list"], []) or []
        position = next((at for at, entry in enumerate(entries) if entry.get("name") == operation["value"]), None)
        if position is None:
            return None
        return f"{found['list']}{pointer(position)}{path[len(found['list']) + len(found['position']) + 1 :]}"
    return path


def _holds(now: Mapping[str, Any], place: str | None, found: Any, value: Any) -> bool:
    """Whether what was set is there; an item of a list may have moved."""
    around = value_at(now, place.rpartition("/")[0]) if place else None
    return any(_contains(one, value) for one in around) if isinstance(around, list) else _contains(found, value)


def _contains(found: Any, value: Any) -> bool:
    """Whether all of the value is in what was found; the API server, and others, may have added to it."""
    if isinstance(value, Mapping):
        return isinstance(found, Mapping) and all(key in found and _contains(found[key], one) for key, one in value.items())
    if isinstance(value, list):
        return isinstance(found, list) and all(any(_contains(other, one) for other in found) for one in value)
    return bool(found == value)


def _words(value: Any) -> str:
    text = "not there" if value is _MISSING or value is None else str(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
