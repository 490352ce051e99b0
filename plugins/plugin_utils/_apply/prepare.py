# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a plan item and the object as it is now to what is sent. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._remedy.patching import Changed, apply_patch
from .marks import Mark, TooLong, Unreadable, digest, marked, marks_of, unmarked


class Refused(Exception):
    """Why an item is not sent, for people."""


@dataclass(frozen=True)
class Sending:
    """content: the object as it is sent (with its resourceVersion: the API server refuses it if anybody was faster); None for a deletion."""

    item: Mapping[str, Any]
    content: dict[str, Any] | None
    backup: dict[str, Any] | None = None
    resource_version: str | None = None

    @property
    def pinned(self) -> list[dict[str, Any]]:
        """What is deleted, and in which state only: of a batch that in which each was read for the plan."""
        return [dict(one) for one in self.item.get("targets") or ()] or [{**self.item["target"], "resource_version": self.resource_version}]


def prepared(item: Mapping[str, Any], live: Mapping[str, Any] | None, run: str, at: str) -> Sending:
    """live: the target as it is now, raw. Raises Refused where it is not any more what the plan was made for."""
    if item["action"] == "create":
        if live is not None:
            raise Refused("it exists by now; run again to plan anew")
        return created(item, item["object"], run, at)
    if live is None:
        raise Refused("it does not exist any more")
    planned_uid = item["target"].get("uid")
    if planned_uid and live["metadata"].get("uid") != planned_uid:
        raise Refused("it was deleted and made anew since the plan was made; run again to plan anew")
    if item["action"] == "delete":
        return Sending(item, None, backup_of(live), live["metadata"].get("resourceVersion"))
    try:
        ground = settled(live, run)  # which the plan was made for
        changed = apply_patch(ground, item["patch"])
        rollback = item["rollback"]
        mark = Mark(run, item["id"], at, item["temporary"], rollback["patch"] if rollback["possible"] else None)
        return Sending(item, marked(changed, [*marks_of(ground), mark]))
    except Changed as error:
        raise Refused(f"somebody changed it since the plan was made: {error}. Run again to plan anew") from error
    except (TooLong, Unreadable) as error:
        raise Refused(f"{error}. Take back earlier changes first: ansible-playbook kubeops.webhook_doctor.rollback") from error


def created(item: Mapping[str, Any], complete: Mapping[str, Any], run: str, at: str) -> Sending:
    """complete: the object with the defaults of the API server, which a dry run tells; what is compared with it later has them, too."""
    return Sending(item, marked(item["object"], [Mark(run, item["id"], at, item["temporary"], None, digest(complete))]))


def taken_back(live: Mapping[str, Any], marks: Sequence[Mark]) -> dict[str, Any] | None:
    """The object without the newest of its changes, those in `marks`, oldest first; None where it was made by them and is to be deleted. Raises Refused."""
    try:
        rest = [mark for mark in marks_of(live) if mark not in marks]
        content: Any = unmarked(live)
        for mark in reversed(marks):
            if mark.created is not None:
                if digest(content) != mark.created:
                    raise Refused("it was made by this collection, and somebody changed it since")
                return None
            content = apply_patch(content, [dict(operation) for operation in mark.undo or ()])
        return marked(content, rest)
    except Changed as error:
        raise Refused(f"somebody changed it since: {error}") from error
    except Unreadable as error:
        raise Refused(str(error)) from error


def settled(live: Mapping[str, Any], run: str | None = None) -> Mapping[str, Any]:
    """The object as it is once what an interrupted run changed for a time is taken back (healing.py); as it is now where there is none, or it cannot be.

    A plan is made for that, because it is taken back before anything else is done. run: whose changes for a time stay, as it has not ended.
    """
    try:
        left = [mark for mark in marks_of(live) if mark.temporary and mark.run != run]
        return (taken_back(live, left) if left else None) or live
    except (Refused, Unreadable):
        return live


def backup_of(live: Mapping[str, Any]) -> dict[str, Any] | None:
    """What brings a deleted object back; None for Secrets, which are never kept."""
    if live["kind"] == "Secret":
        return None
    metadata = {key: value for key, value in live["metadata"].items() if key in ("name", "namespace", "labels", "annotations", "ownerReferences", "finalizers")}
    return {**{key: value for key, value in live.items() if key != "status"}, "metadata": metadata}
