# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy variables of an API server, and what of its calls they send astray. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._no_proxy.missing import missing_no_proxy
from .._no_proxy.needs import Need
from .proxy_needs import KUBELETS, WEBHOOKS, needs_of
from .text import clean, dial, listing


@dataclass(frozen=True)
class ProxyEnvironment:
    """HTTPS_PROXY (without credentials) and NO_PROXY of one instance, and what of its calls NO_PROXY does not cover."""

    instance: str
    address: str | None
    proxy: str
    no_proxy: str
    missing: tuple[Need, ...]

    @property
    def exempts_services(self) -> bool:
        """Whether NO_PROXY covers all webhooks that are called through a Service."""
        return not any(need.kind == WEBHOOKS for need in self.missing)

    @property
    def entries(self) -> str:
        """What is to be added to NO_PROXY, as it is pasted. Nodes only where they are few: the range of their addresses is nobody's to guess."""
        nodes = [need.entry for need in self.missing if need.kind == KUBELETS]
        return ",".join([*(need.entry for need in self.missing if need.kind != KUBELETS), *(nodes if len(nodes) <= 10 else [])])

    def line(self) -> str:
        others = [f"{need.entry} ({need.why})" for need in self.missing if need.kind != KUBELETS]
        nodes = [need for need in self.missing if need.kind == KUBELETS]
        if nodes:
            others.append(f"{listing([need.entry for need in nodes], 3)} ({nodes[0].why})")
        missing = f"; it lacks {'; '.join(others)}" if others else ""
        return f"API server {self.instance} has HTTPS_PROXY={self.proxy} and NO_PROXY={self.no_proxy or '(empty)'}{missing}"


def visible_proxies(facts: Mapping[str, Any]) -> tuple[ProxyEnvironment, ...]:
    """The instances whose environment is visible and sends HTTPS through a proxy."""
    found = []
    for instance in facts["control_plane"]["instances"]:
        variables = instance.get("proxy") or {}
        if variables.get("HTTPS_PROXY"):
            found.append(
                ProxyEnvironment(
                    str(instance.get("name") or instance.get("address")),
                    dial(instance["address"], instance["port"]) if instance["address"] and instance["port"] else None,
                    without_credentials(variables["HTTPS_PROXY"]),
                    clean(variables.get("NO_PROXY") or ""),
                    tuple(missing_no_proxy(variables, needs_of(facts, instance))),
                )
            )
    return tuple(sorted(found, key=lambda environment: environment.instance))


def without_credentials(proxy: str) -> str:
    """A proxy URL without user and password."""
    scheme, separator, rest = proxy.rpartition("://")
    authority = rest.partition("/")[0]
    return clean(f"{scheme}{separator}{authority.rpartition('@')[2]}")
