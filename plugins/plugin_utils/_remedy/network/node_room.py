# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that are taken on nodes, and how many nodes can take a pod. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._diagnosis.host_ports import used_host_ports
from ..._diagnosis.network_path import NetworkPath
from ..._diagnosis.platform import FARGATE, node_kinds
from ..reference import Selection
from ..request import Request
from .pod_ports import on_node
from .target import DEPLOYMENTS, Target

STATEFUL_SETS = Selection("apps/v1", "StatefulSet")
NODES = Selection("v1", "Node")
# In larger clusters there is room for the replicas of a webhook, and reading all nodes would cost more than knowing it is worth.
_MOST_NODES = 200


def wanted(request: Request) -> Iterator[Selection]:
    """What has to be read to know it."""
    yield DEPLOYMENTS
    yield STATEFUL_SETS
    if ((request.cluster.facts.get("platform") or {}).get("node_count") or 0) <= _MOST_NODES:
        yield NODES


def taken(request: Request, target: Target, way: NetworkPath) -> frozenset[int]:
    """Ports of nodes that others than the target take: DaemonSets, Deployments, StatefulSets, and pods of back ends in the network of their node."""
    own = [(pod["namespace"], pod["name"]) for pod in way.case.backend.get("pods") or () if dict(target.labels).items() <= dict(pod["labels"]).items()]
    templates = [one for kind in (DEPLOYMENTS, STATEFUL_SETS) for one in request.select(kind) if one != target.deployment]
    return used_host_ports(request.cluster.facts, own).union(*(on_node(one["spec"]["template"]["spec"]) for one in templates))


def unseen(request: Request) -> list[str]:
    """What could not be read, and so may take ports, too."""
    return [f"ports that {kind.kind}s take on nodes were not seen: {error}" for kind in (DEPLOYMENTS, STATEFUL_SETS) if (error := request.unreadable(kind))]


def room(request: Request, target: Target) -> int | None:
    """On how many nodes its pods may run, by readiness, taints and nodeSelector (affinity is not looked at); None where nodes were not read."""
    nodes = request.select(NODES)
    return sum(_takes(node, target.spec) for node in nodes) if nodes else None


def _takes(node: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    spec, metadata = node.get("spec") or {}, node["metadata"]
    labels = metadata.get("labels") or {}
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in (node.get("status") or {}).get("conditions") or ())
    if not ready or spec.get("unschedulable") or not (pod.get("nodeSelector") or {}).items() <= labels.items():
        return False
    if FARGATE in node_kinds({"name": metadata["name"], "labels": labels, "provider_id": spec.get("providerID")}):
        return False  # it has the one pod that it was made for
    tolerations = pod.get("tolerations") or ()
    return all(taint["effect"] == "PreferNoSchedule" or any(_tolerates(one, taint) for one in tolerations) for taint in spec.get("taints") or ())


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Source: k8s.io/api core/v1 Toleration.ToleratesTaint."""
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("key") not in (None, "", taint["key"]):
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(toleration.get("key")) and (toleration.get("value") or "") == (taint.get("value") or "")
