# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who comes first: the worst, then the oldest; who comes last: the leader of kube-controller-manager, and whoever holds the address that others use. Pure.

PRIVATE to the collection. Restarting the leader's API server costs an election, restarting the holder of a virtual address cuts every client's connection: both
once, at the end. An API server that is expired, or not ready, is worse than either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .._diagnosis.text import dial
from .instance import Instance, host_of
from .situation import Situation
from .verdict import State, Verdict

_CONTROL_PLANE_ENDPOINT = re.compile(r"^controlPlaneEndpoint:\s*[\"']?([^\"'\s]+)", re.MULTILINE)
_KUBE_VIP = "plndr-cp-lock"
_NEVER = datetime.max.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Turn:
    """host: whose turn it is. last: why it comes as late as it does, empty where nothing speaks for that."""

    host: str
    last: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        return {"host": self.host, "last": list(self.last)}


def turns(verdicts: Iterable[Verdict], situation: Situation) -> tuple[Turn, ...]:
    """Those that are due, in their order."""
    by_host = {one.host: one for one in situation.instances}
    due = [(verdict, by_host[verdict.host], tuple(_last(by_host[verdict.host], situation))) for verdict in verdicts if verdict.state is State.DUE]
    due.sort(key=lambda item: (not (item[0].urgent or item[1].ready is False), bool(item[2]), item[0].before or _NEVER, item[0].host))
    return tuple(Turn(verdict.host, last) for verdict, dummy, last in due)


def through(situation: Situation, target: str | None) -> str | None:
    """The URL of an API server on another host than `target` that is ready, None where there is none: what is asked while `target` restarts."""
    owners: Sequence[tuple[Instance, str, int]] = [
        (one, address, port) for address, port in situation.api.server_addresses for one in situation.instances if address in situation.addresses_of(one)
    ]
    return next((f"https://{dial(address, port)}" for one, address, port in owners if one.host != target and one.ready), None)


def _last(one: Instance, situation: Situation) -> Iterator[str]:
    leader = str(situation.api.lease("kube-controller-manager").get("holderIdentity") or "").rpartition("_")[0].lower()
    if leader and leader in one.names:
        yield "its kube-controller-manager leads"
    if str(situation.api.lease(_KUBE_VIP).get("holderIdentity") or "").lower() in one.names:
        yield f"it holds the address of kube-vip (Lease {_KUBE_VIP})"
    server = host_of(str((situation.facts.get("source") or {}).get("server") or ""))
    if server in one.addresses:
        yield f"it has the address {server}, which the kubeconfig uses"
    endpoint = _endpoint(situation)
    if endpoint != server and endpoint in one.addresses:
        yield f"it has the address {endpoint}, the control plane's endpoint"


def _endpoint(situation: Situation) -> str:
    config = ((situation.facts.get("platform") or {}).get("config") or {}).get("kubeadm-config") or {}
    found = _CONTROL_PLANE_ENDPOINT.search(str(config.get("ClusterConfiguration") or ""))
    return host_of(found[1]) if found else ""
