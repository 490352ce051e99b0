# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One API server as its own host sees it (api_server_facts), or why nothing is known of it. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from .._diagnosis.checked import moment
from .._diagnosis.text import clean, dial
from .certificate import LoopbackCertificate, NotLoopback, read_loopback

_REFUSED = (401, 403)
LOCAL = frozenset(("127.0.0.1", "::1", "localhost"))


@dataclass(frozen=True)
class Instance:
    """host: of the inventory. facts: `api_server` of api_server_facts; None where `error` says why there are none.

    certificate: its loopback certificate; None where `unreadable` says why it cannot be judged.
    """

    host: str
    facts: Mapping[str, Any] | None = None
    error: str | None = None
    certificate: LoopbackCertificate | None = None
    unreadable: str | None = None

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Instance:
        """From one result of a loop over the hosts: {item, api_server} or {item, failed|unreachable, msg}."""
        host, facts = str(result["item"]), result.get("api_server")
        if not isinstance(facts, Mapping) or result.get("unreachable"):
            said = clean(_said(result), 300).removeprefix("Task failed: ")
            error = f"the host cannot be reached: {said}" if result.get("unreachable") else said
            return cls(host, None, error, None, error)
        loopback = facts.get("loopback") or {}
        if not loopback.get("chain"):
            return cls(host, facts, None, None, clean(loopback.get("error") or "its loopback certificate was not read", 300))
        try:
            return cls(host, facts, None, read_loopback(loopback["chain"]))
        except NotLoopback as error:
            return cls(host, facts, None, None, str(error))

    def part(self, name: str) -> Mapping[str, Any]:
        """A part of the facts; {} where there is none."""
        return (self.facts or {}).get(name) or {}

    @property
    def names(self) -> frozenset[str]:
        """What it may be called: in the inventory, by itself, with and without its domain."""
        hostname = str((self.facts or {}).get("hostname") or self.host)
        return frozenset(name.lower() for full in (self.host, hostname) for name in (full, full.partition(".")[0]))

    @property
    def addresses(self) -> frozenset[str]:
        """Of its interfaces, where it is asked, and what it tells others; without those that every host has."""
        facts = self.facts or {}
        arguments = self.part("process").get("arguments") or {}
        told = [*(facts.get("addresses") or ()), facts.get("address"), arguments.get("advertise-address"), arguments.get("bind-address")]
        return frozenset(str(address) for address in told if address) - LOCAL - {"0.0.0.0", "::"}

    @property
    def own_addresses(self) -> frozenset[str]:
        """Of its interfaces; without those that every host has."""
        return frozenset(map(str, (self.facts or {}).get("addresses") or ())) - LOCAL

    @property
    def where(self) -> str:
        """`cp1 (10.0.0.1:6443)`."""
        facts = self.facts or {}
        return f"{self.host} ({dial(str(facts['address']), facts['port'])})" if facts.get("address") and facts.get("port") else self.host

    @property
    def ready(self) -> bool | None:
        """Whether /readyz of its own address says so; None where it could not be asked."""
        status = self.part("ready").get("status")
        return None if status is None or self.refuses else status == 200

    @property
    def refuses(self) -> bool:
        """Whether it answers, and tells nobody whether it is ready who may ask it from its host."""
        return self.part("ready").get("status") in _REFUSED

    @property
    def not_ready_because(self) -> str:
        ready = self.part("ready")
        if self.facts is None:
            return str(self.error)
        failed = ", ".join(map(str, ready.get("failed") or ()))
        return clean(failed or ready.get("error") or f"HTTP {ready.get('status')}", 300)

    @property
    def distribution(self) -> str | None:
        name = self.part("distribution").get("name")
        return str(name) if name else None

    @property
    def clock(self) -> datetime | None:
        """What time it was there when it was asked."""
        text = self.part("clock").get("now")
        return moment(str(text)) if text else None


def _said(result: Mapping[str, Any]) -> str:
    """Why a module returned no facts: where it did not even start (no sudo, no Python) the shell's own words say more than Ansible's."""
    shell = str(result.get("module_stderr") or "").strip().splitlines()
    return shell[-1] if shell else str(result.get("msg") or "it returned nothing")


def read_instances(results: Iterable[Mapping[str, Any]]) -> tuple[Instance, ...]:
    """In the order of the inventory. Raises InvalidObservation for times that are none."""
    return tuple(Instance.of(result) for result in results)


def host_of(url: str) -> str:
    """The host of a URL, or of `host:port`, or the text itself; "" where there is none."""
    try:
        return (urlsplit(url if "//" in url else f"//{url}").hostname or "").lower()
    except ValueError:
        return ""
