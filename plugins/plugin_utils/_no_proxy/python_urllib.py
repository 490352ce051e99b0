# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""no_proxy as Python's urllib.request reads it, and with it Ansible's `uri` and `get_url`. Pure. PRIVATE to the collection.

Ends of texts are compared, of the host as it stands in the URL (IPv6 in brackets), with its port and without. No CIDR is known; leading dots mean nothing;
`*` is everything only where it is the whole value; localhost has to be named.
Source: Lib/urllib/request.py, proxy_bypass_environment.
"""

from __future__ import annotations

import re

from .hosts import Network, bracketed

_PORT = re.compile(r"(.*):([0-9]*)", re.DOTALL)


def exempts(value: str, host: str, port: int | None = None) -> bool:
    """Whether a request to this host is sent without the proxy. host as the URL has it, without brackets; port None: none stands in the URL."""
    return bypasses(value, bracketed(host) + (f":{port}" if port else ""))


def exempts_network(value: str, network: Network) -> bool:
    """Whether every address of it is: only `*` says that."""
    return value == "*"


def bypasses(value: str, place: str) -> bool:
    """proxy_bypass_environment: place is the URL's host, with brackets and port where it has them."""
    if value == "*":
        return True
    place = place.lower()
    split = _PORT.fullmatch(place)
    host = split[1] if split else place
    for entry in value.split(","):
        name = entry.strip().lstrip(".").lower()
        if entry.strip() and (name in (host, place) or host.endswith(f".{name}") or place.endswith(f".{name}")):
            return True
    return False
