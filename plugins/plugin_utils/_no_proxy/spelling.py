# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A need in the words of a consumer: the first spelling that this consumer really reads as meant. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from . import java
from .consumers import Consumer
from .hosts import Network, bracketed, network_of
from .needs import Need

# A range of more addresses is not written address by address.
_MOST_ADDRESSES = 16


def covers(consumer: Consumer, value: str, need: Need) -> bool:
    """Whether with this value the need is reached without the proxy."""
    network = network_of(need.host.lower())
    if network is None:
        return consumer.exempts(value, need.host, need.port)
    addresses = _addresses(network)
    return consumer.exempts_network(value, network) or (bool(addresses) and all(consumer.exempts(value, address, need.port) for address in addresses))


def spelled(consumer: Consumer, need: Need) -> str:
    """What to add for it, several entries with the consumer's separator between them; "" where it has no words for it."""
    return next((entry for entry in _spellings(consumer, need) if entry and covers(consumer, entry, need)), "")


def _spellings(consumer: Consumer, need: Need) -> Iterator[str]:
    yield need.entry
    network = network_of(need.host.lower())
    if network is not None:
        yield str(network)
        if consumer.separator == java.SEPARATOR:
            yield java.SEPARATOR.join(java.patterns_for(network))
        yield consumer.separator.join(bracketed(address) if consumer.name in ("java", "urllib") else address for address in _addresses(network))
        return
    domain = need.entry.removeprefix("*")
    if domain.startswith("."):
        yield from (f"*{domain}", domain) if consumer.separator == java.SEPARATOR else (domain,)
    yield from (need.host, bracketed(need.host), f"{bracketed(need.host)}:{need.port}")


def _addresses(network: Network) -> list[str]:
    return [str(address) for address in network] if network.num_addresses <= _MOST_ADDRESSES else []
