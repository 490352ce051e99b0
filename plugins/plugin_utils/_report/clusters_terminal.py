# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of many clusters, as a person reads it in a terminal. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .clusters import Cluster, by_state, worst_first
from .headline import numbers, stand
from .terminal import NARROWEST, WIDEST, Line, wrapped
from .text import counted, listed, one_line

WORDS = {"failed": "FAILED", "error": "ERROR", "warning": "WARN", "good": "OK"}
_TONES = {"failed": "error", "error": "error", "warning": "warning", "good": "good"}
_MOST_NAMES, _LONGEST_NAME, _LONGEST = 12, 40, 400


def clusters_lines(clusters: Sequence[Cluster], width: int, files: Mapping[str, str]) -> list[Line]:
    """One paragraph for each cluster, worst first, then how it stands with all of them.

    files: what was written about all of them, by kind (html, json): path.
    """
    width = max(NARROWEST, min(width, WIDEST))
    column = max((len(_name(cluster)) for cluster in clusters), default=0)
    lines = [Line("")]
    for cluster in worst_first(clusters):
        lines += _cluster(cluster, column, width)
    lines += [Line(""), *wrapped(f"{counted(len(clusters), 'cluster')}: {in_states(clusters)}", width, tone=_tone(clusters))]
    lines += _ending(clusters, width)
    lines += [Line(f"{word}: {files[kind]}") for kind, word in (("html", "all reports"), ("json", "as data")) if kind in files]
    return [*lines, Line("")]


def in_states(clusters: Sequence[Cluster]) -> str:
    """`1 failed, 2 with errors, 7 good`."""
    counts = by_state(clusters)
    words = {"failed": "failed", "error": "with errors", "warning": "with warnings", "good": "good"}
    return ", ".join(f"{counts[state]} {words[state]}" for state in words if counts[state]) or "none"


def parts(cluster: Cluster) -> Iterator[str]:
    """What is told of it, in this order: why it failed or how it stands, its version, the worst finding."""
    if cluster.why:
        yield one_line(cluster.why, _LONGEST)
    if cluster.kubernetes:
        yield f"Kubernetes {one_line(cluster.kubernetes, 40).removeprefix('v')}"
    if cluster.findings:
        yield numbers(cluster.findings) if cluster.files else f"found: {numbers(cluster.findings)}"
    if cluster.callouts:
        yield stand(cluster.callouts, gaps=bool(cluster.not_seen))
    elif cluster.says:
        yield one_line(cluster.says, _LONGEST)
    if cluster.worst and cluster.worst["severity"] != "info":
        yield f"{one_line(cluster.worst['code'], 10)} {one_line(cluster.worst['name'], 120)}: {one_line(cluster.worst['title'], 200)}"


def _cluster(cluster: Cluster, column: int, width: int) -> Iterator[Line]:
    first = f"{WORDS[cluster.state]:<6}  {_name(cluster):<{column}}  "
    yield from wrapped(" · ".join(parts(cluster)), width, first=first, hang=len(first), tone=_TONES[cluster.state])
    if cluster.files:
        yield Line(f"{' ' * len(first)}{one_line(cluster.files['html'])}", "faint")


def _name(cluster: Cluster) -> str:
    return one_line(cluster.host, _LONGEST_NAME)


def _tone(clusters: Sequence[Cluster]) -> str | None:
    worst = worst_first(clusters)[:1]
    return _TONES[worst[0].state] if worst else None


def _ending(clusters: Sequence[Cluster], width: int) -> Iterator[Line]:
    """Who makes the run end with failure, and why."""
    failing = [_name(cluster) for cluster in clusters if cluster.state == "failed"]
    over = [_name(cluster) for cluster in clusters if cluster.fails and cluster.state != "failed"]
    reasons = [f"{listed(failing, _MOST_NAMES)} (failed)"] if failing else []
    if over:
        reasons.append(f"{listed(over, _MOST_NAMES)} (webhook_doctor_fail_on)")
    if reasons:
        yield from wrapped(f"ends with failure: {'; '.join(reasons)}", width, hang=4)
