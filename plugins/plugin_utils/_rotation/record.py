# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left in the cluster of a rotation: one annotation of the lock's Lease. Pure. PRIVATE to the collection.

The Lease, because writing it is a right that a rotation has anyway; to annotate nodes would take the right to change nodes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .times import iso

ANNOTATION = "webhook-doctor.kubeops.io/rotation"
_MOST = 64  # hosts; those whose turn was longest ago go first


def record(before: str | None, done: Sequence[Mapping[str, Any]], run: str, now: datetime) -> str:
    """The annotation's value: JSON, {host: {at, run, old_not_after, new_not_after}}. before: what it was; what cannot be read is begun anew."""
    try:
        known = json.loads(before) if before else {}
    except ValueError:
        known = {}
    found = {host: entry for host, entry in known.items() if isinstance(entry, Mapping)} if isinstance(known, Mapping) else {}
    for item in done:
        if item["proven"]:
            found[item["host"]] = {
                "at": item.get("at") or iso(now),
                "run": run,
                "old_not_after": item["old"].get("not_after"),
                "new_not_after": item["new"].get("not_after"),
            }
    kept = sorted(found.items(), key=lambda pair: str(pair[1].get("at")))[-_MOST:]
    return json.dumps(dict(sorted(kept)), separators=(",", ":"))
