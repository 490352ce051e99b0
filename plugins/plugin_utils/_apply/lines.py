# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan and what became of it, as a person reads them in a terminal. PRIVATE to the collection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._remedy.item import MANUAL, OWNED, PLANNED, SKIPPED, TOO_RISKY
from .._report.terminal import Line
from .._report.text import counted, one_line
from .result import WELL, Result, State
from .rollback import DONE, NOTHING, REFUSED, UNSEEN, Undone

_SIGNS = {"patch": "~", "create": "+", "delete": "-", "manual": "!"}
_MOST_CHANGES, _MOST_OF_A_KIND, _LONGEST = 8, 20, 200
_WORDS = {
    State.WOULD: ("would be changed", "good"),
    State.MENDED: ("mended", "good"),
    State.UNPROVEN: ("changed; nothing can prove its effect", "good"),
    State.REVERTED: ("changed, and somebody put it back", "warning"),
    State.PUT_BACK: ("put back", "good"),
    State.NOT_MENDED: ("changed, but the fault is still there", "warning"),
    State.UNDONE: ("taken back, because it made things worse", "error"),
    State.WORSE: ("made things worse", "error"),
    State.REFUSED: ("not changed", "warning"),
    State.FORBIDDEN: ("not changed: not allowed", "error"),
    State.DENIED: ("not changed: admission says no", "error"),
    State.FAILED: ("not changed", "error"),
    State.WAITS: ("not changed", "warning"),
    State.STOPPED: ("not begun", "warning"),
    State.UNKNOWN: ("sent, and its effect was not seen", "error"),
}


def plan_lines(plan: Sequence[Mapping[str, Any]], check: bool) -> list[Line]:
    """Every item: what, why, risk, owner, and what it needs to be made."""
    if not plan:
        return [Line(""), Line("Nothing to change: no finding is left that a remedy of this collection mends.", "good"), Line("")]
    counts = {state: [item for item in plan if item["state"] == state] for state in (PLANNED, TOO_RISKY, OWNED, SKIPPED, MANUAL)}
    lines = [Line(""), Line(_summary(counts)), Line("")]
    for state, heading in (
        (PLANNED, "Would be changed:" if check else "To be changed:"),
        (TOO_RISKY, "Above the limit of risk (allow them with -e webhook_doctor_max_risk={risk}):"),
        (OWNED, "Left to their owners, who would put a live change back (webhook_doctor_owned=patch changes them live, too):"),
        (SKIPPED, "Left alone (webhook_doctor_owned=skip):"),
        (MANUAL, "For a person to do:"),
    ):
        items = counts[state]
        if not items:
            continue
        risk = "high" if any(item["risk"] == "high" for item in items) else "medium"
        lines.append(Line(heading.format(risk=risk)))
        for item in items[:_MOST_OF_A_KIND]:
            lines += _item(item)
        if len(items) > _MOST_OF_A_KIND:
            lines.append(Line(f"  and {counted(len(items) - _MOST_OF_A_KIND, 'more item')}; --diff shows all", "faint"))
        lines.append(Line(""))
    return lines


def _summary(counts: Mapping[str, Sequence[Any]]) -> str:
    parts = [
        counted(len(counts[PLANNED]), "change"),
        *([f"{len(counts[TOO_RISKY])} above the limit of risk"] if counts[TOO_RISKY] else []),
        *([f"{len(counts[OWNED])} left to their owners"] if counts[OWNED] else []),
        *([f"{len(counts[SKIPPED])} left alone"] if counts[SKIPPED] else []),
        *([f"{len(counts[MANUAL])} for a person"] if counts[MANUAL] else []),
    ]
    return f"Plan: {', '.join(parts)}."


def _item(item: Mapping[str, Any]) -> Iterator[Line]:
    target = item["target"]
    name = f"{target['namespace']}/{target['name']}" if target["namespace"] else target["name"]
    codes = " ".join(item["codes"])
    passing = " for the time of the repair" if item["temporary"] else ""
    yield Line(f"  {_SIGNS[item['action']]} {target['kind']} {one_line(name, 120)}   {item['risk']} risk{passing}   {item['remedy']} {codes}".rstrip())
    yield Line(f"      {one_line(item['reason'], 600)}")
    if item["state"] in (PLANNED, TOO_RISKY):
        yield from (Line(f"      {line}") for line in _changes(item))
    if not item["rollback"]["possible"] and item["action"] != "manual":
        yield Line(f"      cannot be rolled back: {one_line(item['rollback']['because'] or '', 300)}", "warning")
    for note in item["notes"]:
        yield Line(f"      {one_line(note, 300)}", "faint")
    if item["owner"]:
        owner = item["owner"]
        yield Line(f"      owner: {one_line(owner['kind'], 40)} {one_line(owner['name'], 120)} ({one_line(owner['because'], 300)})")
        yield from (Line(f"        {line}", "faint") for line in _whole(owner["durable"]))
    yield from (Line(f"        {line}", "faint") for line in _whole(item["manual"]))


def _changes(item: Mapping[str, Any]) -> Iterator[str]:
    before, after = item["before"] or {}, item["after"] or {}
    for path in list(after)[:_MOST_CHANGES]:
        yield f"{path}: {_value(before.get(path))} -> {_value(after[path])}"
    if len(after) > _MOST_CHANGES:
        yield f"and {counted(len(after) - _MOST_CHANGES, 'more change')}"


def _value(value: Any) -> str:
    return "(nothing)" if value is None else one_line(json.dumps(value, ensure_ascii=False), _LONGEST)


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Lines that are pasted: in full, but without anything that could act on the terminal."""
    for text in lines:
        for line in str(text).split("\n"):
            yield "".join(character if character.isprintable() else "?" for character in line)


def result_lines(results: Sequence[Result], run: str, journal: str | None, stopped: str | None) -> list[Line]:
    """What became of each item, what is worth looking at last."""
    if not results:
        return []
    lines = []
    ordered = [*(result for result in results if result.state in WELL), *(result for result in results if result.state not in WELL)]
    for result in ordered:
        words, tone = _WORDS[result.state]
        lines.append(Line(f"  {one_line(result.item['id'], 200)}: {words}", tone))
        lines += [Line(f"      {one_line(because, 600)}", None if tone == "good" else tone) for because in result.because if because]
    lines.append(Line(""))
    if stopped:
        lines += [Line(f"Stopped: {one_line(stopped, 600)}", "error"), Line("")]
    if journal:
        lines += [Line(f"journal: {journal}"), Line(f"undo:    ansible-playbook kubeops.webhook_doctor.rollback -e webhook_doctor_run={run}"), Line("")]
    return lines


def undone_lines(undone: Sequence[Undone], check: bool) -> list[Line]:
    """What was taken back, and what could not be."""
    unseen = [one.target["kind"] for one in undone if one.state == UNSEEN]
    undone = [one for one in undone if one.state != UNSEEN]
    closing = [Line(f"Not looked at, because the rights do not permit it: {', '.join(unseen)}.", "faint")] if unseen else []
    if not undone:
        return [Line(""), Line("Nothing to take back: no object that was looked at tells of a change by this collection.", "good"), *closing, Line("")]
    lines = [Line("")]
    words = {DONE: "would be taken back" if check else "taken back", NOTHING: "left as it is", REFUSED: "not taken back"}
    for one in undone:
        target = one.target
        name = f"{target['namespace']}/{target['name']}" if target.get("namespace") else target["name"]
        tone = {DONE: "good", REFUSED: "error"}.get(one.state)
        lines.append(Line(f"  {target['kind']} {one_line(name, 120)}: {words[one.state]} ({one_line(one.what, 200)})", tone))
        if one.because:
            lines.append(Line(f"      {one_line(one.because, 600)}", tone))
    return [*lines, *closing, Line("")]
