# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.md: for a ticket or a merge request (GitHub's and GitLab's dialect). PRIVATE to the collection.

What others wrote stands in code (spans, fences) or is escaped, so that no name can become a heading, a link, a mention or markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .headline import headline, nothing_found, platform, routing, since_baseline, version
from .model import LIVEZ, STATE_NAMES, VANTAGE_NAMES, Callout, FindingView, View
from .path import STATE_WORDS, Hop
from .text import counted, days, listed, moment, one_line, shorten, shown

MOST_PICTURES = 3
_LONGEST = 2000
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@$])")
_LINK = re.compile(r"(?i)(https?|ftp)://|\bwww\.")
_SEVERITY_WORDS = {"error": "Error", "warning": "Warning", "info": "Note"}
_MARKS = {"ok": "✔", "broken": "✘", "warning": "⚠", "unreached": "·", "unknown": "?"}


def render_markdown(view: View) -> str:
    """The whole file."""
    parts = (_top, _findings, _callouts, _gaps, _platform, _gone, _suppressed, _instances, _end)
    return "\n".join(line for part in parts for line in part(view)) + "\n"


def escaped(text: object) -> str:
    """`text` on one line, as text: nothing in it is markup, and no address in it becomes a link."""
    line = _MARKUP.sub(r"\\\1", one_line(text, _LONGEST))
    return _LINK.sub(lambda match: match.group().replace("://", ":\u2060//").replace("www.", "www\u2060."), line).replace("\n", " ")


def code(text: object) -> str:
    """`text` in a code span that it cannot end; fit for a table."""
    line = one_line(text, _LONGEST)
    if not line:
        return ""
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{pad}{line}{pad}{ticks}".replace("|", "\\|")


def fence(text: str, language: str = "") -> str:
    """`text` in a fenced block that it cannot end."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{language}\n{shown(text)}\n{ticks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def _top(view: View) -> Iterator[str]:
    summary = view.summary
    yield f"# {headline(summary)}"
    yield ""
    if summary["example"]:
        yield (
            "> **This is an example**: the saved observation of a test cluster that was broken on purpose, not your cluster. "
            "For yours: `make diagnose KUBECONFIG=~/.kube/config`"
        )
        yield ""
    found, callouts = summary["findings"], summary["callouts"]
    through = ", ".join(VANTAGE_NAMES[vantage] for vantage in summary["seen_through"])
    facts = [
        f"Cluster {code(summary['cluster'])}",
        escaped(version(summary)),
        platform(summary),
        routing(summary),
        f"observed {escaped(moment(summary['observed_at']))}",
    ]
    yield " · ".join(fact for fact in facts if fact) + "  "
    yield f"Seen through: {through or 'nothing; this judges only what is configured'}  "
    yield (
        f"{counted(found['error'], 'error')}, {counted(found['warning'], 'warning')}, {counted(found['info'], 'note')}, {found['suppressed']} suppressed; "
        f"{callouts['healthy'] + callouts['at_risk']} of {counted(callouts['total'], 'call-out')} proven to work, {callouts['unproven']} not proven"
        f"{'  ' if summary.get('baseline') else ''}"
    )
    since = since_baseline(summary)
    if since:
        yield escaped(since.capitalize())
    yield ""


def _findings(view: View) -> Iterator[str]:
    yield "## Findings"
    yield ""
    if not view.findings:
        yield nothing_found(view.summary)
        yield ""
    for finding in view.findings:
        yield from _finding(finding)


def _finding(finding: FindingView) -> Iterator[str]:
    yield f"### {'New: ' if finding.new else ''}{_SEVERITY_WORDS[finding.severity]} {escaped(finding.code)}: {escaped(finding.title)}"
    yield ""
    yield f"{code(finding.name)} ({escaped(finding.about)})"
    yield ""
    for picture in finding.pictures[:MOST_PICTURES]:
        names = f"{listed([code(name) for name in picture.callouts], 4)}: " if len(finding.pictures) > 1 else ""
        yield f"{names}{' → '.join(_hop(hop) for hop in picture.hops)}"
        yield ""
    if len(finding.pictures) > MOST_PICTURES:
        yield f"and {counted(len(finding.pictures) - MOST_PICTURES, 'more path')} like these"
        yield ""
    if finding.impact:
        yield f"**{finding.impact_label.capitalize()}:** {escaped(finding.impact)}"
        yield ""
    if finding.evidence:
        yield "**Because:**"
        yield ""
        for line in finding.evidence:
            yield f"- {escaped(line)}"
        yield ""
    if finding.steps:
        yield "**What to do:**"
        yield ""
        for step in finding.steps:
            yield fence(step.text, "sh") if step.command else escaped(step.text)
            yield ""
    if finding.confirm:
        yield "**To confirm it by hand:**"
        yield ""
        yield fence("\n".join(step.text if step.command else f"# {step.text}" for step in finding.confirm), "sh")
        yield ""
    if finding.page:
        yield f"More about this: {finding.page}"
        yield ""
    if [name for name, _object in finding.affected] not in ([], [finding.name]):
        yield f"**Affects {counted(len(finding.affected), 'call-out')}:** {', '.join(code(name) for name, _object in finding.affected)}"
        yield ""


def _hop(hop: Hop) -> str:
    said = f" **{STATE_WORDS[hop.state] if hop.note is None else escaped(hop.note)}**" if hop.state in ("broken", "warning") else ""
    detail = f" {code(hop.detail)}" if hop.detail and hop.state != "unreached" else ""
    return f"{_MARKS[hop.state]} {hop.label}{said}{detail}"


def _callouts(view: View) -> Iterator[str]:
    yield "## All call-outs"
    yield ""
    if not view.callouts:
        yield nothing_found(view.summary)
        yield ""
        return
    yield "| State | Call-out | Kind | Back end | On failure | Proven through | Slowest | Certificates | Findings |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for callout in view.callouts:
        yield "| " + " | ".join(_cells(callout)) + " |"
    yield ""


def _cells(callout: Callout) -> list[str]:
    return [
        STATE_NAMES[callout.state],
        code(callout.name),
        callout.kind,
        code(callout.target),
        f"{'blocks' if callout.policy == 'Fail' else 'lets pass'}, {callout.timeout_seconds} s",
        ", ".join(VANTAGE_NAMES[vantage] for vantage in callout.proven) or escaped(shorten(callout.why_unproven or "–", 300)),
        "–" if callout.latency_ms is None else f"{callout.latency_ms} ms",
        "–" if callout.days_left is None else days(callout.days_left),
        escaped(", ".join(callout.codes)),
    ]


def _gaps(view: View) -> Iterator[str]:
    if not view.summary["not_seen"] and not view.summary["silent"]:
        return
    yield "## What could not be seen"
    yield ""
    yield "| What | Why | What it means for this report |"
    yield "|---|---|---|"
    for silent in view.summary["silent"]:
        said = f": {code(shorten(silent['reason'], 500))}" if silent["reason"] else ""
        yield f"| {VANTAGE_NAMES[silent['vantage']]} | {silent['why'].replace('_', ' ')}{said} | Back ends were not seen from there. |"
    for gap in view.summary["not_seen"]:
        why = escaped((gap["reason"] or "").replace("_", " "))
        said = f": {code(shorten(gap['message'], 500))}" if gap["message"] else ""
        yield f"| {code(gap['what'])} | {why}{said} | {escaped(gap['consequence'] or '')} |"
    yield ""


def _gone(view: View) -> Iterator[str]:
    gone = (view.summary.get("baseline") or {}).get("gone")
    if not gone:
        return
    yield "## Gone since the baseline"
    yield ""
    for finding in gone:
        yield f"- {escaped(finding['code'])} {code(finding['name'])}: {escaped(finding['title'])}"
    yield ""


def _platform(view: View) -> Iterator[str]:
    if not view.summary["platform"]["signals"]:
        return
    yield "## Platform"
    yield ""
    for signal in view.summary["platform"]["signals"]:
        yield f"- {escaped(signal)}"
    yield ""


def _suppressed(view: View) -> Iterator[str]:
    if not view.suppressed:
        return
    yield "## Suppressed"
    yield ""
    for finding in view.suppressed:
        until = f" (until {escaped(finding['until'])})" if finding["until"] else ""
        name = finding["subject"]["webhook"] or finding["subject"]["name"]
        yield f"- {escaped(finding['code'])} {code(name)}: {escaped(finding['reason'] or 'no reason given')}{until}"
    yield ""


def _instances(view: View) -> Iterator[str]:
    """The API servers, each with the certificate by which it talks to itself, or why that cannot be seen from here."""
    loopback = view.summary["loopback"]
    if not loopback:
        return
    yield "## API servers"
    yield ""
    yield "| Instance | Address | Loopback certificate ends | Process started | Liveness check for it |"
    yield "|---|---|---|---|---|"
    for one in loopback:
        ends = f"{escaped(one['not_after'])} ({days(one['days_left'])})" if one["not_after"] else f"cannot be seen from here: {escaped(one['reason'])}"
        yield f"| {code(one['instance'])} | {code(one['address'] or '')} | {ends} | {escaped(one['started'] or '–')} | {LIVEZ[one['livez_check']]} |"
    yield ""


def _end(view: View) -> Iterator[str]:
    yield f"Made by kubeops.webhook_doctor {escaped(view.summary['collection_version'])}. The observation is in `bundle.json` (no secrets in it)."
