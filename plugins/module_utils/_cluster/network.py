# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services, EndpointSlices and Endpoints -> what the facts keep of them. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import (
    integer,
    labels,
    mapping,
    mappings,
    name_of,
    namespace_of,
    text,
    texts,
)

SERVICE_NAME_LABEL = "kubernetes.io/service-name"


def service_facts(service: dict[str, Any]) -> dict[str, Any]:
    """The `service` of a Backend, found. Raises Malformed."""
    spec = mapping(service.get("spec"))
    addresses = texts(spec.get("clusterIPs")) or texts([spec.get("clusterIP")])
    return {
        "namespace": namespace_of(service),
        "name": name_of(service),
        "found": True,
        "type": text(spec.get("type")) or "ClusterIP",
        "headless": "None" in addresses,
        "cluster_ips": [address for address in addresses if address],
        "external_name": text(spec.get("externalName")),
        "selector": labels(spec.get("selector")) or None,
        "ports": [
            {"name": text(port.get("name")), "port": integer(port.get("port")), "target_port": _target(port), "protocol": text(port.get("protocol")) or "TCP"}
            for port in mappings(spec.get("ports"))
        ],
    }


def unknown_service(namespace: str, name: str, found: bool | None) -> dict[str, Any]:
    """The `service` of a Backend of which nothing is known but that it is missing (False) or could not be read (None)."""
    return {
        "namespace": namespace,
        "name": name,
        "found": found,
        "type": None,
        "headless": False,
        "cluster_ips": [],
        "external_name": None,
        "selector": None,
        "ports": [],
    }


def _target(port: dict[str, Any]) -> int | str | None:
    """targetPort: a number, a name, or by default the port itself."""
    target = port.get("targetPort")
    if isinstance(target, str) and target and not target.isdigit():
        return target
    return integer(target) or integer(port.get("port"))


def slice_facts(endpoint_slice: dict[str, Any]) -> tuple[tuple[str, str], list[dict[str, Any]]] | None:
    """((namespace, service), endpoints by port name) of an EndpointSlice; None for one that belongs to no Service, or holds names instead of addresses.

    Each endpoint of the result stands for an address with all ports of the slice: {address, family, ready, ..., ports: {name: port}}.
    """
    service = text(mapping(mapping(endpoint_slice.get("metadata")).get("labels")).get(SERVICE_NAME_LABEL))
    family = text(endpoint_slice.get("addressType"))
    if service is None or family not in ("IPv4", "IPv6"):
        return None
    ports = _ports(endpoint_slice.get("ports"))
    found = []
    for endpoint in mappings(endpoint_slice.get("endpoints")):
        addresses = texts(endpoint.get("addresses"))
        if not addresses:
            continue
        conditions = mapping(endpoint.get("conditions"))
        ready = conditions.get("ready") is not False  # the API: unknown counts as ready
        serving = conditions.get("serving")
        # All addresses of one endpoint are interchangeable, and the first is the one that API server and kube-proxy use.
        found.append(
            _endpoint(
                addresses[0],
                family,
                ready,
                ready if serving is None else serving is True,
                conditions.get("terminating") is True,
                text(endpoint.get("nodeName")),
                endpoint.get("targetRef"),
                ports,
            )
        )
    return (namespace_of(endpoint_slice), service), found


def endpoints_facts(endpoints: dict[str, Any]) -> tuple[tuple[str, str], list[dict[str, Any]]]:
    """The same of an Endpoints object, for dumps that have no EndpointSlices. Raises Malformed."""
    found = []
    for subset in mappings(endpoints.get("subsets")):
        ports = _ports(subset.get("ports"))
        for key, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in mappings(subset.get(key)):
                ip = text(address.get("ip"))
                if ip is not None:
                    family = "IPv6" if ":" in ip else "IPv4"
                    found.append(_endpoint(ip, family, ready, ready, False, text(address.get("nodeName")), address.get("targetRef"), ports))
    return (namespace_of(endpoints), name_of(endpoints)), found


def _ports(ports: Any) -> dict[str, int | None]:
    return {text(port.get("name")) or "": integer(port.get("port")) for port in mappings(ports)}


def _endpoint(
    address: str, family: str, ready: bool, serving: bool, terminating: bool, node: str | None, target: Any, ports: dict[str, int | None]
) -> dict[str, Any]:
    reference = mapping(target)
    pod = f"{text(reference.get('namespace'))}/{reference['name']}" if reference.get("kind") == "Pod" and text(reference.get("name")) else None
    return {
        "address": address,
        "family": family,
        "ready": ready,
        "serving": serving,
        "terminating": terminating,
        "node": node,
        "pod": pod,
        "ports": ports,
    }


def endpoints_for(endpoints: Iterable[dict[str, Any]], port_name: str | None, has_port: bool) -> list[dict[str, Any]]:
    """The `endpoints` of a Backend: one entry per address and port, `port` None where no container has the port (a named targetPort that no pod has).

    `has_port`: whether the Service has the port at all. An address that stands in two slices is ready if it is in one.
    """
    found: dict[tuple[str, int | None], dict[str, Any]] = {}
    for endpoint in endpoints:
        port = endpoint["ports"].get(port_name or "") if has_port else None
        entry = {
            "address": endpoint["address"],
            "family": endpoint["family"],
            "port": port,
            "ready": endpoint["ready"],
            "serving": endpoint["serving"],
            "terminating": endpoint["terminating"],
            "node": endpoint["node"],
            "pod": endpoint["pod"],
        }
        known = found.get((endpoint["address"], port))
        if known is None or (entry["ready"] and not known["ready"]):
            found[(endpoint["address"], port)] = entry
    return sorted(found.values(), key=lambda entry: (entry["family"], entry["address"], entry["port"] or 0))
