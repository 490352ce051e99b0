# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of many labelled things a label selector selects, for very many selectors. PRIVATE to the collection.

A thousand webhooks and five thousand namespaces are five million questions if each selector is held against each namespace. Here the labels are turned
around once (label -> set of the things that have it, as the bits of an integer), and a selector is a few operations on such sets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

from .selectors import NAMESPACE_NAME, keys, selects_everything

Labels = Mapping[str, str]


class LabelIndex:
    """Things by their position in `labels`; the labels of a thing are None where they are not known, and then only a selector for everything selects it."""

    def __init__(self, labels: Sequence[Labels | None]) -> None:
        self.everything = (1 << len(labels)) - 1
        self._with_key: dict[str, int] = defaultdict(int)
        self._with_value: dict[tuple[str, str], int] = defaultdict(int)
        self._known = 0
        self._selected: dict[str, int] = {}
        for position, one in enumerate(labels):
            if one is None:
                continue
            bit = 1 << position
            self._known |= bit
            for key, value in one.items():
                self._with_key[key] |= bit
                self._with_value[key, value] |= bit

    def selected(self, selector: Mapping[str, Any] | None) -> int:
        """The bits of the things that the selector of the facts selects. Source: k8s.io/apimachinery pkg/labels Requirement.Matches."""
        if selector is None or selects_everything(selector):
            return self.everything
        mark = repr(selector)
        found = self._selected.get(mark)
        if found is None:
            found = self._selected[mark] = self._evaluated(selector)
        return found

    def _evaluated(self, selector: Mapping[str, Any]) -> int:
        found = self._known
        for key, value in (selector.get("match_labels") or {}).items():
            found &= self._with_value.get((key, value), 0)
        for expression in selector.get("match_expressions") or ():
            key, operator = expression["key"], expression["operator"]
            there = self._with_key.get(key, 0)
            listed = 0
            for value in expression.get("values") or ():
                listed |= self._with_value.get((key, value), 0)
            # An operator that the API does not know selects nothing.
            found &= {"In": listed, "NotIn": ~listed, "Exists": there, "DoesNotExist": ~there}.get(operator, 0)
        return found


class Namespaces:
    """The namespaces of the facts, in the order of their names."""

    def __init__(self, namespaces: Sequence[Mapping[str, Any]]) -> None:
        ordered = sorted(namespaces, key=lambda one: str(one["name"]))
        self.names = [str(one["name"]) for one in ordered]
        self.labels: list[Labels] = [one.get("labels") or {} for one in ordered]
        self._at = {name: position for position, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def index(self) -> LabelIndex:
        return LabelIndex(self.labels)

    def position(self, name: str) -> int | None:
        return self._at.get(name)

    def labels_of(self, name: str, selector: Mapping[str, Any] | None) -> Labels | None:
        """The labels of a namespace as far as `selector` asks for them; None where they are not known.

        The label with its name is on every namespace (Kubernetes 1.21+ puts it there), also on one that could not be read.
        """
        position = self._at.get(name)
        if position is not None:
            return self.labels[position]
        return {NAMESPACE_NAME: name} if keys(selector) <= {NAMESPACE_NAME} else None

    def selected(self, selector: Mapping[str, Any] | None) -> int:
        return self.index.selected(selector)

    def named(self, found: int, at_most: int | None = None) -> list[str]:
        return [self.names[position] for position in islice(bits(found), at_most)]

    def listing(self, found: int, at_most: int = 5) -> str:
        """`a, b, c and 4 more`."""
        shown = ", ".join(self.named(found, at_most))
        return shown if found.bit_count() <= at_most else f"{shown} and {found.bit_count() - at_most} more"


def bits(found: int) -> Iterator[int]:
    """The positions of the bits that are set, ascending. Bytes are read one after the other, because shifting a large integer copies it."""
    for at, byte in enumerate(found.to_bytes((found.bit_length() + 7) // 8, "little")):
        while byte:
            low = byte & -byte
            yield at * 8 + low.bit_length() - 1
            byte ^= low
