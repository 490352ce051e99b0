# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take back what runs have changed: from what the objects themselves say, from copies in the cluster, or from a journal. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from .._remedy.patching import Changed, apply_patch
from .backups import BACKUP_LABEL, kept
from .changing import Changer
from .kinds import KINDS
from .marks import SELECTOR, Unreadable, marks_of
from .port import Port

DONE, REFUSED, NOTHING, UNSEEN = "taken_back", "refused", "nothing", "unseen"
_STAYS = "it cannot be taken back, as the plan said"


@dataclass(frozen=True)
class Undone:
    """target: {api_version, kind, namespace, name}. state: taken_back, refused, nothing (it was not changed any more), or unseen (the kind could
    not be looked at). because: why."""

    target: Mapping[str, Any]
    state: str
    what: str
    because: str | None = None

    def shown(self) -> dict[str, Any]:
        return {"target": dict(self.target), "state": self.state, "what": self.what, "because": self.because}


class Rollback:
    """run: only what this run changed; None: everything. namespace: of the copies. check: dry runs only."""

    def __init__(self, port: Port, changer: Changer, namespace: str, run: str | None = None, check: bool = False) -> None:
        self.port, self.changer, self.namespace, self.run, self.check = port, changer, namespace, run, check

    def take_back(self, journal: Iterable[Mapping[str, Any]] = ()) -> list[Undone]:
        """The newest change first, but for namespaces (see _order). Raises Unreachable."""
        done = self._copies()
        done += self._marked()
        done += self._journaled(journal, {_key(one.target) for one in done})
        return done

    def _marked(self) -> list[Undone]:
        """Objects that say what was changed of them."""
        selections = [{"api_version": version, "kind": kind, "label_selector": SELECTOR} for version, kind in KINDS]
        found: list[tuple[str, dict[str, Any], str, bool]] = []
        refused: list[Undone] = []
        for selection, answer in zip(selections, self.port.read(selections)):
            if answer["reason"] == "forbidden":
                # Whoever has the rights of one remedy only has changed nothing else.
                refused.append(_unseen(selection, answer))
            for item in answer["objects"]:
                target = _target(item)
                try:
                    marks = [mark for mark in marks_of(item) if self.run in (None, mark.run)]
                except Unreadable as error:
                    refused.append(Undone(target, REFUSED, "a change", str(error)))
                    continue
                if marks:
                    found.append((max(mark.at for mark in marks), target, ", ".join(mark.item for mark in marks), all(mark.stays for mark in marks)))
        done = []
        for _kind, group in groupby(sorted(found, key=_order, reverse=True), key=lambda one: one[1]["kind"]):
            together = list(group)
            problems = self.changer.all_taken_back([one[1] for one in together], lambda mark: self.run in (None, mark.run), self.check)
            for (_at, target, what, stays), problem in zip(together, problems):
                done.append(Undone(target, REFUSED if problem else NOTHING if stays else DONE, what, problem or (_STAYS if stays else None)))
        return done + refused

    def _copies(self) -> list[Undone]:
        """Objects that were deleted, from the ConfigMaps that hold their copies."""
        selection = {"api_version": "v1", "kind": "ConfigMap", "namespace": self.namespace, "label_selector": f"{BACKUP_LABEL}=true"}
        answer = self.port.read([selection])[0]
        done = [_unseen(selection, answer)] if answer["reason"] == "forbidden" else []
        for config_map in answer["objects"]:
            copy = kept(config_map)
            if copy is None:
                done.append(Undone(_target(config_map), REFUSED, "a copy of a deleted object", "somebody edited it, so it cannot be read"))
            elif self.run in (None, copy[0]):
                done.append(self._made_again(copy[1]))
                if done[-1].state != REFUSED and not self.check:
                    metadata = config_map["metadata"]
                    self.port.delete([{**_target(config_map), "uid": metadata.get("uid"), "resource_version": None}], dry_run=False)
        return done

    def _made_again(self, item: Mapping[str, Any]) -> Undone:
        target = _target(item)
        answer = self.port.read([target])[0]
        if answer["objects"]:
            return Undone(target, NOTHING, "deleted", "it exists again")
        sent = self.port.create([item], self.check)[0]
        return Undone(target, DONE if sent.ok else REFUSED, "deleted", None if sent.ok else sent.error)

    def _journaled(self, journal: Iterable[Mapping[str, Any]], known: set[str]) -> list[Undone]:
        """Changes of a local journal of which the objects do not tell any more, because somebody removed the annotation."""
        steps = list(journal)
        back = {name for step in steps if step["step"] == "taken back" and not step.get("dry_run") for name in step["items"]}
        sent = {step["item"] for step in steps if step["step"] == "sent"}
        done = []
        # The last line about an item is the one that was sent: where somebody was faster, it was tried again.
        last = {step["item"]: step for step in steps if step["step"] == "sending" and step["item"] in sent - back}
        for step in sorted(last.values(), key=steps.index, reverse=True):
            if _key(step["target"]) not in known:
                done.append(self._from(step))
        return done

    def _from(self, step: Mapping[str, Any]) -> Undone:
        target, what = step["target"], step["item"]
        if step.get("irreversible"):
            return Undone(target, NOTHING, what, f"{_STAYS}: {step['irreversible']}")
        if step.get("backup"):
            return self._made_again(step["backup"])
        answer = self.port.read([target])[0]
        if answer["error"]:
            return Undone(target, REFUSED, what, str(answer["error"]))
        live = next(iter(answer["objects"]), None)
        if live is None:
            return Undone(target, NOTHING, what, "it does not exist any more")
        if not step["undo"]:
            return Undone(target, REFUSED, what, "it was made by that run and does not say so any more; delete it by hand if it is not needed")
        try:
            content = apply_patch(live, _operations(step["undo"]))
        except Changed as error:
            return Undone(target, REFUSED, what, f"somebody changed it since: {error}")
        sent = self.port.put([content], self.check)[0]
        return Undone(target, DONE if sent.ok else REFUSED, what, None if sent.ok else sent.error)


def _unseen(selection: Mapping[str, Any], answer: Mapping[str, Any]) -> Undone:
    target = {key: selection[key] for key in ("api_version", "kind")}
    return Undone({**target, "namespace": selection.get("namespace"), "name": "*"}, UNSEEN, "could not be looked at", answer["error"])


def _order(one: tuple[str, dict[str, Any], str, bool]) -> tuple[bool, str, str]:
    """Of a change that was made (when, target, what, whether it stays): the greatest is taken back first.

    Namespaces are, because taking back the restart of a workload creates its pods anew, and injectors choose pods by what their namespace's labels say then.
    """
    at, target, _what, _stays = one
    return target["kind"] == "Namespace", at, _key(target)


def _operations(undo: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [dict(operation) for operation in undo]


def _target(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = item["metadata"]
    return {"api_version": item["apiVersion"], "kind": item["kind"], "namespace": metadata.get("namespace"), "name": metadata["name"]}


def _key(target: Mapping[str, Any]) -> str:
    return "/".join(str(target.get(key) or "") for key in ("kind", "namespace", "name"))
