# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NO_PROXY as Go reads it, and what of a list of needs it does not cover. Pure. PRIVATE to the collection.

The rules are those of golang.org/x/net/http/httpproxy, which kube-apiserver, the kubelet and containerd all use; curl, Python and others differ. In short: a
domain covers itself and what is below it, with a dot in front only what is below; an address or CIDR covers addresses that stand in the URL, never names (Go
resolves nothing); `*` alone covers everything; localhost and 127.0.0.0/8 never go through a proxy.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

# `https` without a port; Go compares ports as text.
_HTTPS = "443"
_PREFIX = re.compile(r"[^/%]+/\d{1,3}")


@dataclass(frozen=True)
class Need:
    """Something that must be reached without a proxy. host: a name or address as it stands in the URL, or a CIDR that must be covered as a whole.

    entry: what to add to NO_PROXY for it. why: who calls it, in words. kind: a word for rules (`proxy_needs.py`).
    """

    host: str
    port: int | None
    entry: str
    why: str
    kind: str = ""

    @classmethod
    def of(cls, item: Any) -> Need:
        """From what a user wrote: a host, `host:port`, a CIDR, or a mapping. Raises ValueError."""
        if isinstance(item, Mapping) and isinstance(item.get("host"), str) and item["host"]:
            host, port = item["host"], item.get("port")
            if port is not None and (not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536):
                raise ValueError(f"port {port!r} is none")
            return cls(host, port, str(item.get("entry") or host), str(item.get("why") or ""))
        if isinstance(item, str) and item.strip():
            split = _host_and_port(item.strip())
            host, text = split or (item.strip(), "")
            if text and not (text.isdigit() and 0 < int(text) < 65536):
                raise ValueError(f"port {text!r} is none")
            return cls(host, int(text) if text else None, host, "")
        raise ValueError("expected a host, host:port or CIDR, or a mapping with host")

    def shown(self) -> dict[str, Any]:
        return {"host": self.host, "port": self.port, "entry": self.entry, "why": self.why}


class NoProxy:
    """One value of NO_PROXY."""

    def __init__(self, value: str) -> None:
        self._everything = False
        self._networks: list[Network] = []
        self._addresses: list[tuple[Address, str]] = []
        self._domains: list[tuple[str, str, bool]] = []  # (".domain", port, whether the domain itself is meant too)
        for part in value.split(","):
            entry = part.strip().lower()
            if entry == "*":
                self._everything = True
            elif entry:
                self._add(entry)

    def _add(self, entry: str) -> None:
        network = _network(entry)
        if network is not None:
            self._networks.append(network)
            return
        host, port = _host_and_port(entry) or (entry, "")
        if not host:
            return
        address = _address(host)
        if address is not None:
            self._addresses.append((address, port))
            return
        if host.startswith("*."):
            host = host[1:]
        self._domains.append((host if host.startswith(".") else f".{host}", port, not host.startswith(".")))

    def exempts(self, host: str, port: int | None = None) -> bool:
        """Whether a request to this host (as the URL has it, without brackets; port: default that of https) is sent without the proxy."""
        name, number = host.strip().lower(), str(port) if port else _HTTPS
        if host == "localhost" or self._everything:
            return True
        address = _address(name, zones=True)
        if address is None:
            return any((name.endswith(domain) or (itself and name == domain[1:])) and only in ("", number) for domain, only, itself in self._domains)
        if address.is_loopback or _mapped(address).is_loopback:
            return True
        plain = _mapped(address)
        return any(plain in network for network in self._networks if network.version == plain.version) or any(
            plain == _mapped(known) and only in ("", number) for known, only in self._addresses
        )

    def exempts_network(self, network: Network) -> bool:
        """Whether every address of it is: a CIDR that holds it whole (several that make it up together are not looked for)."""
        return self._everything or any(
            network.version == known.version and network.network_address in known and network.broadcast_address in known for known in self._networks
        )

    def covers(self, need: Need) -> bool:
        network = _network(need.host.lower())
        return self.exempts_network(network) if network is not None else self.exempts(need.host, need.port)


def missing_no_proxy(environment: Mapping[str, str | None] | str, needs: Iterable[Need]) -> list[Need]:
    """The needs that would go through the proxy, each entry once, in their order.

    environment: HTTPS_PROXY, HTTP_PROXY and NO_PROXY (any case; upper case first, as Go reads them), or NO_PROXY alone: then a proxy is assumed.
    Nothing is missing where there is no HTTPS_PROXY.
    """
    if isinstance(environment, str):
        value: str | None = environment
    else:
        if not _variable(environment, "HTTPS_PROXY"):
            return []
        value = _variable(environment, "NO_PROXY")
    no_proxy = NoProxy(value or "")
    missing: dict[str, Need] = {}
    for need in needs:
        if not no_proxy.covers(need):
            missing.setdefault(need.entry, need)
    return list(missing.values())


def merged(value: str, needs: Iterable[Need]) -> str:
    """A NO_PROXY that holds all that the given one holds, in its order, and then an entry for each need that it does not cover."""
    entries = [entry.strip() for entry in value.split(",") if entry.strip()]
    return ",".join([*entries, *(need.entry for need in missing_no_proxy(value, needs))])


def _variable(environment: Mapping[str, str | None], name: str) -> str | None:
    return environment.get(name) or environment.get(name.lower())


def _address(text: str, zones: bool = False) -> Address | None:
    """Go's netip.ParseAddr (zones: fe80::1%eth0 is an address too) and net.ParseIP (it is none)."""
    try:
        return ipaddress.ip_address(text.partition("%")[0] if zones and "%" in text and ":" in text else text)
    except ValueError:
        return None


def _mapped(address: Address) -> Address:
    """::ffff:10.0.0.1 and 10.0.0.1 are the same to Go's net.IP."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _network(text: str) -> Network | None:
    """Go's net.ParseCIDR: always with a prefix length in digits, host bits are cut off."""
    if not _PREFIX.fullmatch(text):
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    return ipaddress.ip_network((mapped, network.prefixlen - 96)) if mapped and network.prefixlen >= 96 else network


def _host_and_port(text: str) -> tuple[str, str] | None:
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
