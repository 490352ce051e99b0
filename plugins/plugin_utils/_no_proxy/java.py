# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system property http.nonProxyHosts as Java reads it (https too); environment variables are none of its concern. Pure. PRIVATE to the collection.

Patterns are separated by `|`; a `*` stands at the beginning or at the end of one; all else is compared whole, without port, IPv6 in brackets. localhost and
127.* never go through a proxy, unless the property is empty.
Source: sun.net.spi.DefaultProxySelector.
"""

from __future__ import annotations

from collections.abc import Iterator

from .hosts import Network, bracketed

_ALWAYS = ("localhost", "127.*", "[::1]", "0.0.0.0", "[::0]")
SEPARATOR = "|"


def exempts(value: str, host: str, port: int | None = None) -> bool:
    """Whether a request to this host is sent without the proxy. host as the URL has it, without brackets; no port counts."""
    place = bracketed(host.lower())
    return any(_matches(pattern, place) for pattern in _patterns(value))


def exempts_network(value: str, network: Network) -> bool:
    """Whether every address of it is: by `10.96.*` for each of the /8, /16, /24 that make it up."""
    patterns = list(_patterns(value))
    if "*" in patterns:
        return True
    beginnings = [pattern[:-1] for pattern in patterns if pattern.endswith("*")]
    return network.version == 4 and all(any(octets.startswith(beginning) for beginning in beginnings) for octets in _octets(network))


def patterns_for(network: Network, most: int = 64) -> list[str]:
    """The patterns that make it up; none where that would be more than `most`, and for IPv6."""
    if network.version != 4 or network.prefixlen == 0:
        return []
    octets = list(_octets(network)) if (-network.prefixlen) % 8 <= 6 else []
    return [f"{one}*" if one.endswith(".") else one for one in octets] if len(octets) <= most else []


def _octets(network: Network) -> Iterator[str]:
    """10.96.0.0/15 -> 10.96., 10.97.; a /25 and longer: its addresses."""
    whole = max(-(-network.prefixlen // 8) * 8, 8)
    for part in network.subnets(new_prefix=whole):
        octets = str(part.network_address).split(".")[: whole // 8]
        yield ".".join(octets) + ("." if whole < 32 else "")


def _patterns(value: str) -> Iterator[str]:
    patterns = [pattern.lower() for pattern in value.split(SEPARATOR) if pattern]
    yield from patterns
    if value:
        yield from _ALWAYS


def _matches(pattern: str, place: str) -> bool:
    if pattern == "*":
        return True
    first, last = pattern.startswith("*"), pattern.endswith("*")
    if first and last:
        return pattern[1:-1] in place
    if first:
        return place.endswith(pattern[1:])
    return place.startswith(pattern[:-1]) if last else place == pattern
