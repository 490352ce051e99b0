# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NO_PROXY as curl and everything on libcurl (git, PHP, R) read it. Pure. PRIVATE to the collection.

In all versions a leading dot means nothing, no port counts, `*` is everything only where it is the whole value, and localhost has to be named. What changed:
CIDRs of IPv4 count, and addresses are compared as addresses, from 7.86 on; what follows a space is no longer read from 8.9 on; IPv6 is compared as text up to
8.17, and as addresses with CIDRs from 8.18 on.
Sources: lib/url.c (7.84) and lib/noproxy.c (7.86 and later).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from .hosts import Address, Network, address_of, holds

Version = tuple[int, int]
CIDRS_SINCE: Version = (7, 86)
COMMAS_ONLY_SINCE: Version = (8, 9)
IPV6_SINCE: Version = (8, 18)
_ATOI = re.compile(r"\s*([+-]?\d+)")


def exempts(value: str, host: str, port: int | None = None, version: Version = CIDRS_SINCE) -> bool:
    """Whether a request to this host is sent without the proxy. host as the URL has it, without brackets; no version looks at the port."""
    if value == "*":
        return True
    name = host.lower()
    entries = list(_entries(value.lower(), version))
    if version < CIDRS_SINCE:
        return any(_is_or_ends(name, entry.removeprefix(".")) for entry in entries)
    address = address_of(name)
    if address is not None and (address.version == 4 or version >= IPV6_SINCE):
        return any(_holds_address(entry, address, version) for entry in entries)
    name = name.removesuffix(".")
    return any(_is_or_ends(name, entry.removesuffix(".").removeprefix(".")) for entry in entries)


def exempts_network(value: str, network: Network, version: Version = CIDRS_SINCE) -> bool:
    """Whether every address of it is: an entry that holds it whole. A /0 is read as one address."""
    if value == "*":
        return True
    if version < (CIDRS_SINCE if network.version == 4 else IPV6_SINCE):
        return False
    return any(known is not None and holds(known, network) for known in (_network(entry, version) for entry in _entries(value, version)))


def _entries(value: str, version: Version) -> Iterator[str]:
    """What stands between commas and blanks; with COMMAS_ONLY_SINCE all that follows a blank without a comma is lost."""
    for part in value.split(","):
        words = part.split()
        yield from words if version < COMMAS_ONLY_SINCE else words[:1]
        if len(words) > 1 and version >= COMMAS_ONLY_SINCE:
            return


def _is_or_ends(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def _holds_address(entry: str, address: Address, version: Version) -> bool:
    network = _network(entry, version)
    return network is not None and network.version == address.version and address in network


def _network(entry: str, version: Version) -> Network | None:
    """An address with or without a prefix length. 0 and nothing are read as if no length were there."""
    text, slash, length = entry.partition("/")
    address = address_of(text)
    if address is None or "%" in text:
        return None
    bits = 0
    if slash:
        if version < IPV6_SINCE:
            digits = _ATOI.match(length)
            bits = int(digits[1]) if digits else 0
        elif not length.isascii() or not length.isdigit():
            return None
        else:
            bits = int(length)
    if not 0 <= bits <= address.max_prefixlen:
        return None
    return ipaddress.ip_network(f"{address}/{bits or address.max_prefixlen}", strict=False)
