# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send changes of one wave, and take them back: fresh reading, dry run, journal, request, and again where somebody was faster. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .journal import Journal
from .marks import Mark, Unreadable, marks_of
from .port import Port, Sent, Unreachable
from .prepare import Refused, Sending, created, prepared, taken_back
from .result import Result, State

_TRIES = 4
_DENIED = re.compile("denied (?:the )?request")  # webhooks and policies


Accept = Callable[[Mark], bool]


@dataclass(frozen=True)
class _Way:
    """How an object is taken back: to this content, or (None) by deleting it, only in the state in which it was read."""

    marks: Sequence[Mark]
    content: dict[str, Any] | None
    pinned: dict[str, Any]


def _way_back(target: Mapping[str, Any], answer: Mapping[str, Any], accept: Accept) -> _Way | str | None:
    """answer: of read_objects. None: there is nothing to take back; a text: why it cannot be."""
    if answer["error"]:
        return str(answer["error"])
    live = next(iter(answer["objects"]), None)
    if live is None:
        return None
    try:
        marks = [mark for mark in marks_of(live) if accept(mark)]
        content = taken_back(live, marks) if marks else None
    except (Refused, Unreadable) as error:
        return str(error)
    metadata = live["metadata"]
    pinned = {**target, "uid": metadata.get("uid"), "resource_version": metadata.get("resourceVersion")}
    return _Way(marks, content, pinned) if marks else None


class Changer:
    """run: the name that marks carry. begun: ids of the items that were sent, whatever became of them."""

    def __init__(self, port: Port, journal: Journal, run: str) -> None:
        self.port, self.journal, self.run = port, journal, run
        self.begun: set[str] = set()

    def tried(self, items: Sequence[Mapping[str, Any]]) -> tuple[list[Sending], list[Result]]:
        """Read the targets now and send every change as a dry run: (what the API server would accept, ready to be sent; why not, of the others)."""
        ready, results = self._prepared(items)
        accepted = []
        for sending, sent in self._sent(ready, dry_run=True):
            if sent.ok:
                accepted.append(self._completed(sending, sent))
            elif sent.conflict:
                accepted.append(sending)  # somebody was faster since it was read: it is read again when it is sent
            else:
                results.append(_refusal(sending, sent))
        return accepted, results

    def made(self, ready: Sequence[Sending]) -> tuple[list[Mapping[str, Any]], list[Result]]:
        """Journal and send: (the items that were made, why not of the others)."""
        waiting, made, results = list(ready), [], []
        for attempt in range(_TRIES):
            self.journal.write_all([self._line("sending", sending) for sending in waiting])
            self.begun |= {sending.item["id"] for sending in waiting}
            again, done = [], []
            for sending, sent in self._sent(waiting, dry_run=False):
                if sent.ok:
                    done.append(sending.item)
                elif sent.conflict and attempt < _TRIES - 1 and sending.item["action"] != "delete":
                    again.append(sending.item)  # what is deleted is what was looked at and copied, and nothing newer
                else:
                    results.append(_refusal(sending, sent))
            self.journal.write_all([{"step": "sent", "at": self.port.now(), "item": item["id"]} for item in done])
            made += done
            if not again:
                break
            self.port.sleep(0.5 * (attempt + 1))
            waiting, refused = self._prepared(again)
            results += refused
        return made, results

    def taken_back(self, target: Mapping[str, Any], item: str | None = None, dry_run: bool = False, accept: Accept = lambda mark: True) -> str | None:
        """Undo the newest changes of an object, those with this item's id or all that are accepted: None, or why it could not be done."""
        return self.all_taken_back([target], lambda mark: accept(mark) and item in (None, mark.item), dry_run)[0]

    def all_taken_back(self, targets: Sequence[Mapping[str, Any]], accept: Accept, dry_run: bool = False) -> list[str | None]:
        """Undo the newest changes that are accepted, of several objects together: for each None, or why it could not be done."""
        problems: list[str | None] = [None] * len(targets)
        waiting = list(range(len(targets)))
        for attempt in range(_TRIES):
            ways = []
            for index, answer in zip(waiting, self.port.read([targets[index] for index in waiting])):
                way = _way_back(targets[index], answer, accept)
                if isinstance(way, _Way):
                    ways.append((index, way))
                else:
                    problems[index] = way
            self.journal.write_all([self._back("taking back", targets[index], way, dry_run) for index, way in ways])
            waiting, done = [], []
            for (index, way), sent in self._sent_back(ways, dry_run):
                if sent.ok:
                    done.append(self._back("taken back", targets[index], way, dry_run))
                elif sent.conflict:
                    waiting.append(index)
                else:
                    problems[index] = sent.error or "the API server refused it"
            self.journal.write_all(done)
            if not waiting:
                return problems
            self.port.sleep(0.5 * (attempt + 1))
        for index in waiting:
            problems[index] = "others change it all the time"
        return problems

    def _sent_back(self, ways: Sequence[tuple[int, _Way]], dry_run: bool) -> list[tuple[tuple[int, _Way], Sent]]:
        put = [one for one in ways if one[1].content is not None]
        gone = [one for one in ways if one[1].content is None]
        pairs = list(zip(put, self.port.put([one[1].content or {} for one in put], dry_run))) if put else []
        return pairs + (list(zip(gone, self.port.delete([one[1].pinned for one in gone], dry_run))) if gone else [])

    def _back(self, step: str, target: Mapping[str, Any], way: _Way, dry_run: bool) -> dict[str, Any]:
        return {"step": step, "at": self.port.now(), "target": dict(target), "items": [mark.item for mark in way.marks], "dry_run": dry_run}

    def shows(self, item: Mapping[str, Any]) -> bool | None:
        """Whether the object is changed by an item that was sent; None where that cannot be seen."""
        try:
            answer = self.port.read([item["target"]])[0]
            if answer["error"]:
                return None
            live = next(iter(answer["objects"]), None)
            if item["action"] == "delete" or live is None:
                return item["action"] == "delete" and live is None
            return any((mark.run, mark.item) == (self.run, item["id"]) for mark in marks_of(live))
        except (Unreachable, Unreadable):
            return None

    # ---- how

    def _line(self, step: str, sending: Sending) -> dict[str, Any]:
        """Of the journal: what is about to be sent, and how to take it back."""
        item = sending.item
        line = {"step": step, "at": self.port.now(), "item": item["id"], "target": item["target"], "undo": item["rollback"]["patch"], "backup": sending.backup}
        if not item["rollback"]["possible"]:
            line["irreversible"] = item["rollback"]["because"]
        return {**line, "targets": item["targets"]} if item.get("targets") else line

    def _prepared(self, items: Sequence[Mapping[str, Any]]) -> tuple[list[Sending], list[Result]]:
        batches = [item for item in items if item.get("targets")]  # each object is deleted only if it is as it was read for the plan
        single = [item for item in items if not item.get("targets")]
        answers = self.port.read([item["target"] for item in single]) if single else []
        ready, results = [Sending(item, None) for item in batches], []
        for item, answer in zip(single, answers):
            if answer["error"]:
                state = State.FORBIDDEN if answer["reason"] == "forbidden" else State.FAILED
                results.append(Result(item, state, (str(answer["error"]), *_rights(item, state))))
                continue
            try:
                ready.append(prepared(item, next(iter(answer["objects"]), None), self.run, self.port.now()))
            except Refused as error:
                results.append(Result(item, State.REFUSED, (str(error),)))
        return ready, results

    def _completed(self, sending: Sending, sent: Sent) -> Sending:
        return created(sending.item, sent.content, self.run, self.port.now()) if sending.item["action"] == "create" and sent.content else sending

    def _sent(self, ready: Sequence[Sending], dry_run: bool) -> list[tuple[Sending, Sent]]:
        """All of one action are one request to the port."""
        pairs = []
        patched = [sending for sending in ready if sending.item["action"] == "patch"]
        made = [sending for sending in ready if sending.item["action"] == "create"]
        gone = [sending for sending in ready if sending.item["action"] == "delete"]
        if patched:
            pairs += list(zip(patched, self.port.put([sending.content or {} for sending in patched], dry_run)))
        if made:
            pairs += list(zip(made, self.port.create([sending.content or {} for sending in made], dry_run)))
        if gone:
            pairs += [(sending, _as_one(self.port.delete(sending.pinned, dry_run))) for sending in gone]
        return pairs


def _as_one(sent: Sequence[Sent]) -> Sent:
    """What became of a batch. Objects that changed since they were read are left alone: the others are deleted all the same."""
    if len(sent) == 1:
        return sent[0]
    wrong = next((one for one in sent if not one.ok and not one.conflict), None)
    gone = sum(one.ok for one in sent)
    if wrong:
        return Sent(False, f"{wrong.error or 'the API server refused it'} ({gone} of {len(sent)} went through)", forbidden=wrong.forbidden)
    return Sent(True) if gone else Sent(False, f"all {len(sent)} objects have changed since they were read; run again to plan anew")


def _refusal(sending: Sending, sent: Sent) -> Result:
    if sent.conflict:
        because = (
            "somebody changed it just now; run again to plan anew" if sending.item["action"] == "delete" else "others change it all the time; run again later"
        )
        return Result(sending.item, State.REFUSED, (because,))
    state = State.FORBIDDEN if sent.forbidden else State.DENIED if _DENIED.search(sent.error or "") else State.FAILED
    return Result(sending.item, state, (sent.error or "the API server refused it", *_rights(sending.item, state)))


def _rights(item: Mapping[str, Any], state: State) -> tuple[str, ...]:
    """Where to find what is lacking."""
    return (f"docs/rbac/remediate-{item['remedy']}.yaml has the rights for it",) if state is State.FORBIDDEN else ()
