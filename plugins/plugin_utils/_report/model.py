# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every rendering of a report shows, prepared once. PRIVATE to the collection.

Bundle and findings in, plain values out; the renderers (terminal, markdown, html) only lay them out. Deterministic: no clock, no environment.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._diagnosis.checked import moment
from .._diagnosis.cni import judge_cni
from .._diagnosis.loopback import nowhere, read_loopbacks
from .._diagnosis.observed import Probe, Trust
from .._diagnosis.platform import evidence, judge_platform
from .baseline import Baseline, compared
from .naming import name_of_subject, placed
from .path import Hop, path_of

SEVERITIES = ("error", "warning", "info")
VANTAGE_NAMES = {"apiserver": "API server dry run", "service_proxy": "service proxy", "port_forward": "port-forward", "direct": "direct"}
# The right in facts.source.access that a vantage needs.
_RIGHTS = {"apiserver": "dry_run", "service_proxy": "service_proxy", "port_forward": "port_forward"}
KIND_NAMES = {"validating": "validating webhook", "mutating": "mutating webhook", "conversion": "conversion webhook", "apiservice": "aggregated API"}
# Where the pages of the finding codes can be read; a report is mailed to people who do not have the collection.
PAGES = "https://github.com/kubeops/webhook_doctor/blob/main"
_OUR_PAGE = re.compile(r"docs/findings/WD\d{3}\.md")
# Worst first.
STATES = ("failing", "open", "at_risk", "unproven", "healthy")
# The finding about call-outs that no vantage could judge.
_NOT_JUDGED = "WD902"
STATE_NAMES = {"failing": "failing", "open": "failing open", "at_risk": "at risk", "unproven": "not proven", "healthy": "healthy"}
# Whether this version has a liveness check that notices an expired loopback certificate.
LIVEZ = {True: "yes (1.36 and newer)", False: "no", None: "not known"}


@dataclass(frozen=True)
class Callout:
    """One row of the table of all call-outs. proven: the vantages that got a good answer. latency_ms: of the slowest of them."""

    id: str
    name: str
    kind: str
    object: str
    target: str
    policy: str
    timeout_seconds: int
    state: str
    codes: tuple[str, ...]
    proven: tuple[str, ...]
    why_unproven: str | None
    latency_ms: int | None
    days_left: float | None


@dataclass(frozen=True)
class Picture:
    """One path, and the call-outs whose path it is (names)."""

    hops: tuple[Hop, ...]
    callouts: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A remedy's step: a command to paste, or a sentence."""

    text: str
    command: bool


@dataclass(frozen=True)
class FindingView:
    """A finding, ready to be laid out. about: `Kind name`. affected: (name, kind and object) of each call-out that it affects.

    steps: what to do; confirm: how to see it by hand. docs: the page of the code within the collection; page: its URL.
    """

    code: str
    severity: str
    title: str
    name: str
    about: str
    impact_label: str
    impact: str | None
    evidence: tuple[str, ...]
    steps: tuple[Step, ...]
    confirm: tuple[Step, ...]
    affected: tuple[tuple[str, str], ...]
    pictures: tuple[Picture, ...]
    docs: str | None
    page: str | None
    new: bool = False  # not in the baseline


@dataclass(frozen=True)
class Group:
    """Findings of one code and severity. members: (position in View.findings from 1, name)."""

    code: str
    severity: str
    title: str
    members: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class View:
    """The report. summary: as in report.json."""

    summary: Mapping[str, Any]
    findings: tuple[FindingView, ...]
    suppressed: tuple[Mapping[str, Any], ...]
    callouts: tuple[Callout, ...]
    instances: tuple[Mapping[str, Any], ...]


def view_of(
    bundle: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]],
    suppressed: Sequence[Mapping[str, Any]] = (),
    version: str | None = None,
    baseline: Baseline | None = None,
) -> View:
    """All that is shown of these findings about this bundle.

    suppressed: findings that were accepted, each with `reason` and `until`. version: of the collection that judged (default: that observed).
    baseline: an earlier report that this one is compared with.
    """
    since = compared(baseline, findings, suppressed) if baseline else None
    new = frozenset(since["new"] if since else ())
    facts = bundle["facts"]
    probes, verdicts = _by_callout(bundle["probes"]), _telling_verdicts(bundle["verdicts"])
    affecting = _affecting(findings, facts["callouts"])
    backends = {backend["id"]: backend for backend in facts["backends"]}
    callouts = {callout["id"]: callout for callout in facts["callouts"]}
    rows = [_row(callout, affecting[callout["id"]], probes[callout["id"]], verdicts.get(callout["id"])) for callout in facts["callouts"]]
    instances = facts["control_plane"]["instances"]

    def path(callout: str, finding: Mapping[str, Any]) -> tuple[Hop, ...]:
        seen = callouts[callout]
        return path_of(seen, backends.get(seen["backend"]), len(instances), probes[callout], verdicts.get(callout), finding)

    views = []
    for finding in sorted(findings, key=lambda finding: SEVERITIES.index(finding["severity"])):
        affected = [callouts[callout] for callout in finding["affects"] if callout in callouts]
        view = _finding_view(finding, affected, _pictures([(name_of(callout), path(callout["id"], finding)) for callout in affected]))
        views.append(replace(view, new=finding["fingerprint"] in new))
    rows.sort(key=lambda row: (STATES.index(row.state), row.id))
    return View(
        summary={**_summary(bundle, findings, suppressed, rows, version or bundle["collection_version"]), "baseline": since},
        findings=tuple(views),
        suppressed=tuple(suppressed),
        callouts=tuple(rows),
        instances=tuple(instances),
    )


def grouped(numbered: Iterable[tuple[int, FindingView]]) -> tuple[Group, ...]:
    """The findings by code and severity, in their order."""
    groups: dict[tuple[str, str], list[tuple[int, FindingView]]] = defaultdict(list)
    for number, finding in numbered:
        groups[finding.severity, finding.code].append((number, finding))
    return tuple(
        Group(code, severity, members[0][1].title, tuple((number, finding.name) for number, finding in members)) for (severity, code), members in groups.items()
    )


def name_of(callout: Mapping[str, Any]) -> str:
    """What a person calls this call-out."""
    return callout["webhook"] or callout["object"]["name"]


def _by_callout(probes: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for probe in probes:
        for callout in probe["callouts"]:
            found[callout].append(probe)
    return found


def _telling_verdicts(verdicts: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The verdict of each call-out that says most: a refusal, else an acceptance, else one without a chain."""
    found: dict[str, Mapping[str, Any]] = {}
    for verdict in sorted(verdicts, key=lambda verdict: (verdict["trusted"] is not None, verdict["trusted"] is False)):
        if not verdict.get("source"):
            found.update(dict.fromkeys(verdict["callouts"], verdict))
    return found


def _affecting(findings: Sequence[Mapping[str, Any]], callouts: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The findings about each call-out.

    One back end may serve call-outs that block and such that let pass (Gatekeeper's does): the finding about it is an error, for the latter a warning.
    """
    open_ones = {callout["id"] for callout in callouts if callout["failure_policy"] == "Ignore"}
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for finding in findings:
        mixed = finding["severity"] == "error" and finding["cause"] and not open_ones.issuperset(finding["affects"])
        for callout in finding["affects"]:
            found[callout].append({**finding, "severity": "warning"} if mixed and callout in open_ones else finding)
    return found


def _state(callout: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], proven: Sequence[str]) -> str:
    """failing: requests fail. open: calls fail, requests pass unseen. at_risk: works, but will fail. unproven: nobody got an answer, nobody found a fault."""
    codes = {finding["code"] for finding in findings}
    if any(finding["severity"] == "error" for finding in findings):
        return "failing"
    warnings = [finding for finding in findings if finding["severity"] == "warning"]
    if any(finding["cause"] for finding in warnings) and callout["failure_policy"] == "Ignore":
        return "open"
    if not proven or _NOT_JUDGED in codes:
        return "unproven"
    return "at_risk" if warnings else "healthy"


def _row(callout: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], probes: Sequence[Mapping[str, Any]], verdict: Mapping[str, Any] | None) -> Callout:
    good = [probe for probe in probes if probe["ok"]]
    proven = tuple(vantage for vantage in VANTAGE_NAMES if any(probe["vantage"] == vantage for probe in good))
    totals = [probe["elapsed_ms"]["total"] for probe in good if probe["elapsed_ms"]["total"] is not None]
    left = [certificate["days_left"] for certificate in (verdict or {}).get("certificates") or () if certificate["days_left"] is not None]
    unprovable = next((probe["reason"] for probe in probes if probe["vantage"] == "apiserver" and not probe["provable"] and probe["reason"]), None)
    service = callout["client"]["service"]
    return Callout(
        id=callout["id"],
        name=name_of(callout),
        kind=KIND_NAMES[callout["kind"]],
        object=f"{callout['object']['kind']} {callout['object']['name']}",
        target=f"{service['namespace']}/{service['name']}:{service['port']}" if service else str(callout["client"]["url"]),
        policy=callout["failure_policy"] or "Fail",
        timeout_seconds=callout["timeout_seconds"],
        state=_state(callout, findings, proven),
        codes=tuple(dict.fromkeys(finding["code"] for finding in findings)),
        proven=proven,
        why_unproven=unprovable,
        latency_ms=round(max(totals)) if totals else None,
        days_left=min(left) if left else None,
    )


def _pictures(paths: Sequence[tuple[str, tuple[Hop, ...]]]) -> tuple[Picture, ...]:
    """One picture for all call-outs that break in the same place in the same way; what differs between them is left out of it."""
    alike: dict[tuple[tuple[str, str, str | None], ...], list[tuple[str, tuple[Hop, ...]]]] = defaultdict(list)
    for name, hops in paths:
        if hops:
            alike[tuple((hop.key, hop.state, hop.note) for hop in hops)].append((name, hops))
    return tuple(
        Picture(tuple(_merged(same) for same in zip(*(hops for _name, hops in group), strict=True)), tuple(name for name, _hops in group))
        for group in alike.values()
    )


def _merged(hops: Sequence[Hop]) -> Hop:
    details = dict.fromkeys(hop.detail for hop in hops)
    if len(details) == 1:
        return hops[0]
    return replace(hops[0], detail=f"{len(details)} different" if hops[0].key == "service" else None)


def _finding_view(finding: Mapping[str, Any], affected: Sequence[Mapping[str, Any]], pictures: tuple[Picture, ...]) -> FindingView:
    subject = finding["subject"]
    return FindingView(
        code=finding["code"],
        severity=finding["severity"],
        title=finding["title"],
        name=name_of_subject(subject),
        about=f"{subject['kind']} {placed(subject)}" if subject["webhook"] else subject["kind"],
        impact_label=_impact_label(finding, affected),
        impact=finding["impact"],
        evidence=tuple(finding["evidence"]),
        steps=(*_by_role(finding["remedy"]["role"]), *_steps(finding["remedy"]["manual"])),
        confirm=_steps(finding["confirm"]),
        affected=tuple((name_of(callout), f"{callout['object']['kind']} {callout['object']['name']}") for callout in affected),
        pictures=pictures,
        docs=finding["docs"],
        page=f"{PAGES}/{finding['docs']}" if finding["docs"] and _OUR_PAGE.fullmatch(finding["docs"]) else None,
    )


def _by_role(role: str | None) -> tuple[Step, ...]:
    """The preview of what the collection itself would do about it."""
    return (Step(f"ansible-playbook kubeops.webhook_doctor.remediate -e webhook_doctor_remedies={role} --check --diff", True),) if role else ()


def _steps(steps: Sequence[str]) -> tuple[Step, ...]:
    """A step that begins with `# ` is a sentence, any other a command (see the catalogue)."""
    return tuple(Step(step.removeprefix("# "), not step.startswith("# ")) for step in steps)


def _impact_label(finding: Mapping[str, Any], affected: Sequence[Mapping[str, Any]]) -> str:
    """How the impact is to be read: an error blocks; a dead call-out with failurePolicy Ignore lets pass, unchecked or unchanged; the rest is a forecast."""
    if finding["severity"] == "error":
        return "blocked now"
    if finding["cause"] and affected and all(callout["failure_policy"] == "Ignore" for callout in affected):
        return "unchanged now" if all(callout["kind"] == "mutating" for callout in affected) else "unguarded now"
    return "at stake"


def _loopback(bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The loopback certificate of each API server instance, or why it cannot be seen from here, also where nothing is wrong."""
    facts = bundle["facts"]
    if not facts["control_plane"]["instances"]:
        return [nowhere(facts)]
    at = moment(facts["source"]["observed_at"])
    probes = [Probe.of(probe) for probe in bundle["probes"] if not probe["callouts"]]
    trusts = [Trust.of(verdict, at) for verdict in bundle["verdicts"] if not verdict["callouts"]]
    return [one.shown() for one in read_loopbacks(facts, probes, trusts)]


def _silent(bundle: Mapping[str, Any], asked: set[str]) -> list[dict[str, str | None]]:
    """The vantages that told nothing: (vantage, why: forbidden|told_nothing, reason: in words)."""
    access = bundle["facts"]["source"]["access"]
    told_nothing = {probe["vantage"]: probe["reason"] for probe in reversed(bundle["probes"]) if probe["vantage"] not in asked}
    silent: list[dict[str, str | None]] = []
    for vantage in VANTAGE_NAMES:
        if vantage in told_nothing:
            silent.append({"vantage": vantage, "why": "told_nothing", "reason": told_nothing[vantage]})
        elif vantage not in asked and access.get(_RIGHTS.get(vantage, "")) is False:
            silent.append({"vantage": vantage, "why": "forbidden", "reason": "the rights do not permit it; docs/rbac/diagnose-probing.yaml gives them"})
    return silent


def _platform(facts: Mapping[str, Any]) -> dict[str, Any]:
    """On what the cluster runs, as far as it is known, and why that is believed."""
    platform = judge_platform(facts)
    plugins = judge_cni(facts, platform.name)
    signals = [*evidence(platform), *([f"{plugins.label}: {'; '.join(plugins.because)}"] if plugins.label else [])]
    return {"name": platform.name, "label": platform.label, "network_plugin": plugins.label, "signals": signals}


def _summary(
    bundle: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], suppressed: Sequence[Mapping[str, Any]], rows: Sequence[Callout], version: str
) -> dict[str, Any]:
    facts = bundle["facts"]
    source = facts["source"]
    counts = {severity: sum(finding["severity"] == severity for finding in findings) for severity in SEVERITIES}
    asked = {probe["vantage"] for probe in bundle["probes"] if probe["provable"]}
    return {
        "collection_version": version,
        "example": bundle["example"],
        "cluster": source["cluster"],
        "server": source["server"],
        "source": source["kind"],
        "observed_at": source["observed_at"],
        "took_seconds": bundle.get("took_seconds"),
        "kubernetes": facts["version"]["git_version"],
        "routing": facts["control_plane"]["routing"],
        "platform": _platform(facts),
        "findings": {**counts, "suppressed": len(suppressed)},
        "callouts": {"total": len(rows), **{state: sum(row.state == state for row in rows) for state in STATES}},
        "backends": len(facts["backends"]),
        "loopback": _loopback(bundle),
        "seen_through": [vantage for vantage in VANTAGE_NAMES if vantage in asked],
        "silent": _silent(bundle, asked),
        "not_seen": [dict(gap) for gap in facts["coverage"]],
    }
