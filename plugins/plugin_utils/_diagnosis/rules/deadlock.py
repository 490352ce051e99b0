# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD541: webhooks that wait for one another. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..catalogue.interception import WD541
from ..dependencies import Dependencies, Edge
from ..finding import Finding, Subject
from ..selectors import selects_everything
from ..severity import Severity
from ..text import listing

if TYPE_CHECKING:
    from ..cluster import Cluster

_MOST_SHOWN = 4  # circles of one group


def mutual_deadlocks(cluster: Cluster) -> Iterator[Finding]:
    """WD541, once for each group of back ends that wait for one another."""
    graph = Dependencies(cluster)
    for group in graph.circles():
        circles = _circles(graph, group)
        first = circles[0]
        weakest = min(first, key=lambda edge: (not selects_everything(edge.case.callout.get("namespace_selector")), edge.by.name))
        down = [at for at in group if all(case.judgement.fails for case in graph.nodes[at].cases)]
        names = [graph.nodes[at].name for at in group]
        lines = [
            "deadlock: none of them answers now, so none can bring another back" if len(down) == len(group) else "",
            f"{len(group)} back ends wait for one another: {listing(names, 6)}",
            *(line for circle in circles for line in map(_words, circle)),
            *(f"{graph.nodes[at].name} does not answer now; it can come back as long as the others run" for at in down if len(down) < len(group)),
        ]
        yield WD541.found(
            Subject.of_callout(weakest.case.callout),
            because=lines,
            affects=[case.id for case in graph.call_outs(group)],
            severity=Severity.ERROR if len(down) == len(group) else Severity.WARNING,
            root=" ".join(names),
            values={**weakest.case.values, "exempted": weakest.of.namespace},
        )


CASE_RULES = ()
CLUSTER_RULES = (mutual_deadlocks,)


def _circles(graph: Dependencies, group: list[int]) -> list[list[Edge]]:
    """The shortest circle through each of the first members, no circle twice."""
    found: dict[frozenset[int], list[int]] = {}
    for start in group[: _MOST_SHOWN * 2]:
        circle = graph.shortest(start, group)
        found.setdefault(frozenset(circle), circle)
    ordered = sorted(found.values(), key=lambda circle: (len(circle), circle))[:_MOST_SHOWN]
    return [[graph.edge(by, of) for by, of in zip(circle, [*circle[1:], circle[0]], strict=True)] for circle in ordered]


def _words(edge: Edge) -> str:
    owner = edge.case.callout["object"]
    return f"{edge.of.name} waits for {edge.by.name}: {owner['kind']} {owner['name']} ({edge.case.callout['webhook']}) is called for {edge.need.what}"
