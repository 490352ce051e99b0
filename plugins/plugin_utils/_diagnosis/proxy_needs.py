# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API server must reach without a proxy, from what the facts say of its calls. Pure. PRIVATE to the collection.

Webhooks: up to 1.36 the proxy is chosen by the name `<service>.<namespace>.svc`, so that only a domain helps; from 1.37 on (feature gate
WebhookRoundTripLoadBalancing) by the resolved ClusterIP or endpoint, so that only addresses help. Aggregated APIs: always by address. Its calls to itself:
by --bind-address where that names one. URLs are called by their host, and may well be meant to go through the proxy.
Sources: k8s.io/apiserver pkg/util/webhook/client.go and pkg/server/config_selfclient.go, kube-aggregator pkg/apiserver/handler_proxy.go.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._no_proxy.needs import Need

WEBHOOKS, APIS, ITSELF, KUBELETS = "webhooks", "apis", "itself", "kubelets"
_KUBELET_PORT = 10250
BY_ADDRESS_SINCE = 37
_SUBNET = re.compile(r"^\s*(serviceSubnet|podSubnet|controlPlaneEndpoint):\s*\"?([^\s\"#]+)\"?\s*$", re.MULTILINE)


def needs_of(facts: Mapping[str, Any], instance: Mapping[str, Any]) -> list[Need]:
    """In the order in which they matter; of the same entry the first one speaks."""
    return [*_webhooks(facts, instance), *_apis(facts, instance), *_itself(instance), *_kubelets(facts)]


def by_address(facts: Mapping[str, Any]) -> bool:
    """Whether this version chooses the proxy of webhook calls by address."""
    minor = (facts.get("version") or {}).get("minor")
    return minor is not None and minor >= BY_ADDRESS_SINCE


def kubeadm(facts: Mapping[str, Any]) -> dict[str, str]:
    """serviceSubnet, podSubnet, controlPlaneEndpoint of ConfigMap kubeadm-config, as far as they are there."""
    config = ((facts.get("platform") or {}).get("config") or {}).get("kubeadm-config") or {}
    return dict(_SUBNET.findall(str(config.get("ClusterConfiguration") or "")))


def service_cidrs(facts: Mapping[str, Any], instance: Mapping[str, Any]) -> list[str]:
    flags = [one.get("flags") or {} for one in (instance, *((facts.get("control_plane") or {}).get("components") or ()))]
    return _cidrs([*(flag.get("service-cluster-ip-range") for flag in flags), kubeadm(facts).get("serviceSubnet")])


def pod_cidrs(facts: Mapping[str, Any]) -> list[str]:
    components = (facts.get("control_plane") or {}).get("components") or ()
    known = _cidrs([*((one.get("flags") or {}).get("cluster-cidr") for one in components), kubeadm(facts).get("podSubnet")])
    return known or _cidrs(cidr for node in (facts.get("platform") or {}).get("nodes") or () for cidr in node["pod_cidrs"])


def _cidrs(texts: Iterable[str | None]) -> list[str]:
    found: dict[str, None] = {}
    for cidr in (part.strip() for text in texts for part in (text or "").split(",")):
        try:
            found[str(ipaddress.ip_network(cidr))] = None
        except ValueError:
            continue
    return list(found)


def _webhooks(facts: Mapping[str, Any], instance: Mapping[str, Any]) -> Iterator[Need]:
    backends = {backend["id"]: backend for backend in facts["backends"]}
    for callout in facts["callouts"]:
        service = (callout["client"] or {}).get("service")
        if not service or callout["kind"] == "apiservice" or (service["namespace"], service["name"]) == ("default", "kubernetes"):
            continue
        if not by_address(facts):
            yield Need(
                callout["server_name"], service["port"], ".svc", "webhooks, which this version recognises by their names <service>.<namespace>.svc", WEBHOOKS
            )
            continue
        yield from _dialled(
            facts, instance, backends[callout["backend"]], "webhooks, which from 1.37 on are recognised by the address that is dialled", WEBHOOKS
        )


def _apis(facts: Mapping[str, Any], instance: Mapping[str, Any]) -> Iterator[Need]:
    backends = {backend["id"]: backend for backend in facts["backends"]}
    for callout in facts["callouts"]:
        if callout["kind"] == "apiservice" and (callout["client"] or {}).get("service"):
            yield from _dialled(facts, instance, backends[callout["backend"]], "aggregated APIs, which are called by address", APIS)


def _dialled(facts: Mapping[str, Any], instance: Mapping[str, Any], backend: Mapping[str, Any], why: str, kind: str) -> Iterator[Need]:
    """The addresses that are dialled: endpoints with endpoint routing, else the ClusterIP (the default)."""
    if facts["control_plane"]["routing"] == "endpoint":
        ranges = pod_cidrs(facts)
        targets = [(endpoint["address"], endpoint["port"]) for endpoint in backend.get("endpoints") or () if endpoint["port"]]
    else:
        ranges = service_cidrs(facts, instance)
        port = (backend.get("port") or {}).get("port")
        targets = [(address, port) for address in (backend.get("service") or {}).get("cluster_ips") or () if address and address != "None"]
    for address, port in targets:
        yield Need(address, port, range_of(address, ranges) or address, why, kind)


def range_of(address: str, ranges: Iterable[str]) -> str | None:
    """The first of the CIDRs that holds the address; None for a name, and where none does."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return None
    return next((cidr for cidr in ranges if known in ipaddress.ip_network(cidr)), None)


def _itself(instance: Mapping[str, Any]) -> Iterator[Need]:
    address = (instance.get("flags") or {}).get("bind-address")
    try:
        bound = ipaddress.ip_address(address or "")
    except ValueError:
        return
    if not bound.is_unspecified and not bound.is_loopback:
        yield Need(str(address), instance.get("port"), str(address), "its own address (--bind-address): the API server talks to itself there", ITSELF)


def _kubelets(facts: Mapping[str, Any]) -> Iterator[Need]:
    for node in (facts.get("platform") or {}).get("nodes") or ():
        for address in node["internal_ips"][:1]:
            yield Need(address, _KUBELET_PORT, address, "kubelets (logs, exec, port-forward): better the range of the nodes' addresses", KUBELETS)
