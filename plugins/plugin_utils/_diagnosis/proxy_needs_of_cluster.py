# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a machine or program of a cluster must reach without a proxy, from the cluster's facts and a few words of the user. Pure. PRIVATE to the collection.

What one API server calls is `proxy_needs.py`; this is the list for kubelets, container runtimes, controllers and what runs in pods.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .._no_proxy.hosts import network_of
from .._no_proxy.needs import Need
from .proxy_needs import KUBELETS, kubeadm, needs_of, pod_cidrs, range_of, service_cidrs

_DOMAIN = "cluster.local"
_DNS_DOMAIN = re.compile(r"^\s*dnsDomain:\s*\"?([^\s\"#]+)\"?\s*$", re.MULTILINE)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# Beginning of a node's providerID -> what answers there about the machine and its credentials; a proxy would answer for itself.
_METADATA = {
    "aws://": ("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254"),
    "gce://": ("169.254.169.254", "metadata.google.internal"),
    "azure://": ("169.254.169.254", "168.63.129.16"),
    "openstack://": ("169.254.169.254",),
    "digitalocean://": ("169.254.169.254",),
    "hcloud://": ("169.254.169.254",),
    "oci://": ("169.254.169.254",),
    "alicloud://": ("100.100.100.200",),
}


@dataclass(frozen=True)
class Words:
    """What a user knows besides: ranges of the nodes' addresses, internal registries and other hosts, the cluster's domain (None: as kubeadm has it)."""

    node_cidrs: tuple[str, ...] = ()
    registries: tuple[Need, ...] = ()
    cluster_domain: str | None = None


def cluster_needs(facts: Mapping[str, Any], words: Words) -> list[Need]:
    """In the order in which they are written; of the same entry the first one speaks."""
    instances = facts["control_plane"]["instances"]
    return [
        *_loopback(),
        *_networks(facts, instances),
        *_names(facts, words),
        *_endpoints(facts, instances, words),
        *_nodes(facts, words),
        *(need for instance in instances for need in needs_of(facts, instance) if need.kind != KUBELETS),
        *_etcd(instances, words),
        *_metadata(facts),
        *words.registries,
    ]


def cluster_domain(facts: Mapping[str, Any], words: Words) -> str:
    config = ((facts.get("platform") or {}).get("config") or {}).get("kubeadm-config") or {}
    known = _DNS_DOMAIN.search(str(config.get("ClusterConfiguration") or ""))
    return (words.cluster_domain or (known[1] if known else _DOMAIN)).strip(".")


def _loopback() -> Iterator[Need]:
    for host in _LOOPBACK:
        yield Need(host, None, host, "this machine, which not every program takes for granted")


def _networks(facts: Mapping[str, Any], instances: Iterable[Mapping[str, Any]]) -> Iterator[Need]:
    services = dict.fromkeys(cidr for instance in [*instances, {}] for cidr in service_cidrs(facts, instance))
    for cidr in services:
        yield Need(cidr, None, cidr, "Services, which are called by their ClusterIPs")
        # For those who know no ranges: what every pod calls.
        network = ipaddress.ip_network(cidr)
        yield Need(str(network[min(1, network.num_addresses - 1)]), None, cidr, "the API server as pods know it (KUBERNETES_SERVICE_HOST)")
    for backend in facts["backends"]:
        for address in (backend.get("service") or {}).get("cluster_ips") or ():
            if address and address != "None":
                yield Need(address, None, range_of(address, services) or address, "Services, which are called by their ClusterIPs")
    for cidr in pod_cidrs(facts):
        yield Need(cidr, None, cidr, "pods, which are called by their addresses (probes, metrics, endpoint routing)")


def _endpoints(facts: Mapping[str, Any], instances: Iterable[Mapping[str, Any]], words: Words) -> Iterator[Need]:
    endpoint = kubeadm(facts).get("controlPlaneEndpoint")
    if endpoint:
        need = Need.of(endpoint)
        yield Need(need.host, need.port, range_of(need.host, words.node_cidrs) or need.host, "the control plane's endpoint")
    server = urlsplit(str(facts["source"].get("server") or "")).hostname
    if server and server not in _LOOPBACK:
        yield Need(server, None, range_of(server, words.node_cidrs) or server, "the API server's address in the kubeconfig that was used")
    for instance in instances:
        if instance["address"]:
            yield Need(instance["address"], instance["port"], range_of(instance["address"], words.node_cidrs) or instance["address"], "API servers")


def _nodes(facts: Mapping[str, Any], words: Words) -> Iterator[Need]:
    for cidr in words.node_cidrs:
        yield Need(cidr, None, cidr, "nodes (kubelets, API servers, etcd)")
    for node in (facts.get("platform") or {}).get("nodes") or ():
        for address in node["internal_ips"]:
            yield Need(address, None, range_of(address, words.node_cidrs) or address, "nodes (kubelets, API servers, etcd)")
        yield Need(node["name"], None, node["name"], "nodes by name (--kubelet-preferred-address-types, certificates)")


def _names(facts: Mapping[str, Any], words: Words) -> Iterator[Need]:
    domain = cluster_domain(facts, words)
    yield Need("kubernetes.default.svc", None, ".svc", "names of Services")
    yield Need(f"kubernetes.default.svc.{domain}", None, f".{domain}", "names of Services in full")
    yield Need("kubernetes.default", None, "kubernetes.default", "the API server as programs in pods call it")
    yield Need("kubernetes", None, "kubernetes", "the API server as programs in pods call it")


def _etcd(instances: Iterable[Mapping[str, Any]], words: Words) -> Iterator[Need]:
    for instance in instances:
        for url in str((instance.get("flags") or {}).get("etcd-servers") or "").split(","):
            split = urlsplit(url.strip())
            if split.hostname:
                yield Need(split.hostname, split.port, range_of(split.hostname, words.node_cidrs) or split.hostname, "etcd")


def _metadata(facts: Mapping[str, Any]) -> Iterator[Need]:
    for node in (facts.get("platform") or {}).get("nodes") or ():
        for beginning, hosts in _METADATA.items():
            if str(node.get("provider_id") or "").startswith(beginning):
                for host in hosts:
                    yield Need(host, None, host, "what the cloud tells a machine about itself")


def checked_ranges(cidrs: Iterable[Any]) -> tuple[str, ...]:
    """Raises ValueError."""
    found = []
    for cidr in cidrs:
        network = network_of(str(cidr))
        if network is None:
            raise ValueError(f"{cidr!r} is no CIDR; expected one such as 10.0.0.0/24")
        found.append(str(network))
    return tuple(found)
