# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which back ends need which others before their own pods can start, and the circles in that. PRIVATE to the collection.

A graph whose nodes are back ends (Services that select the same pods are one) and whose edges say "the webhook of A is asked, fail-closed, before a pod of
B can start". Edges are sets of bits, so that a thousand webhooks for everything are no million questions.

Only admission is looked at. Whether a controller reads objects that a conversion webhook has to convert before it serves itself cannot be seen from here
(controller-runtime starts webhooks before it reads anything).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import YES, rule_matches, selector_matches

from .conditions import all_hold, ask_for_the_namespace, intercepts_under_conditions
from .label_index import LabelIndex, bits
from .needs import Need, to_run_pods
from .selectors import selects_everything
from .severity import fails_open

if TYPE_CHECKING:
    from .case import Case
    from .cluster import Cluster


@dataclass(frozen=True)
class Node:
    """A back end: the cases of the call-outs that reach it. labels: of its pods, None where they are not known."""

    name: str
    namespace: str
    cases: tuple[Case, ...]
    labels: Mapping[str, str] | None


@dataclass(frozen=True)
class Edge:
    """`case` is a call-out of `by`, and is asked for `need`, which `of` needs to start."""

    by: Node
    of: Node
    case: Case
    need: Need


class Dependencies:
    """The graph of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.nodes = _nodes(cluster)
        self._asked: dict[int, list[tuple[Case, int]]] = defaultdict(list)  # back end -> its call-outs with the back ends that each is asked for
        namespaces = LabelIndex([cluster.namespaces.labels_of(node.namespace, None) for node in self.nodes])
        pods = LabelIndex([node.labels for node in self.nodes])
        # Those about which a selector has to be asked one by one, because not all of their labels are known.
        self._vague = _mask(at for at, node in enumerate(self.nodes) if node.labels is None or cluster.namespaces.position(node.namespace) is None)
        for at, node in enumerate(self.nodes):
            for case in node.cases:
                asked = self._reach(case, namespaces, pods) & ~(1 << at)
                if asked:
                    self._asked[at].append((case, asked))
        self.asked_by = {at: _union(asked for dummy, asked in entries) for at, entries in self._asked.items()}

    def circles(self) -> list[list[int]]:
        """The groups of back ends (their positions) that all wait for one another, directly or through others; each once, in the order of their names."""
        return sorted(sorted(group) for group in _components(len(self.nodes), self.asked_by) if len(group) > 1)

    def shortest(self, start: int, group: Sequence[int]) -> list[int]:
        """The shortest circle through `start` that stays within the group: positions, the first one not repeated at the end."""
        inside = _mask(group)
        before: dict[int, int] = {}
        queue = deque([start])
        while queue:
            at = queue.popleft()
            for other in bits(self.asked_by.get(at, 0) & inside):
                if other == start:
                    path = [at]
                    while path[-1] != start:
                        path.append(before[path[-1]])
                    return path[::-1]
                if other not in before:
                    before[other] = at
                    queue.append(other)
        return []

    def edge(self, by: int, of: int) -> Edge:
        """Why there is an edge: the first call-out that makes it, and the first need."""
        case = next(case for case, asked in self._asked[by] if asked >> of & 1)
        need = next(need for write in to_run_pods(case, self.nodes[of].cases[0]) for need in write.needs(case) if _certain(case, need))
        return Edge(self.nodes[by], self.nodes[of], case, need)

    def call_outs(self, group: Sequence[int]) -> list[Case]:
        """The call-outs that make the edges within the group."""
        inside = _mask(group)
        return [case for at in group for case, asked in self._asked[at] if asked & inside]

    def _reach(self, case: Case, namespaces: LabelIndex, pods: LabelIndex) -> int:
        """The back ends whose pods cannot start without this call-out, as bits."""
        callout = case.callout
        if callout["kind"] not in ("validating", "mutating") or fails_open(callout):
            return 0
        kinds = _kinds_asked(case, self.nodes)
        if not kinds:
            return 0
        candidates = namespaces.selected(callout.get("namespace_selector"))
        selector = callout.get("object_selector")
        reached = 0
        for need in kinds:
            if need.request.object_labels is None:
                labelled = pods.everything if selects_everything(selector) else 0
            elif need.request.object_labels:
                labelled = pods.selected(selector)
            else:
                labelled = pods.everything if selector_matches(selector, {}) else 0
            reached |= self._where_conditions_hold(case, need, candidates & labelled & ~self._vague & ~reached)
        return reached | _mask(at for at in bits(candidates & self._vague) if any(_certain(case, need) for need in _needs_of(case, self.nodes[at])))

    def _where_conditions_hold(self, case: Case, need: Need, candidates: int) -> int:
        if not candidates or not case.callout.get("match_conditions"):
            return candidates
        if not ask_for_the_namespace(case.callout):
            return candidates if all_hold(case.callout, need.request, need.by) else 0
        return _mask(at for at in bits(candidates) if all_hold(case.callout, replace(need.request, namespace=self.nodes[at].namespace), need.by))


def _needs_of(case: Case, node: Node) -> Iterator[Need]:
    return (need for write in to_run_pods(case, node.cases[0]) for need in write.needs(case))


def _kinds_asked(case: Case, nodes: Sequence[Node]) -> list[Need]:
    """What starting pods takes that the rules name, with some back end as the example. They name it for all back ends or for none.

    object_labels of these: {} for what has no labels, None where they are not known, anything else where they are those of the pod.
    """
    rules = case.callout.get("rules") or ()
    example = next((node for node in nodes if node.labels), nodes[0])
    return [need for need in _needs_of(case, example) if any(rule_matches(rule, need.request) for rule in rules)]


def _certain(case: Case, need: Need) -> bool:
    return intercepts_under_conditions(case.callout, need.request, need.by.groups, need.by.users) == YES


def _nodes(cluster: Cluster) -> list[Node]:
    grouped: dict[tuple[str, Any], list[Case]] = defaultdict(list)
    for case in cluster.cases:
        if case.wanted and (case.service or {}).get("found") is not False:
            namespace = str(case.wanted["namespace"])
            owners = {(pod.get("owner") or {}).get("name") or pod["name"] for pod in case.backend.get("pods") or ()}
            grouped[namespace, tuple(sorted(owners)) or case.wanted["name"]].append(case)
    found = []
    for (namespace, dummy), cases in sorted(grouped.items(), key=lambda item: (item[0][0], str(item[0][1]))):
        pods = [pod.get("labels") or {} for pod in cases[0].backend.get("pods") or ()]
        labels = pods[0] if pods else None
        names = sorted({str(case.wanted["name"]) for case in cases})
        found.append(Node(f"{namespace}/{names[0]}", namespace, tuple(cases), labels))
    return found


def _components(count: int, edges: Mapping[int, int]) -> Iterator[list[int]]:
    """Strongly connected components (Tarjan), without recursion."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    waiting: set[int] = set()
    for root in range(count):
        if root in order:
            continue
        work = [(root, bits(edges.get(root, 0)))]
        order[root] = low[root] = len(order)
        stack.append(root)
        waiting.add(root)
        while work:
            at, others = work[-1]
            for other in others:
                if other not in order:
                    order[other] = low[other] = len(order)
                    stack.append(other)
                    waiting.add(other)
                    work.append((other, bits(edges.get(other, 0))))
                    break
                if other in waiting:
                    low[at] = min(low[at], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[at])
                if low[at] == order[at]:
                    group: list[int] = []
                    while not group or group[-1] != at:
                        group.append(stack.pop())
                        waiting.discard(group[-1])
                    yield group


def _mask(positions: Iterator[int] | Sequence[int]) -> int:
    found = 0
    for position in positions:
        found |= 1 << position
    return found


def _union(masks: Iterator[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found
