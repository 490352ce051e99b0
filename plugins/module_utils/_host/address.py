# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the API server of this machine is asked, and which addresses the machine has. PRIVATE to the collection."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host import k3s
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host

_DEFAULT_PORT = 6443
_MICROK8S_PORT = 16443
_LOCAL = re.compile(r"\|-- (\S+)\n(?:\s+/\d+ .*\n)*?\s+/32 host LOCAL")


class Listens(NamedTuple):
    """An address of this machine, and the API server's port there; None where nothing is known of it."""

    address: str | None
    port: int | None
    addresses: tuple[str, ...]


def listens(host: Host, distribution: str | None, arguments: Mapping[str, str], unit: str | None = None) -> Listens:
    """`unit`: the service of its process."""
    addresses = _addresses(host, arguments.get("service-cluster-ip-range", ""))
    if distribution == "k3s":
        return Listens("127.0.0.1", _k3s_port(host, unit), addresses)
    if not arguments:
        return Listens(None, None, addresses)
    port = arguments.get("secure-port", "")
    fallback = _MICROK8S_PORT if distribution == "microk8s" else _DEFAULT_PORT
    return Listens(_own(arguments, addresses), int(port) if port.isdigit() else fallback, addresses)


def _own(arguments: Mapping[str, str], addresses: tuple[str, ...]) -> str:
    """The one address that it listens at, else the one that it tells others, if it is this machine's (it may be a balancer's), else loopback."""
    bound = _parsed(arguments.get("bind-address", ""))
    if bound and not bound.is_unspecified:
        return str(bound)
    told = _parsed(arguments.get("advertise-address", ""))
    return str(told) if told and str(told) in addresses else "127.0.0.1"


def _k3s_port(host: Host, unit: str | None) -> int:
    """One above the port that k3s itself listens at, which belongs to another listener (k3s pkg/daemons/control/server.go, APIServerPort)."""
    port = k3s.told(host, unit, "https-listen-port") or ""
    return int(port) + 1 if port.isdigit() else 6444


def _addresses(host: Host, service_ranges: str) -> tuple[str, ...]:
    """The addresses of all interfaces, without loopback, link-local ones, and those that kube-proxy (IPVS) gives to Services."""
    trie, six = host.text("/proc/net/fib_trie"), host.text("/proc/net/if_inet6")
    if trie is None and six is None:
        host.missed("addresses", "/proc/net has neither fib_trie nor if_inet6.")
    found = [*_LOCAL.findall(trie or ""), *(line.split()[0] for line in (six or "").splitlines() if line)]
    services = [network for network in map(_network, service_ranges.split(",")) if network]
    parsed = {ipaddress.ip_address(item if "." in item else int(item, 16).to_bytes(16, "big")) for item in found}
    kept = (one for one in parsed if not (one.is_loopback or one.is_link_local or any(one in network for network in services)))
    return tuple(str(one) for one in sorted(kept, key=lambda one: (one.version, int(one))))


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
