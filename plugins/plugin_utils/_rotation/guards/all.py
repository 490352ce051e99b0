# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All guards, in the order in which they are told. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..options import InvalidOptions
from ..situation import Situation
from . import aggregated_apis, alerts, busy, clocks, etcd, lock, peers, supported, webhooks, window
from .guard import Guard

Judge = Callable[[Situation], Iterable[Guard]]
GUARDS: dict[str, Judge] = {
    supported.NAME: supported.supported,
    peers.KNOWN: peers.known,
    peers.SINGLE: peers.single,
    peers.PEERS: peers.peers,
    etcd.NAME: etcd.etcd,
    webhooks.NAME: webhooks.webhooks,
    aggregated_apis.NAME: aggregated_apis.aggregated_apis,
    busy.BUSY: busy.busy,
    busy.NODES: busy.nodes,
    busy.KURED: busy.kured,
    clocks.NAME: clocks.clocks,
    window.NAME: window.window,
    alerts.NAME: alerts.alerts,
    lock.NAME: lock.lock,
}
# What nobody may accept: whose control plane it is, and that two do not work on it at once.
_FIRM = frozenset((supported.NAME, lock.NAME))


def guards(situation: Situation) -> tuple[Guard, ...]:
    """Every guard's verdict. Raises InvalidOptions for guards that cannot be ignored."""
    ignored = situation.options.ignore_guards
    for name in sorted(ignored):
        if name not in GUARDS or name in _FIRM:
            raise InvalidOptions(f"ignore_guards: {name!r} cannot be ignored. Expected some of: {', '.join(one for one in GUARDS if one not in _FIRM)}.")
    found = (guard for judge in GUARDS.values() for guard in judge(situation))
    return tuple(replace(guard, accepted=guard.name in ignored and guard.ok is not True) for guard in found)


def blocking(found: Sequence[Guard]) -> list[Guard]:
    return [guard for guard in found if guard.blocks]
