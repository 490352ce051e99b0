# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan, guards and report as a person reads them. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._report.terminal import Line, wrapped
from .._report.text import moment, one_line

_LONGEST = 500
_INDENT = "  "


def plan_lines(plan: Mapping[str, Any], width: int) -> list[Line]:
    """What would be done, to whom, in which order, when, and what every guard says."""
    tone = {"go": None, "nothing": "good"}.get(plan["outcome"], "warning")
    lines = [Line(""), *wrapped(_sentence(plan["says"]), width, tone=tone)]
    places = {turn["host"]: (number, turn["last"]) for number, turn in enumerate(plan["order"], 1)}
    for one in sorted(plan["instances"], key=lambda item: places.get(item["host"], (len(places) + 1, []))[0]):
        number, last = places.get(one["host"], (None, []))
        late = f"; this late because {' and '.join(last)}" if last and len(places) > 1 else ""
        unready = "" if one["ready"] else "; not ready" if one["ready"] is False else ""
        text = f"{one['host']}  {one_line(one['says'], _LONGEST)}{unready}{late}"
        lines += wrapped(text, width, first=f"{_INDENT}{f'{number}.' if number else '':<4}", hang=8, tone=None if number else "faint")
    lines += [Line(""), Line("Guards:"), *guard_lines(plan["guards"], width)]
    window = plan["window"]
    if plan["order"] and (window["opens"] or window["closes"]):
        until = f"now, until {moment(window['closes'])}" if window["closes"] else f"from {moment(window['opens'])} on"
        lines += wrapped(f"When: {until}", width)
    return [*lines, Line("")]


def guard_lines(guards: Iterable[Mapping[str, Any]], width: int) -> Iterator[Line]:
    for guard in guards:
        word, tone = _mark(guard)
        subject = f"{one_line(guard['subject'], 200)}: " if guard["subject"] else ""
        text = f"{guard['name']:<16}{subject}{one_line(guard['says'], _LONGEST)}"
        yield from wrapped(text, width, first=f"{_INDENT}{word:<9}", hang=27, tone=tone)


def report_lines(report: Mapping[str, Any], width: int, files: Mapping[str, str]) -> list[Line]:
    """Old and new end of each certificate, and how it ended. files: kind: path."""
    tone = {"stopped": "error", "refused": "warning", "waiting": "warning"}.get(report["outcome"], "good" if report["outcome"] in ("done", "nothing") else None)
    lines = [Line(""), *wrapped(_sentence(report["says"]), width, tone=tone)]
    for one in report["instances"]:
        lines += _instance_lines(one, width)
    failure = report["failure"]
    if failure and failure["logs"]:
        lines += [Line(f"{_INDENT}the last it said:", "faint"), *(Line(f"{_INDENT * 2}{one_line(line, 300)}", "faint") for line in failure["logs"][-10:])]
    lines += [Line(f"{kind}: {path}") for kind, path in files.items()]
    return [*lines, Line("")]


def text_of(report: Mapping[str, Any], plan: Mapping[str, Any], width: int = 120) -> str:
    """The text file beside the JSON: the report, then the plan that it comes from."""
    lines = [*report_lines(report, width, {}), Line("The plan was:"), *plan_lines(plan, width)]
    return "".join(f"{line.text.rstrip()}\n" for line in lines)


def _instance_lines(one: Mapping[str, Any], width: int) -> Iterator[Line]:
    words = {
        "done": ("renewed", "good"),
        "failed": ("FAILED", "error"),
        "not_touched": ("not touched", "warning"),
        "would_be_done": ("would be done", None),
        "cooling": ("left alone", "faint"),
        "unknown": ("not judged", "warning"),
    }
    word, tone = words.get(one["outcome"], ("as it is", "faint"))
    old, new = one["old"], one["new"]
    if new and one["outcome"] in ("done", "failed"):
        took = f", {one['seconds']:.0f} s" if one["seconds"] is not None else ""
        ends = [moment(certificate["not_after"]) or "not known" for certificate in (old, new)]
        if old["not_after"] != new["not_after"]:
            text = f"certificate until {ends[0]} -> {ends[1]}{took}"
        else:  # the step was another one than a restart of kube-apiserver
            word = "done" if one["outcome"] == "done" else word
            text = f"certificate until {ends[0]}, as before{took}"
    else:
        text = one_line(one["says"], _LONGEST)
    yield from wrapped(f"{one['host']}  {text}", width, first=f"{_INDENT}{word:<14}", hang=16, tone=tone)
    for note in one["notes"]:
        yield from wrapped(one_line(note, _LONGEST), width, first=" " * 16, hang=16, tone="faint")


def _mark(guard: Mapping[str, Any]) -> tuple[str, str | None]:
    if guard["ok"]:
        return "ok", "good"
    if guard["accepted"]:
        return "accepted", "warning"
    if guard["warning"]:
        return "warning", "warning"
    return ("STOP", "error") if guard["ok"] is False else ("UNKNOWN", "error")


def _sentence(text: str) -> str:
    line = one_line(text, 2000)
    return f"{line[:1].upper()}{line[1:]}."
