# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary that a person reads in a terminal. PRIVATE to the collection.

Lines of plain text, each with a tone; whoever prints them may give a tone a colour. Nothing here writes an escape sequence.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .headline import numbers, since_baseline, stand
from .model import VANTAGE_NAMES, FindingView, Group, View, grouped
from .text import counted, listed, one_line

NARROWEST, WIDEST = 60, 140
# So many findings are told in full; of the others each code is told once, with so many names.
IN_FULL = {"error": 10, "warning": 3, "info": 0}
MOST_NAMES = 6
MOST_EVIDENCE, MOST_COMMANDS, MOST_GAPS = 3, 4, 6
LONGEST = 600

WORDS = {"error": "ERROR", "warning": "WARN", "info": "INFO"}
ROUTINGS = {"endpoint": "endpoint routing", "cluster_ip": "ClusterIP routing"}
_INDENT = " " * 7


@dataclass(frozen=True)
class Line:
    """tone: error|warning|info|good|faint, or None for plain text."""

    text: str
    tone: str | None = None


def summary_lines(view: View, width: int, files: Mapping[str, str]) -> list[Line]:
    """The whole summary at most `width` columns wide (but commands, which are pasted, are never broken).

    files: what was written, by kind (html, markdown, json, bundle): path. Empty if nothing was.
    """
    width = max(NARROWEST, min(width, WIDEST))
    lines = [Line(""), *_headline(view.summary, width), Line("")]
    full = _told_in_full(view.findings)
    for position in full:
        lines += [*finding_lines(view.findings[position], width), Line("")]
    rest = [item for item in enumerate(view.findings) if item[0] not in full]
    if rest:
        lines += [*_in_short(grouped(rest), width), Line("")]
    lines += _closing(view, width)
    lines += _since(view, width)
    lines += [Line(f"{kind}: {path}") for kind, path in _shown_files(files)]
    return [*lines, Line("")]


def _told_in_full(findings: Sequence[FindingView]) -> list[int]:
    """Positions of the findings that are told in full: of each code the first, then others, as many as there is room for."""
    chosen: list[int] = []
    for severity, most in IN_FULL.items():
        candidates = [position for position, finding in enumerate(findings) if finding.severity == severity]
        firsts = {findings[position].code: position for position in reversed(candidates)}.values()
        chosen += sorted([*sorted(firsts), *(position for position in candidates if position not in set(firsts))][:most])
    return chosen


def _headline(summary: Mapping[str, Any], width: int) -> Iterator[Line]:
    if summary["example"]:
        yield from wrapped(
            "EXAMPLE: this is the saved observation of a test cluster, broken on purpose. It is not your cluster; "
            "for yours: make diagnose KUBECONFIG=~/.kube/config",
            width,
            tone="warning",
        )
        yield Line("")
    facts = [
        f"cluster {one_line(summary['cluster'], 80)}",
        f"Kubernetes {one_line(summary['kubernetes'], 40).removeprefix('v')}" if summary["kubernetes"] else "Kubernetes version not known",
        summary["platform"]["label"],
        ROUTINGS.get(summary["routing"]),
        f"{counted(summary['callouts']['total'], 'call-out')}, {counted(summary['backends'], 'back end')}",
        f"{summary['took_seconds']:.1f} s" if summary["took_seconds"] is not None else None,
    ]
    yield from wrapped(" · ".join(fact for fact in facts if fact), width)
    through = ", ".join(VANTAGE_NAMES[vantage] for vantage in summary["seen_through"])
    yield from wrapped(f"seen through: {through or 'nothing; this judges only what is configured'}", width, hang=14)
    gaps = [f"{VANTAGE_NAMES[silent['vantage']]} ({silent['why'].replace('_', ' ')})" for silent in summary["silent"]]
    gaps += [f"{one_line(gap['what'], 60)} ({one_line(gap['reason'], 40).replace('_', ' ')})" for gap in summary["not_seen"]]
    if gaps:
        yield from wrapped(f"not seen: {listed(gaps, MOST_GAPS)}", width, hang=10)
    if any(silent["why"] == "forbidden" for silent in summary["silent"]):
        yield from wrapped("docs/rbac/diagnose-probing.yaml gives the rights to see through more", width, first=" " * 10, hang=10)


def finding_lines(finding: FindingView, width: int) -> Iterator[Line]:
    """One finding, told in full: what, what it blocks, why we believe it, what to do."""
    yield from wrapped(f"{_head(finding)}  ({one_line(finding.about, 200)})", width, hang=len(_INDENT), tone=finding.severity)
    yield from wrapped(f"{one_line(finding.title, LONGEST)}", width, first=_INDENT, hang=len(_INDENT))
    if finding.impact:
        yield from _labelled(finding.impact_label, one_line(finding.impact, LONGEST), width)
    for number, evidence in enumerate(finding.evidence[:MOST_EVIDENCE]):
        yield from _labelled("because" if number == 0 else "and", one_line(evidence, LONGEST), width)
    if len(finding.evidence) > MOST_EVIDENCE:
        yield from _labelled("and", f"{counted(len(finding.evidence) - MOST_EVIDENCE, 'more observation')} in the report", width)
    names = [one_line(name, 120) for name, _object in finding.affected if name != finding.name]
    if names:
        yield from _labelled("affects", listed(names, 4), width)
    for number, step in enumerate(finding.steps[:MOST_COMMANDS]):
        label = "do" if number == 0 else " " * 2
        if step.command:
            yield Line(f"{_INDENT}{label}{':' if number == 0 else ' '} {one_line(step.text)}")
        else:
            yield from wrapped(one_line(step.text, LONGEST), width, first=f"{_INDENT}{label}{':' if number == 0 else ' '} ", hang=len(_INDENT) + 4)
    if finding.page:
        yield Line(f"{_INDENT}more: {finding.page}", "faint")


def _in_short(groups: Sequence[Group], width: int) -> Iterator[Line]:
    for group in groups:
        yield from wrapped(f"{WORDS[group.severity]:<5}  {group.code}  {one_line(group.title, LONGEST)}", width, hang=len(_INDENT), tone=group.severity)
        yield from wrapped(listed([one_line(name, 120) for _position, name in group.members], MOST_NAMES), width, first=_INDENT, hang=len(_INDENT))


def _head(finding: FindingView) -> str:
    return f"{WORDS[finding.severity]:<5}  {finding.code}  {'NEW  ' if finding.new else ''}{one_line(finding.name, 120)}"


def _closing(view: View, width: int) -> Iterator[Line]:
    """One line that says how it stands."""
    counts, callouts = view.summary["findings"], view.summary["callouts"]
    tone = "error" if counts["error"] else "warning" if counts["warning"] else "good" if callouts["healthy"] == callouts["total"] else None
    yield from wrapped(f"{numbers(counts)}; {stand(callouts, gaps=bool(view.summary['not_seen']))}", width, tone=tone)


def _since(view: View, width: int) -> Iterator[Line]:
    line = since_baseline(view.summary)
    if line is None:
        return
    baseline = view.summary["baseline"]
    yield from wrapped(line, width, tone="error" if baseline["new_by_severity"]["error"] else "good" if not baseline["new"] else None)
    if baseline["gone"]:
        yield from wrapped(f"gone: {listed([_gone(finding) for finding in baseline['gone']], MOST_NAMES)}", width, hang=6)


def _gone(finding: Mapping[str, Any]) -> str:
    return f"{one_line(finding['code'], 10)} {one_line(finding['name'], 120)}"


def _shown_files(files: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(word, files[kind]) for kind, word in (("html", "report"), ("bundle", "bundle")) if kind in files]


def _labelled(label: str, text: str, width: int) -> Iterator[Line]:
    yield from wrapped(text, width, first=f"{_INDENT}{label}: ", hang=len(_INDENT) + 4)


def wrapped(text: str, width: int, *, first: str = "", hang: int = 0, tone: str | None = None) -> Iterator[Line]:
    """`text` on lines of at most `width`, the first one after `first`, the others indented by `hang`. Words are not broken: names are to be pasted."""
    for line in textwrap.wrap(text, width, initial_indent=first, subsequent_indent=" " * hang, break_on_hyphens=False, break_long_words=False) or [first]:
        yield Line(line, tone)
