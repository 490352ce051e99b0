# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that guards look at, joined. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from .._diagnosis.cluster import Cluster
from .._diagnosis.platform import Platform, judge_platform
from .api import Api, Object
from .instance import LOCAL, Instance
from .node import addresses, advertised
from .options import Options


@dataclass(frozen=True)
class Situation:
    """instances: every control-plane host of the inventory. api: what the API says. diagnosis: {facts, probes, verdicts} of
    observe_cluster, None where there is none.

    now: of the controller (aware UTC); asked: between which two moments of the controller the hosts were asked. target: the host that is next; None where
    none is due. baseline: the aggregated APIs that were unavailable at the beginning; None at the beginning. lock: what the module lease returned; None where
    it was not asked. alerts: {status, json, msg} of the request to Prometheus; None where it was not asked.
    """

    instances: tuple[Instance, ...]
    api: Api
    now: datetime
    asked: tuple[datetime, datetime]
    options: Options
    target: str | None = None
    diagnosis: Mapping[str, Any] | None = None
    baseline: frozenset[str] | None = None
    lock: Mapping[str, Any] | None = None
    alerts: Mapping[str, Any] | None = None

    @property
    def next(self) -> Instance | None:
        return next((one for one in self.instances if one.host == self.target), None)

    @property
    def others(self) -> Sequence[Instance]:
        """All but the one that is next."""
        return [one for one in self.instances if one.host != self.target]

    @cached_property
    def seen(self) -> Sequence[Instance]:
        """Those of which something is known: of the others nothing can be said, neither good nor bad."""
        return [one for one in self.instances if one.facts is not None]

    @property
    def unseen(self) -> int:
        """How many hosts could not be looked at."""
        return len(self.instances) - len(self.seen)

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """Those of the diagnosis; {} where there is none."""
        return (self.diagnosis or {}).get("facts") or {}

    @cached_property
    def cluster(self) -> Cluster | None:
        if not self.diagnosis:
            return None
        return Cluster.of(self.facts, self.diagnosis.get("probes") or (), self.diagnosis.get("verdicts") or ())

    @cached_property
    def platform(self) -> Platform | None:
        return judge_platform(self.facts) if self.facts else None

    @property
    def unlisted(self) -> Sequence[Instance]:
        """Those whose API server tells the Service default/kubernetes nothing of itself: what is there is of somebody else (k0s), and may be a balancer's."""
        return [one for one in self.seen if (one.part("process").get("arguments") or {}).get("endpoint-reconciler-type") == "none"]

    @cached_property
    def strangers(self) -> tuple[tuple[str, int], ...]:
        """API servers that the Service default/kubernetes has, and that are on no host of the inventory; none where it does not list them."""
        if self.unlisted:
            return ()
        known = frozenset().union(*(self.addresses_of(one) for one in self.instances))
        return tuple((address, port) for address, port in self.api.server_addresses if address not in known | LOCAL)

    @property
    def outsiders(self) -> Sequence[Instance]:
        """Hosts whose API server is ready, and is none that the Service default/kubernetes has. At first only: who has just come up may not be there yet."""
        if self.baseline is not None or not self.api.server_addresses or self.unlisted:
            return ()
        there = {address for address, dummy in self.api.server_addresses}
        return [one for one in self.instances if one.ready and not self.addresses_of(one) & there]

    def addresses_of(self, instance: Instance) -> frozenset[str]:
        """All that are known of it: those that its host shows, and those that its Node tells.

        Its Node is the one with an address that only this host's interfaces have. A name would not do: another cluster may have a node of that name.
        """
        elsewhere = frozenset().union(*(one.own_addresses for one in self.seen if one is not instance))
        nodes = [node for node in self.api.objects("Node") if (instance.own_addresses - elsewhere) & addresses(node)]
        return instance.addresses.union(*(addresses(node) | advertised(node) for node in nodes))

    def node_of(self, instance: Instance) -> Object | None:
        """The Node object of a host, by an address, else by its name; None where there is none (k0s), or nodes could not be read."""
        nodes = self.api.objects("Node")
        by_address = (node for node in nodes if instance.addresses & addresses(node))
        return next(by_address, None) or next((node for node in nodes if node["metadata"]["name"].lower() in instance.names), None)
