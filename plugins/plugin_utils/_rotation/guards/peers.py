# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards `known`, `peers` and `single`: who answers while one API server is away. Pure. PRIVATE to the collection.

Each is asked at its own address by its own host: behind a load balancer a good answer may be another one's.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._diagnosis.text import dial, listing
from ..situation import Situation
from .guard import Guard

KNOWN, PEERS, SINGLE = "known", "peers", "single"


def known(situation: Situation) -> Iterator[Guard]:
    """Every API server that the cluster has is on a host of the inventory, for what is not looked at may be down; and no host is of another cluster."""
    twins = _twins(situation)
    error = situation.api.error("EndpointSlice")
    if twins:
        yield Guard(
            KNOWN,
            False,
            f"{listing(twins)} are one and the same machine, as Ansible reaches them: look at what the inventory and the play say about ansible_host and "
            "ansible_connection",
        )
    elif error:
        yield Guard(KNOWN, None, f"which API servers there are could not be read (EndpointSlices of default/kubernetes): {error}")
    elif situation.unlisted:
        where = listing([one.host for one in situation.unlisted])
        yield Guard(
            KNOWN,
            None,
            f"the Service default/kubernetes does not list the API servers (--endpoint-reconciler-type=none on {where}), so nothing tells whether there is "
            "another one, on no host of the inventory, or one of these is of another cluster: look whether the control-plane group is right",
            warning=True,
        )
    elif situation.strangers:
        names = listing([dial(address, port) for address, port in situation.strangers])
        if len(situation.strangers) > situation.unseen:  # the addresses of a host that cannot be reached are not known
            yield Guard(KNOWN, False, f"also an API server of this cluster, and on no host of the inventory: {names}. Add it to the control-plane group")
        else:
            yield Guard(KNOWN, None, f"{names}: on no host that could be asked, so perhaps on one that could not be, perhaps on none of the inventory")
    elif situation.outsiders:
        names = listing([one.where for one in situation.outsiders])
        yield Guard(KNOWN, False, f"ready, and no API server of this cluster (Service default/kubernetes): {names}. Leave hosts of other clusters out")
    else:
        yield Guard(KNOWN, True, "every API server that the cluster knows is on a host of the inventory")


def _twins(situation: Situation) -> list[str]:
    """Hosts of the inventory that have shown the same addresses; those of one that has no network at all do not count."""
    seen: dict[frozenset[str], list[str]] = {}
    for one in situation.seen:
        seen.setdefault(one.own_addresses, []).append(one.host)
    return next((hosts for addresses, hosts in seen.items() if addresses and len(hosts) > 1), [])


def peers(situation: Situation) -> Iterator[Guard]:
    """Every other API server is ready; and of the next one it can be told afterwards."""
    others, target = situation.others, situation.next
    if target and target.refuses:
        lost = "nothing could tell whether it has come back: put credentials that are valid on its host"
        yield Guard(PEERS, None, f"cannot be asked whether it is ready ({target.not_ready_because}), so {lost}", target.where)
    for one in others:
        if one.ready is not True:
            what = "is not ready" if one.ready is False else "cannot be asked whether it is ready"
            yield Guard(PEERS, one.ready, f"{what} ({one.not_ready_because}): mend it first, so that somebody answers while another one restarts", one.where)
    if others and all(one.ready for one in others):
        who = "every API server" if situation.target is None else f"every other API server ({len(others)})"
        yield Guard(PEERS, True, f"{who} is ready on its own address")


def single(situation: Situation) -> Iterator[Guard]:
    """Nobody answers while the only API server restarts."""
    count = len(situation.instances)  # a stranger is none of them: nobody knows whether it would answer, or whether it is an API server at all
    if count > 1:
        yield Guard(SINGLE, True, f"{count} API servers")
    elif situation.options.allow_single:
        yield Guard(SINGLE, True, "there is only one API server, and it is allowed that none answers while it restarts")
    else:
        besides = listing([dial(address, port) for address, port in situation.strangers])
        others = f" (default/kubernetes has {besides}, too, which nobody has looked at)" if besides else ""
        way = "Allow it with control_plane_rollout_allow_single=true"
        yield Guard(SINGLE, False, f"there is only one API server{others}: while it restarts none answers. {way}")
