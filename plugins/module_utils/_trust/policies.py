# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate policies along a chain (RFC 5280 6.1 as RFC 9618 corrects it): only whether the chain stands. PRIVATE to the collection.

A chain falls only where a certificate demands an explicit policy that the others do not carry. Source: crypto/x509 policiesValid.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.certificate import Certificate

_ANY = b"\x55\x1d\x20\x00"


class _Node:
    __slots__ = ("children", "expected", "parents", "policy")

    def __init__(self, policy: bytes, parents: list[_Node]) -> None:
        self.policy = policy
        self.expected = [policy]
        self.parents = set(parents)
        self.children: set[_Node] = set()
        for parent in parents:
            parent.children.add(self)


class _Graph:
    """Levels of policy nodes, one per certificate below the anchor."""

    def __init__(self) -> None:
        self.levels: list[dict[bytes, _Node]] = [{_ANY: _Node(_ANY, [])}]

    def add_level(self, policies: list[bytes], any_allowed: bool) -> None:
        above = self.levels[-1]
        level: dict[bytes, _Node] = {}
        self.levels.append(level)
        for policy in policies:
            if policy != _ANY:
                parents = [node for node in above.values() if policy in node.expected] or [above[anything] for anything in (_ANY,) if anything in above]
                if parents:
                    level[policy] = _Node(policy, parents)
        if _ANY in policies and any_allowed:
            missing: dict[bytes, list[_Node]] = {}
            for node in above.values():
                for expected in node.expected:
                    if expected not in level:
                        missing.setdefault(expected, []).append(node)
            for policy, parents in missing.items():
                level[policy] = _Node(policy, parents)
        self.prune()

    def prune(self) -> None:
        """Drop nodes above the last level that lead nowhere any more."""
        for level in self.levels[-2:0:-1]:
            for policy in [policy for policy, node in level.items() if not node.children]:
                for parent in level[policy].parents:
                    parent.children.discard(level[policy])
                del level[policy]

    def remove(self, policy: bytes) -> None:
        node = self.levels[-1].pop(policy, None)
        for parent in node.parents if node else ():
            parent.children.discard(node)

    def map(self, mappings: dict[bytes, list[bytes]]) -> None:
        level = self.levels[-1]
        for issuer, subjects in mappings.items():
            if issuer in level:
                level[issuer].expected = subjects
            elif _ANY in level:
                level[issuer] = _Node(issuer, [level[_ANY]])
                level[issuer].expected = subjects

    def stands(self) -> bool:
        """Whether any policy holds for the whole chain."""
        return _ANY in self.levels[-1] or any(
            node.policy != _ANY and len(node.parents) == 1 and next(iter(node.parents)).policy == _ANY for level in self.levels for node in level.values()
        )


def policies_valid(chain: Sequence[Certificate]) -> bool:
    """`chain` is leaf first, anchor last; the anchor's own policies do not count."""
    below = chain[:-1]
    if all(certificate.require_explicit_policy < 0 and not certificate.policy_mappings for certificate in below):
        return True
    explicit = mapping = any_policy = len(below) + 1
    graph: _Graph | None = _Graph()
    for position in range(len(below) - 1, -1, -1):
        certificate = below[position]
        self_issued = certificate.raw_issuer == certificate.raw_subject
        if not certificate.policies:
            graph = None
        if graph is None and explicit == 0:
            return False
        if graph is not None:
            graph.add_level(certificate.policies, any_policy > 0 or (position > 0 and self_issued))
            if position and not _apply_mappings(graph, certificate.policy_mappings, mapping > 0):
                return False
        if position:
            if not self_issued:
                explicit, mapping, any_policy = max(explicit - 1, 0), max(mapping - 1, 0), max(any_policy - 1, 0)
            explicit = _tightened(explicit, certificate.require_explicit_policy)
            mapping = _tightened(mapping, certificate.inhibit_policy_mapping)
            any_policy = _tightened(any_policy, certificate.inhibit_any_policy)
    if max(explicit - 1, 0) and chain[0].require_explicit_policy != 0:
        return True
    return graph is not None and graph.stands()


def _tightened(counter: int, limit: int) -> int:
    return min(counter, limit) if limit >= 0 else counter


def _apply_mappings(graph: _Graph, mappings: list[tuple[bytes, bytes]], allowed: bool) -> bool:
    """False where a mapping names anyPolicy, which no mapping may."""
    collected: dict[bytes, list[bytes]] = {}
    for issuer, subject in mappings:
        if allowed:
            if _ANY in (issuer, subject):
                return False
            collected.setdefault(issuer, []).append(subject)
        else:
            graph.remove(issuer)
    if mappings:
        graph.prune()
        graph.map(collected)
    return True
