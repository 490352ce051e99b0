# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NO_PROXY as Go reads it: which entry exempts a host. PRIVATE to the collection.

Go resolves nothing: a CIDR or an address speaks for hosts that are written as addresses, a domain for hosts that are written as names.
Source: golang.org/x/net/http/httpproxy (config.init, useProxy).
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address


def exempting(no_proxy: str, host: str, port: int = 443) -> str | None:
    """The entry of NO_PROXY by which Go calls `host` (a name or an address, without brackets) past the proxy; None: through the proxy.

    localhost and loopback addresses are always exempt; the word returned for them is the host itself.
    """
    wanted = host.strip().lower()
    address = _address(wanted)
    if wanted == "localhost" or (address is not None and address.is_loopback):
        return host
    listed = [entry.strip() for entry in no_proxy.split(",")]
    if "*" in listed:
        return "*"
    return next((entry for entry in listed if entry and _matches(entry.lower(), wanted, address, str(port))), None)


def missing(no_proxy: str, hosts: Iterable[tuple[str, int]]) -> list[str]:
    """The hosts of these (host, port) that no entry exempts, each once, in order."""
    return list(dict.fromkeys(host for host, port in hosts if exempting(no_proxy, host, port) is None))


def _matches(entry: str, host: str, address: Address | None, port: str) -> bool:
    network = _network(entry)
    if network is not None:
        return address is not None and address.version == network.version and address in network
    name, of_port = _split(entry)
    if of_port and of_port != port:
        return False
    given = _address(name)
    if given is not None:
        return given == address
    if not name:
        return False
    suffix = name[1:] if name.startswith("*.") else name
    if suffix.startswith("."):
        return host.endswith(suffix)
    return host == suffix or host.endswith("." + suffix)


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    if "/" not in entry:
        return None
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        return None


def _split(entry: str) -> tuple[str, str]:
    """Host and port, as net.SplitHostPort: an IPv6 address has a port only behind brackets."""
    if entry.startswith("[") and "]" in entry:
        inside, dummy, rest = entry[1:].partition("]")
        return inside, rest[1:] if rest.startswith(":") else ""
    host, colon, port = entry.rpartition(":")
    return (host, port) if colon and ":" not in host else (entry, "")


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
