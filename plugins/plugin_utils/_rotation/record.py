# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left in the cluster of a rotation: one annotation of the lock's Lease. Pure. PRIVATE to the collection.

The Lease, because writing it is a right that a rotation has anyway; to annotate nodes would take the right to change nodes. The value is JSON,
{host: {at, run, old_not_after, new_not_after}}, new_not_after null from the moment that a turn begins until a new server is proven: a run that dies
leaves it so, and the next one that sees the new certificate fills it in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .instance import Instance
from .times import iso

ANNOTATION = "webhook-doctor.kubeops.io/rotation"
_MOST = 64  # hosts; those whose turn was longest ago go first

Entry = dict[str, Any]


def record(
    before: str | None,
    done: Sequence[Mapping[str, Any]],
    run: str,
    now: datetime,
    seen: Sequence[Instance] = (),
    begins: Instance | None = None,
) -> str:
    """The annotation's value. before: what it was; what cannot be read is begun anew. done: proofs of this run. seen: the API servers as they are now.

    begins: whose turn it is.
    """
    found = {host: _filled_in(host, entry, seen) for host, entry in _read(before).items()}
    if begins:
        found[begins.host] = _entry(iso(now), run, iso(begins.certificate.not_after) if begins.certificate else None, None)
    for item in done:
        if item["proven"]:
            found[item["host"]] = _entry(item.get("at") or iso(now), run, item["old"].get("not_after"), item["new"].get("not_after"))
    kept = sorted(found.items(), key=lambda pair: str(pair[1].get("at")))[-_MOST:]
    return json.dumps(dict(sorted(kept)), separators=(",", ":"))


def _read(before: str | None) -> dict[str, Entry]:
    try:
        known = json.loads(before) if before else {}
    except ValueError:
        known = {}
    return {host: dict(entry) for host, entry in known.items() if isinstance(entry, Mapping)} if isinstance(known, Mapping) else {}


def _entry(at: str | None, run: str, old: str | None, new: str | None) -> Entry:
    return {"at": at, "run": run, "old_not_after": old, "new_not_after": new}


def _filled_in(host: str, entry: Entry, seen: Sequence[Instance]) -> Entry:
    """What a run that died could not write any more. An old certificate that nobody could read tells nothing of the one after it."""
    certificate = next((one.certificate for one in seen if one.host == host), None)
    old = entry.get("old_not_after")
    if entry.get("new_not_after") or not old or not certificate or iso(certificate.not_after) == old:
        return entry
    return {**entry, "new_not_after": iso(certificate.not_after)}
