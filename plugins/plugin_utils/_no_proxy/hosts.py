# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts, addresses and networks in the words of Go's net and net/netip. Pure. PRIVATE to the collection."""

from __future__ import annotations

import ipaddress
import re
from typing import Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

_PREFIX = re.compile(r"[^/%]+/\d{1,3}")


def address_of(text: str, zones: bool = False) -> Address | None:
    """Go's netip.ParseAddr (zones: fe80::1%eth0 is an address too) and net.ParseIP (it is none)."""
    try:
        return ipaddress.ip_address(text.partition("%")[0] if zones and "%" in text and ":" in text else text)
    except ValueError:
        return None


def plain_address(address: Address) -> Address:
    """::ffff:10.0.0.1 and 10.0.0.1 are the same to Go's net.IP."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def network_of(text: str) -> Network | None:
    """Go's net.ParseCIDR: always with a prefix length in digits, host bits are cut off."""
    if not _PREFIX.fullmatch(text):
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    return ipaddress.ip_network((mapped, network.prefixlen - 96)) if mapped and network.prefixlen >= 96 else network


def holds(outer: Network, inner: Network) -> bool:
    """Whether every address of `inner` is one of `outer`."""
    return outer.version == inner.version and inner.network_address in outer and inner.broadcast_address in outer


def host_and_port(text: str) -> tuple[str, str] | None:
    """Go's net.SplitHostPort; None where it gives an error."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not rest.startswith(":") or ":" in rest[1:] or any(c in rest + host for c in "[]"):
            return None
        return host, rest[1:]
    host, colon, port = text.rpartition(":")
    if not colon or ":" in host or any(c in text for c in "[]"):
        return None
    return host, port


def bracketed(host: str) -> str:
    """As it stands in a URL."""
    return f"[{host}]" if ":" in host else host
