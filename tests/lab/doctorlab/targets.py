# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target is one fault, or one healthy twin, with the addresses that it got in this lab. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from . import addresses
from .faults import Fault, Make

SERVICE = "webhook"
PORT_NAME = "https"  # of the pods' port
GAUGES = "gauges"  # the resource of the CRDs and aggregated APIs
STORED_VERSION, ASKED_VERSION = "v1", "v1beta1"
AGGREGATED_VERSION = "v1alpha1"


@dataclass(frozen=True)
class Target:
    """Where a `Make` is made: namespace `fault-<name>` or `twin-<name>`, and what belongs to it."""

    fault: str
    role: str  # fault, twin
    make: Make
    pods: tuple[str, ...]  # addresses
    outside: str  # address of the URL's host

    @property
    def namespace(self) -> str:
        return f"{self.role}-{self.fault}"

    @property
    def apps_namespace(self) -> str:
        """Where the ReplicaSet of a fault with `events` lives: apart from the back end, so that no deadlock is made by the way."""
        return f"{self.namespace}-apps"

    @property
    def domain(self) -> str:
        """The API group of its CRD or APIService, and the end of its webhooks' names."""
        return f"{self.fault}.{self.role}.lab.example.com"

    @property
    def host(self) -> str | None:
        """The host in the URL; null where there is a Service."""
        kind = self.make.call_out.url
        if kind is None:
            return None
        return f"{self.namespace}.invalid" if kind == "dead_name" else f"{self.namespace}.{addresses.OUTSIDE_DOMAIN}"

    @property
    def external_name(self) -> str:
        return f"{self.namespace}.{addresses.OUTSIDE_DOMAIN}"

    @property
    def server_name(self) -> str:
        """The name that the API server wants to see in the certificate."""
        return self.host or f"{SERVICE}.{self.namespace}.svc"

    @property
    def listens_at(self) -> tuple[str, ...]:
        """host:port of every address where something listens."""
        make = self.make
        if make.call_out.url:
            hosts: tuple[str, ...] = (self.outside,) if make.call_out.url == "good" else ()
        elif make.service.type == "ExternalName":
            hosts = (self.outside,)
        elif not make.service.exists:
            hosts = ()
        else:
            hosts = self.pods[: make.pods.listening]
        return tuple(f"{host}:{addresses.WEBHOOK_PORT}" for host in hosts)

    @property
    def has_pods(self) -> bool:
        make = self.make
        return make.call_out.url is None and make.service.exists and make.service.type != "ExternalName"

    @property
    def stores_before_conversion(self) -> bool:
        """Whether an object is stored before its CRD gets the conversion webhook: not where the bundle is garbage, which only a new CRD may have."""
        return self.make.call_out.kind == "conversion" and not isinstance(self.make.call_out.ca_bundle, str)

    @property
    def has_endpoints(self) -> bool:
        """Whether the Service selects pods that have its port."""
        made = self.make.service
        return self.has_pods and made.selects_pods and made.target_port in (addresses.WEBHOOK_PORT, PORT_NAME)


def allot(faults: Iterable[Fault]) -> list[Target]:
    """Give every fault and twin its addresses."""
    targets: list[Target] = []
    pods = 0
    for fault in faults:
        for role, make in (("fault", fault.make), ("twin", fault.twin)):
            if make is None:
                continue
            own = tuple(addresses.pod(pods + number) for number in range(make.pods.count))
            pods += make.pods.count
            targets.append(Target(fault.name, role, make, own, addresses.outside(len(targets))))
    return targets
