# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NO_PROXY as Go reads it: kube-apiserver, kubelet, containerd, CRI-O, Docker, kubectl and every other Go program. Pure. PRIVATE to the collection.

The rules are those of golang.org/x/net/http/httpproxy. In short: a domain covers itself and what is below it, with a dot in front only what is below; an
address or CIDR covers addresses that stand in the URL, never names (Go resolves nothing); `*` alone covers everything; localhost and 127.0.0.0/8 never go
through a proxy.
"""

from __future__ import annotations

from .hosts import Address, Network, address_of, holds, host_and_port, network_of, plain_address

# `https` without a port; Go compares ports as text.
_HTTPS = "443"


def exempts_network(value: str, network: Network) -> bool:
    """Whether every address of it is sent without the proxy."""
    return NoProxy(value).exempts_network(network)


def exempts(value: str, host: str, port: int | None = None) -> bool:
    """Whether a request to this host is sent without the proxy. host as the URL has it, without brackets; port None: that of https."""
    return NoProxy(value).exempts(host, port)


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
        network = network_of(entry)
        if network is not None:
            self._networks.append(network)
            return
        host, port = host_and_port(entry) or (entry, "")
        if not host:
            return
        address = address_of(host)
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
        address = address_of(name, zones=True)
        if address is None:
            return any((name.endswith(domain) or (itself and name == domain[1:])) and only in ("", number) for domain, only, itself in self._domains)
        if address.is_loopback or plain_address(address).is_loopback:
            return True
        plain = plain_address(address)
        return any(plain in network for network in self._networks if network.version == plain.version) or any(
            plain == plain_address(known) and only in ("", number) for known, only in self._addresses
        )

    def exempts_network(self, network: Network) -> bool:
        """Whether every address of it is: a CIDR that holds it whole (several that make it up together are not looked for)."""
        return self._everything or any(holds(known, network) for known in self._networks)
