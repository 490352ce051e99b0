# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what was done to one API server is proven: a new process, ready on its own address, with a new certificate. Pure.

PRIVATE to the collection. That something answers proves nothing: it may be the old process, or another API server behind a load balancer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .instance import Instance
from .times import day, iso

# Lives that differ by less were made for the same time: notBefore and notAfter are whole seconds, and some versions take two looks at the clock.
_SAME_LIFE = timedelta(hours=1)


@dataclass(frozen=True)
class Proof:
    """why: what is missing, empty where it is proven. notes: what is worth knowing though it is."""

    host: str
    why: tuple[str, ...]
    notes: tuple[str, ...]
    old: Mapping[str, Any]
    new: Mapping[str, Any]

    @property
    def proven(self) -> bool:
        return not self.why

    def shown(self) -> dict[str, Any]:
        return {"host": self.host, "proven": self.proven, "why": list(self.why), "notes": list(self.notes), "old": dict(self.old), "new": dict(self.new)}


def prove(before: Instance, after: Instance, now: datetime, restarted: bool = True) -> Proof:
    """restarted: whether a new process was to be made; else it is only looked whether the API server is ready."""
    why = [*_ready(after)]
    notes: list[str] = []
    if restarted and after.facts is not None:
        why += _new_process(before, after)
        missing, notes = _new_certificate(before, after, now)
        why += missing
    return Proof(after.host, tuple(why), tuple(notes), identity(before), identity(after))


def identity(one: Instance) -> dict[str, Any]:
    """What tells one process from the next."""
    certificate, process, container = one.certificate, one.part("process"), one.part("container")
    return {
        "not_after": iso(certificate.not_after) if certificate else None,
        "not_before": iso(certificate.not_before) if certificate else None,
        "started": iso(certificate.started) if certificate else None,
        "lifetime_days": round(certificate.lifetime_days, 2) if certificate else None,
        "container_id": container.get("id"),
        "pid": process.get("pid"),
        "version": (one.facts or {}).get("version"),
    }


def _ready(after: Instance) -> list[str]:
    if after.facts is None:
        return [f"it could not be looked at afterwards: {after.error}"]
    why = []
    if after.ready is not True:
        why.append(f"it is not ready on its own address: {after.not_ready_because}")
    live = after.part("live")
    if live.get("status") != 200:
        failed = ", ".join(map(str, live.get("failed") or ())) or live.get("error") or f"HTTP {live.get('status')}"
        why.append(f"/livez of its own address is not good: {failed}")
    return why


def _new_process(before: Instance, after: Instance) -> list[str]:
    """A process is new if nothing that names it is as before, and at least one thing is known both times."""
    compared = [
        (word, before.part(part).get(key), after.part(part).get(key))
        for part, key, word in (("container", "id", "container"), ("process", "pid", "process id"), ("process", "started", "start time of the process"))
    ]
    known = [(word, old, new) for word, old, new in compared if old is not None and new is not None]
    if not known:
        return ["neither a container nor a process of it is known before and after, so nothing tells that it is a new one"]
    # A new process may have the old one's number by chance (it is the first of its own namespace); the container and the start decide then.
    same = [word for word, old, new in known if old == new and word != "process id"] or [word for word, old, new in known if old == new and len(known) == 1]
    return [f"the {word} is the same as before" for word in same]


def _new_certificate(before: Instance, after: Instance, now: datetime) -> tuple[list[str], list[str]]:
    """(what is missing, notes)."""
    old, new = before.certificate, after.certificate
    if new is None:
        return [f"its new certificate cannot be judged: {after.unreadable}"], []
    why, notes = [], []
    if old and new.started <= old.started:
        why.append(f"its certificate is still that of the process that was started at {iso(old.started)}")
    elif before.clock and new.started < before.clock.replace(microsecond=0):
        why.append(f"its certificate is of a process that was started at {iso(new.started)}, before anything was done ({iso(before.clock)})")
    if new.not_after <= now:
        why.append(f"its new certificate has ended already ({iso(new.not_after)}): the clock of the host is wrong")
    if new.not_before > now:
        why.append(f"its new certificate is not valid before {iso(new.not_before)}: the clock of the host is wrong")
    if old and abs(new.lifetime - old.lifetime) > _SAME_LIFE:
        notes.append(f"it lives {new.lifetime_days:.0f} days, the one before lived {old.lifetime_days:.0f}; it ends on {day(new.not_after)}")
    return why, notes
