# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan item: the contract between planning and applying (docs/architecture.md). Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .change import Change
from .owner import Owner
from .reference import Reference

PLANNED, TOO_RISKY, OWNED, SKIPPED, MANUAL = "planned", "too_risky", "owned", "skipped", "manual"


def item_of(change: Change, owner: Owner | None, state: str, live: Mapping[Reference, Mapping[str, Any]]) -> dict[str, Any]:
    """live: the objects as they were read; what does not exist is not among them."""
    edit = change.edit
    return {
        "id": change.id,
        "remedy": change.remedy,
        "codes": list(change.codes),
        "state": state,
        "target": {**change.target.shown(), "uid": _metadata(change.target, live).get("uid")},
        "targets": [
            {**one.shown(), "uid": _metadata(one, live).get("uid"), "resource_version": _metadata(one, live).get("resourceVersion")} for one in change.targets
        ],
        "action": change.action,
        "patch": list(edit.patch) if edit else [],
        "object": dict(change.created) if change.created else None,
        "before": dict(edit.before) if edit else None,
        "after": dict(edit.after) if edit else None,
        "risk": change.risk.value,
        "reason": change.reason,
        "owner": owner.shown() if owner else None,
        "requires": sorted(change.after_),
        "verify": {
            "callouts": sorted(change.callouts),
            "fingerprints": sorted(change.fingerprints),
            "rollout": change.rollout,
            "patience_seconds": change.patience,
        },
        "rollback": {
            "possible": change.irreversible is None and change.action != "manual",
            "patch": edit.undo if edit and change.irreversible is None else [],
            "because": change.irreversible,
        },
        "temporary": change.temporary,
        "manual": list(change.manual),
        "notes": list(change.notes),
    }


def _metadata(reference: Reference, live: Mapping[Reference, Mapping[str, Any]]) -> Mapping[str, Any]:
    return (live.get(reference) or {}).get("metadata") or {}


def applicable(items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that are to be applied."""
    return [item for item in items if item["state"] == PLANNED]
