# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API server instances, their flags and proxy variables, and which way they route calls to Services. Pure. PRIVATE to the collection.

Flags can be seen where kube-apiserver runs as a static pod (kubeadm, kubespray, RKE2, kind): the kubelet shows it as a mirror pod.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import mapping, mappings, name_of, text, texts
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._command_line import known_flags
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._secrets import redacted

# The flags that decide whom the API server calls, how, and for how long.
FLAGS = frozenset(
    [
        "admission-control-config-file",
        "advertise-address",
        "bind-address",
        "disable-admission-plugins",
        "egress-selector-config-file",
        "enable-admission-plugins",
        "enable-aggregator-routing",
        "etcd-servers",
        "feature-gates",
        "max-mutating-requests-inflight",
        "max-requests-inflight",
        "min-request-timeout",
        "proxy-client-cert-file",
        "request-timeout",
        "requestheader-allowed-names",
        "requestheader-client-ca-file",
        "runtime-config",
        "secure-port",
        "service-cluster-ip-range",
        "shutdown-delay-duration",
        "tls-min-version",
    ]
)
# The other programs of the control plane that run as static pods: what tells which networks the cluster has.
COMPONENTS = frozenset(("kube-controller-manager", "kube-scheduler"))
COMPONENT_FLAGS = frozenset(("bind-address", "cluster-cidr", "service-cluster-ip-range"))
_PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


def is_api_server(pod: dict[str, Any]) -> bool:
    """Whether this Pod (as the API has it) is a kube-apiserver."""
    metadata = mapping(pod.get("metadata"))
    labelled = mapping(metadata.get("labels")).get("component") == "kube-apiserver"
    return metadata.get("namespace") == "kube-system" and (labelled or str(metadata.get("name")).startswith("kube-apiserver-"))


def api_server_facts(pod: dict[str, Any]) -> dict[str, Any]:
    """{name, addresses, node, flags, proxy, liveness_probe} of a kube-apiserver's Pod. Raises Malformed."""
    spec, status = mapping(pod.get("spec")), mapping(pod.get("status"))
    containers = mappings(spec.get("containers"))
    container = next((item for item in containers if item.get("name") == "kube-apiserver"), containers[0] if containers else {})
    flags = known_flags([*texts(container.get("command")), *texts(container.get("args"))], FLAGS)
    return {
        "name": name_of(pod),
        "addresses": {address for address in (text(status.get("hostIP")), text(status.get("podIP")), flags.get("advertise-address")) if address},
        "node": text(spec.get("nodeName")),
        "flags": flags,
        "proxy": _proxy(container),
        "liveness_probe": bool(mapping(container.get("livenessProbe"))),
    }


def component_of(pod: dict[str, Any]) -> str | None:
    """Which of COMPONENTS this Pod is."""
    metadata = mapping(pod.get("metadata"))
    component = text(mapping(metadata.get("labels")).get("component"))
    return component if component in COMPONENTS and metadata.get("namespace") == "kube-system" else None


def component_facts(pod: dict[str, Any]) -> dict[str, Any]:
    """An item of `control_plane.components`. Raises Malformed."""
    spec = mapping(pod.get("spec"))
    component = component_of(pod)
    containers = mappings(spec.get("containers"))
    container = next((item for item in containers if item.get("name") == component), containers[0] if containers else {})
    return {
        "component": component,
        "name": name_of(pod),
        "node": text(spec.get("nodeName")),
        "flags": known_flags([*texts(container.get("command")), *texts(container.get("args"))], COMPONENT_FLAGS),
        "proxy": _proxy(container),
    }


def _proxy(container: dict[str, Any]) -> dict[str, str | None]:
    """The variables as Go reads them, upper case first; credentials in the URLs are replaced by ***."""
    environment = {item.get("name"): text(item.get("value")) for item in mappings(container.get("env"))}
    found = {name: environment.get(name) or environment.get(name.lower()) for name in _PROXY_VARIABLES}
    return {name: value if value is None or name == "NO_PROXY" else redacted(value) for name, value in found.items()}


def control_plane_facts(addresses: Iterable[Mapping[str, Any]], servers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`control_plane` of the facts, from the endpoints of Service default/kubernetes and the kube-apiserver pods."""
    left = list(servers)
    instances: list[dict[str, Any]] = []
    for endpoint in addresses:
        pod = next((server for server in left if endpoint["address"] in server["addresses"]), None)
        if pod is not None:
            left.remove(pod)
        instances.append(_instance(endpoint["address"], endpoint["port"], pod))
    instances += [_instance(min(server["addresses"], default=None), _port(server), server) for server in left]
    instances.sort(key=lambda instance: (instance["name"], instance["address"] or ""))
    routing, because = _routing(instances)
    return {"routing": routing, "routing_because": because, "instances": instances}


def _port(server: Mapping[str, Any]) -> int:
    port = server["flags"].get("secure-port", "")
    return int(port) if port.isdigit() else 6443


def _instance(address: str | None, port: int | None, pod: Mapping[str, Any] | None) -> dict[str, Any]:
    if pod is None:
        return {"name": address, "address": address, "port": port, "node": None, "flags": {}, "proxy": None, "liveness_probe": None, "visible": False}
    seen = {key: pod[key] for key in ("name", "node", "flags", "proxy", "liveness_probe")}
    return {**seen, "address": address, "port": port, "visible": True}


def _routing(instances: list[dict[str, Any]]) -> tuple[str, str | None]:
    """Source: cmd/kube-apiserver buildServiceResolver: endpoints with --enable-aggregator-routing=true, else the ClusterIP (the default)."""
    visible = [instance for instance in instances if instance["visible"]]
    ways = {_is_true(instance["flags"].get("enable-aggregator-routing")) for instance in visible}
    if not ways:
        return "unknown", None
    names = ", ".join(instance["name"] for instance in visible)
    if len(ways) > 1:
        return "unknown", f"--enable-aggregator-routing differs between {names}"
    if ways == {True}:
        return "endpoint", f"--enable-aggregator-routing=true on {names}"
    return "cluster_ip", f"--enable-aggregator-routing is not set on {names}"


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in ("true", "t", "1")
