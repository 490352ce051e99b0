# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory -> facts (docs/architecture.md). Pure. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.callouts import url_target
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.control_plane import control_plane_facts
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.coverage import ERROR
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.evidence import MOST_ENTRIES
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.network import endpoints_for, unknown_service
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.pods import selected
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import integer, text

API_SERVER_SERVICE = ("default", "kubernetes")


def facts_of(inventory: Inventory, source: dict[str, Any], version: dict[str, Any], ca_sources: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole of `kubernetes_webhooks`; `source`, `version` and `ca_sources` have the shapes of the facts already."""
    callouts = [inventory.callouts[key] for key in sorted(inventory.callouts)]
    evidence, left_out = inventory.evidence.entries()
    if left_out:
        inventory.coverage.add(
            "events", ERROR, f"{left_out} older kinds of failure are left out; the newest {MOST_ENTRIES} are kept.", "Old failures are not seen."
        )
    facts: dict[str, Any] = {
        "source": source,
        "version": version,
        "platform": None,
        "network": None,
        "callouts": callouts,
        "backends": backends_of(inventory, callouts),
        "ca_sources": ca_sources,
        "namespaces": [{"name": name, "labels": inventory.namespaces[name]} for name in sorted(inventory.namespaces)],
        "control_plane": control_plane_facts(api_server_endpoints(inventory), [inventory.servers[name] for name in sorted(inventory.servers)]),
        "evidence": evidence,
        "apps": {},
        "coverage": inventory.coverage.entries(),
    }
    for observer in inventory.observers:
        place = facts
        for key in observer.path[:-1]:
            place = place[key]
        place[observer.path[-1]] = observer.facts(inventory)
    return facts


def backends_of(inventory: Inventory, callouts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One Backend for each that the call-outs name, sorted by id."""
    clients = {callout["backend"]: callout["client"] for callout in callouts}
    return [_backend(inventory, identifier, clients[identifier]) for identifier in sorted(clients)]


def api_server_endpoints(inventory: Inventory) -> list[dict[str, Any]]:
    """The endpoints of Service default/kubernetes, each {address, port, ...}: the API server instances that publish themselves."""
    return endpoints_for(_endpoints(inventory, *API_SERVER_SERVICE) or [], "https", True)


def version_facts(answer: dict[str, Any]) -> dict[str, Any]:
    """`version` of the facts from what /version answers; the minor of some providers is "36+"."""
    digits = ["".join(filter(str.isdigit, str(answer.get(key) or ""))) for key in ("major", "minor")]
    major, minor = map(integer, digits)
    return {"git_version": text(answer.get("gitVersion")), "go_version": text(answer.get("goVersion")), "major": major, "minor": minor}


def service_references(callouts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The (namespace, name) of all Services that call-outs name, sorted, each once."""
    services = (callout["client"]["service"] for callout in callouts)
    return sorted({(service["namespace"], service["name"]) for service in services if service})


def _backend(inventory: Inventory, identifier: str, client: dict[str, Any]) -> dict[str, Any]:
    if client["url"]:
        url = dict(zip(("scheme", "host", "port"), url_target(client["url"])))
        return {"id": identifier, "kind": "url", "url": url, "service": None, "port": None, "endpoints": None, "pods": None}
    namespace, name, number = client["service"]["namespace"], client["service"]["name"], client["service"]["port"]
    found = False if _looked_for(inventory, "services", namespace, name) else None
    service = inventory.services.get((namespace, name)) or unknown_service(namespace, name, found)
    port = next((port for port in service["ports"] if port["port"] == number), None)
    endpoints = _endpoints(inventory, namespace, name)
    # Without the Service its ports have no names, but a slice with a single port leaves no choice.
    if service["found"] is None and endpoints is not None:
        port_name, has_port = _only_port(endpoints)
    else:
        port_name, has_port = (port["name"] if port else None), port is not None
    return {
        "id": identifier,
        "kind": "service",
        "url": None,
        "service": service,
        "port": {"name": port["name"], "port": port["port"], "target_port": port["target_port"]} if port else None,
        "endpoints": None if endpoints is None else endpoints_for(endpoints, port_name, has_port),
        "pods": _pods(inventory, service),
    }


def _only_port(endpoints: list[dict[str, Any]]) -> tuple[str | None, bool]:
    names = {name for endpoint in endpoints for name in endpoint["ports"]}
    return (names.pop(), True) if len(names) == 1 else (None, False)


def _endpoints(inventory: Inventory, namespace: str, name: str) -> list[dict[str, Any]] | None:
    """The endpoints of a Service; None if they could not be read. Endpoints objects count only where there are no EndpointSlices of the Service."""
    key = (namespace, name)
    found = inventory.slices.get(key)
    if found:
        return found
    if key in inventory.endpoints:
        return inventory.endpoints[key]
    return [] if _looked_for(inventory, "endpointslices", namespace, name) else None


def _pods(inventory: Inventory, service: dict[str, Any]) -> list[dict[str, Any]] | None:
    if service["found"] is None or not _looked_for(inventory, "pods", service["namespace"], service["name"]):
        return None
    return selected(list(inventory.pods.get(service["namespace"], {}).values()), service["selector"])


def _looked_for(inventory: Inventory, kind: str, namespace: str, name: str) -> bool:
    """Also true where all namespaces are known and this one is not among them: then nothing is in it."""
    gone = inventory.looked["namespaces"].everywhere and namespace not in inventory.namespaces
    return gone or inventory.looked[kind].covers(namespace, name)
