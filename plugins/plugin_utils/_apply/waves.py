# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which changes are sent together. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def waves(items: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The items in their order, cut into groups that are sent and proven at once.

    Only changes of low risk go together, of one remedy, one for each object, none of which waits for another of the group. (What opens the way for others is
    done for all of them at once, too.)
    """
    groups: list[list[Mapping[str, Any]]] = []
    for item in items:
        if groups and _fits(item, groups[-1]):
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def _fits(item: Mapping[str, Any], group: Sequence[Mapping[str, Any]]) -> bool:
    first = group[0]
    if item["action"] != first["action"] or item["temporary"] != first["temporary"] or item["remedy"] != first["remedy"]:
        return False
    if not item["temporary"] and (item["risk"] != "low" or first["risk"] != "low" or item["verify"]["rollout"] or first["verify"]["rollout"]):
        return False
    targets = [other["target"] for other in group]
    return item["action"] == "patch" and item["target"] not in targets and not set(item["requires"]) & {other["id"] for other in group}
