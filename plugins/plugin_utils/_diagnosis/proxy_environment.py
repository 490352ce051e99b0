# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy variables of an API server, and whether its webhook calls get past them. PRIVATE to the collection.

kube-apiserver decides on the name `<service>.<namespace>.svc` up to 1.36, so only a domain in NO_PROXY helps and CIDRs do not; from 1.37 on it decides on the
resolved address. Source: golang.org/x/net/http/httpproxy; k8s.io/apiserver pkg/util/webhook/client.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .text import clean

_SERVICE_DOMAINS = frozenset({".svc", "svc", "*.svc", "*"})


@dataclass(frozen=True)
class ProxyEnvironment:
    """HTTPS_PROXY (without credentials) and NO_PROXY of one instance."""

    instance: str
    proxy: str
    no_proxy: str

    @property
    def exempts_services(self) -> bool:
        """Whether NO_PROXY covers every `<service>.<namespace>.svc`."""
        return any(entry.strip().lower() in _SERVICE_DOMAINS for entry in self.no_proxy.split(","))

    def line(self) -> str:
        missing = "" if self.exempts_services else "; it lacks .svc, by which webhook calls are recognised (up to 1.36 CIDRs and .cluster.local do not help)"
        return f"API server {self.instance} has HTTPS_PROXY={self.proxy} and NO_PROXY={self.no_proxy or '(empty)'}{missing}"


def visible_proxies(instances: Iterable[Mapping[str, Any]]) -> tuple[ProxyEnvironment, ...]:
    """The instances whose environment is visible and sends HTTPS through a proxy."""
    found = []
    for instance in instances:
        variables = instance.get("proxy") or {}
        if variables.get("HTTPS_PROXY"):
            found.append(
                ProxyEnvironment(
                    str(instance.get("name") or instance.get("address")), without_credentials(variables["HTTPS_PROXY"]), clean(variables.get("NO_PROXY") or "")
                )
            )
    return tuple(sorted(found, key=lambda environment: environment.instance))


def without_credentials(proxy: str) -> str:
    """A proxy URL without user and password."""
    scheme, separator, rest = proxy.rpartition("://")
    authority = rest.partition("/")[0]
    return clean(f"{scheme}{separator}{authority.rpartition('@')[2]}")
