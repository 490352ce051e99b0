# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD605, WD606: proxy variables that send calls within the cluster to a proxy, though nothing fails yet. PRIVATE to the collection.

Where calls fail because of it, it is evidence of that finding (WD220, or WD610 where it is one instance's), not a second one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._no_proxy.missing import missing_no_proxy
from ..._no_proxy.needs import Need
from ..catalogue import control_plane as catalogue
from ..finding import Finding, Subject
from ..proxy_environment import ProxyEnvironment, without_credentials
from ..proxy_needs import APIS, KUBELETS, WEBHOOKS, kubeadm
from ..text import clean

if TYPE_CHECKING:
    from ..cluster import Cluster

_UNSEEN = "the environment of kubelet and container runtime stands in units of the nodes, where the API shows nothing of it"
_WHERE = {
    "rke2": "RKE2: /etc/default/rke2-server (or /etc/sysconfig/rke2-server) of every server, then restart rke2-server one by one; RKE2 adds the pod "
    "and service "
    "ranges and the cluster's domain by itself, the nodes' addresses and .svc are yours to add",
    "k3s": "k3s: /etc/systemd/system/k3s.service.env of every server, then restart k3s one by one",
    "k0s": "k0s: the systemd drop-in of k0scontroller on every controller, then restart k0scontroller one by one",
}
_UNITS = {"rke2": "rke2-server", "k3s": "k3s", "k0s": "k0scontroller"}
_STATIC_PODS = (
    "Every control-plane node, one at a time: in /etc/kubernetes/manifests/kube-apiserver.yaml, where kubeadm has frozen what its own environment held "
    "(changing "
    "/etc/environment has no effect any more). kubespray: no_proxy replaces its own list, additional_no_proxy adds to it"
)


def where_it_is_set(cluster: Cluster) -> str | None:
    """Where the variables of this platform's API servers are changed; None where nobody here can."""
    if cluster.platform.managed:
        return None
    return _WHERE.get(str(cluster.platform.name), _STATIC_PODS)


def how_it_is_asked_for(cluster: Cluster) -> str | None:
    """What playbook no_proxy is asked to do, where `where_it_is_set` is known."""
    if cluster.platform.managed:
        return None
    unit = _UNITS.get(str(cluster.platform.name))
    return f'{{"no_proxy_units": ["{unit}"]}}' if unit else "no_proxy_manifests=complete"


def incomplete(cluster: Cluster) -> Iterator[Finding]:
    """WD605 for each instance whose NO_PROXY does not cover what its call-outs need; where no call-out needs it nothing is said."""
    if any(case.judgement.fails and case.judgement.cause == "proxied" for case in cluster.cases):
        return
    for environment in cluster.proxy_environments:
        needed = [need for need in environment.missing if need.kind != KUBELETS]
        if needed and environment.address not in cluster.bad_instances:
            yield _incomplete(cluster, environment, needed)


def _incomplete(cluster: Cluster, environment: ProxyEnvironment, needed: list[Need]) -> Finding:
    kinds = {need.kind for need in needed}
    affected = [
        case.id for case in cluster.cases if case.in_cluster and (APIS in kinds if case.callout["kind"] == "apiservice" else WEBHOOKS in kinds)
    ]  # fmt: skip
    finding = catalogue.WD605.found(
        Subject(kind="kube-apiserver", name=environment.instance),
        [environment.line(), _UNSEEN],
        affects=affected,
        root=f"no_proxy of {environment.instance}",
        values={"missing": environment.entries, "where": where_it_is_set(cluster), "no_proxy_part": how_it_is_asked_for(cluster)},
    )
    if affected:
        return finding
    return replace(finding, impact="the API server's calls to itself go through the proxy: its controllers stand still if that does not let them pass")


def components(cluster: Cluster) -> Iterator[Finding]:
    """WD606 for kube-controller-manager and kube-scheduler of kubeadm: they call the API server of their node, or the control plane's endpoint."""
    endpoint = kubeadm(cluster.facts).get("controlPlaneEndpoint")
    if endpoint is None and "kubeadm-config" not in ((cluster.facts.get("platform") or {}).get("config") or {}):
        return
    for component in cluster.facts["control_plane"].get("components") or ():
        proxy = (component.get("proxy") or {}).get("HTTPS_PROXY")
        targets = list(_servers(cluster, component, endpoint))
        missing = missing_no_proxy(component.get("proxy") or {}, targets)
        # Which of the two it calls stands in a file of the node; one that is covered may be the one.
        if not proxy or not targets or len(missing) < len(targets):
            continue
        no_proxy = clean(component["proxy"].get("NO_PROXY") or "(empty)")
        yield catalogue.WD606.found(
            Subject(kind="Pod", namespace="kube-system", name=str(component["name"])),
            [
                f"{component['component']} has HTTPS_PROXY={without_credentials(proxy)} and NO_PROXY={no_proxy}",
                f"it calls the API server at {' or '.join(need.entry for need in targets)}, and NO_PROXY covers none of them",
            ],
            values={"missing": ",".join(need.entry for need in targets), "component": component["component"]},
        )


def _servers(cluster: Cluster, component: Mapping[str, Any], endpoint: str | None) -> Iterator[Need]:
    if endpoint:
        need = Need.of(endpoint)
        yield Need(need.host, need.port or 6443, need.host, "the control plane's endpoint")
    for instance in cluster.instances:
        if instance["address"] and instance["node"] == component["node"]:
            yield Need(instance["address"], instance["port"], instance["address"], "the API server of the same node")


CASE_RULES = ()
CLUSTER_RULES = (incomplete, components)
