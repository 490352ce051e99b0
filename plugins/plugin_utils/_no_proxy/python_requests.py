# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""no_proxy as Python's requests reads it, and with it pip and the clients of clouds. Pure. PRIVATE to the collection.

Addresses of IPv4 are compared whole or with CIDRs, all else by ends of texts; what does not match that way is asked of urllib. Leading dots mean nothing; a
port counts for names only, where it stands in the URL; `*` is everything only where it is the whole value; localhost has to be named.
Source: requests/utils.py, should_bypass_proxies.
"""

from __future__ import annotations

import ipaddress
import socket

from .hosts import Network, holds
from .python_urllib import bypasses


def exempts(value: str, host: str, port: int | None = None) -> bool:
    """Whether a request to this host is sent without the proxy. host as the URL has it, without brackets; port None: none stands in the URL."""
    name = host.lower()
    entries = [entry for entry in value.replace(" ", "").split(",") if entry]
    packed = _packed(name)
    if packed is not None:
        address = ipaddress.IPv4Address(packed)
        if any(address in network if (network := _network(entry)) is not None else entry == name for entry in entries):
            return True
    else:
        places = (name, f"{name}:{port}") if port else (name,)
        for entry in entries:
            domain = entry.lstrip(".")
            if any(place == domain or place.endswith(f".{domain}") for place in places):
                return True
    return bypasses(value, name)


def exempts_network(value: str, network: Network) -> bool:
    """Whether every address of it is: a CIDR of IPv4 that holds it whole, from /1 to /32."""
    entries = value.replace(" ", "").split(",")
    return value == "*" or any(known is not None and holds(known, network) for known in (_network(entry) for entry in entries))


def _packed(text: str) -> bytes | None:
    """C's inet_aton, which takes 10.1 for an address, too."""
    try:
        return socket.inet_aton(text)
    except (OSError, UnicodeEncodeError):
        return None


def _network(entry: str) -> ipaddress.IPv4Network | None:
    text, slash, length = entry.partition("/")
    try:
        bits = int(length)
    except ValueError:
        return None
    packed = _packed(text)
    if not slash or packed is None or not 1 <= bits <= 32:
        return None
    return ipaddress.IPv4Network((packed, bits), strict=False)
