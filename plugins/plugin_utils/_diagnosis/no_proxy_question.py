# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters `missing_no_proxy` and `merged_no_proxy` are asked, checked at the door. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._no_proxy.consumers import Consumer, consumer_of
from .._no_proxy.missing import merged, missing_no_proxy
from .._no_proxy.needs import Need
from .checked import checked_facts, plain
from .proxy_needs import needs_of
from .proxy_needs_of_cluster import Words, checked_ranges, cluster_needs

SCOPES = ("api_server", "cluster")
OPTIONS: dict[str, Any] = {
    "consumer": "go",
    "curl_version": None,
    "scope": "api_server",
    "registries": (),
    "node_cidrs": (),
    "cluster_domain": None,
}


@dataclass(frozen=True)
class Question:
    """environment: NO_PROXY alone, or the variables."""

    environment: str | Mapping[str, Any]
    needs: tuple[Need, ...]
    consumers: tuple[Consumer, ...]

    @classmethod
    def of(cls, environment: Any, needs: Any, facts: Any, options: Mapping[str, Any]) -> Question:
        """options: those of OPTIONS that were given. Raises ValueError, InvalidObservation."""
        unknown = sorted(set(options) - set(OPTIONS))
        if unknown:
            raise ValueError(f"option {unknown[0]!r} is not known; there are {', '.join(OPTIONS)}.")
        given = {**OPTIONS, **{name: value for name, value in options.items() if value is not None}}
        if not isinstance(environment, (str, Mapping)):
            raise ValueError(f"got a {type(environment).__name__}. Expected: NO_PROXY as a string, or the variables as a mapping.")
        if (needs is None) is (facts is None):
            raise ValueError("expected either needs (a list of hosts, host:port or CIDRs) or facts (kubernetes_webhooks).")
        if given["scope"] not in SCOPES:
            raise ValueError(f"scope {given['scope']!r} is not known; there are {', '.join(SCOPES)}.")
        wanted = list(_needs("needs", needs))
        if facts is not None:
            known = plain(checked_facts(facts))
            words = Words(_ranges(given["node_cidrs"]), tuple(_needs("registries", given["registries"])), given["cluster_domain"])
            if given["scope"] == "cluster":
                wanted = cluster_needs(known, words)
            else:
                wanted = [need for instance in known["control_plane"]["instances"] for need in needs_of(known, instance)] + list(words.registries)
        return cls(plain(environment), tuple(wanted), _consumers(given["consumer"], given["curl_version"]))

    def missing(self) -> list[dict[str, Any]]:
        return [{**need.shown(), "understood": bool(need.entry)} for need in missing_no_proxy(self.environment, self.needs, self.consumers)]

    def merged(self) -> str:
        value = self.environment if isinstance(self.environment, str) else self.consumers[0].settings(self.environment)[1]
        return merged(value, self.needs, self.consumers)


def _needs(name: str, items: Any) -> list[Need]:
    if items is None:
        return []
    if isinstance(items, (str, Mapping)) or not isinstance(items, Sequence):
        raise ValueError(f"{name} is a {type(items).__name__}. Expected: a list.")
    found = []
    for position, item in enumerate(items):
        try:
            found.append(Need.of(plain(item)))
        except ValueError as error:
            raise ValueError(f"{name}[{position}]: {error}.") from error
    return found


def _ranges(cidrs: Any) -> tuple[str, ...]:
    if isinstance(cidrs, str) or not isinstance(cidrs, Sequence):
        raise ValueError(f"node_cidrs is a {type(cidrs).__name__}. Expected: a list.")
    try:
        return checked_ranges(cidrs)
    except ValueError as error:
        raise ValueError(f"node_cidrs: {error}.") from error


def _consumers(names: Any, curl_version: Any) -> tuple[Consumer, ...]:
    asked = [names] if isinstance(names, str) else list(names)
    try:
        found = tuple(consumer_of(str(name), curl_version) for name in asked)
    except ValueError as error:
        raise ValueError(f"{error}.") from error
    if not found or len({one.separator for one in found}) > 1:
        raise ValueError("consumer: expected one or more that share a value; java reads http.nonProxyHosts, which has other words and separators.")
    return found
