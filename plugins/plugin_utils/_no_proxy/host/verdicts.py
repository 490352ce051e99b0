# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers of a control plane are due for a change of their proxy variables, in the words of control_plane_rollout. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def verdicts(plans: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """[{host, state: due|fine|unknown, says}] in the order of the hosts. plans: host -> items of unit_plan (those of servers) or manifest_plan."""
    found = []
    for host, items in plans.items():
        due = [item["says"] for item in items if changes(item)]
        unknown = [item["says"] for item in items if not item.get("known", True)]
        says = [*due, *unknown] or [item["says"] for item in items] or ["nothing is lacking"]
        found.append({"host": host, "state": "due" if due else "unknown" if unknown else "fine", "says": "; ".join(says)})
    return found


def changes(item: Mapping[str, Any]) -> bool:
    """Whether an item of a plan means a change."""
    return not item["done"] if "done" in item else bool(item["variables"]) or item["restore"]
