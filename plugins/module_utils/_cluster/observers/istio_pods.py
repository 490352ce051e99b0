# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods as sidecar injection sees them, counted by who owns them. Pure. PRIVATE to the collection.

Of a pod is kept what decides about its injection, and whether it has the sidecar: as a container, as an init container that goes on running (the default
since Istio 1.28), or as the annotation that the injector leaves (templates without a proxy).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.istio_names import INJECT, REVISION
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import (
    labels,
    mapping,
    mappings,
    name_of,
    namespace_of,
    owner_of,
    text,
)

PROXY = "istio-proxy"
_STATUS, _CONFIG, _MIRROR = "sidecar.istio.io/status", "proxy.istio.io/config", "kubernetes.io/config.mirror"
_MOST_WORKLOADS = 1_000
_MOST_PROXIES = 300
_MOST_NAMES = 3


class Pod(NamedTuple):
    """labels: those that speak of Istio. sidecar: None where injection has no say (a static pod, one that has ended)."""

    namespace: str
    name: str
    owner: tuple[str, str]
    labels: tuple[tuple[str, str], ...]
    annotation: str | None
    host_network: bool
    sidecar: bool | None
    created: str | None
    discovery_address: str | None
    proxy: dict[str, Any] | None  # of a proxy that is not ready: {since, waiting}

    @classmethod
    def of(cls, obj: dict[str, Any], discovery_address: Callable[[str], str | None]) -> Pod:
        """Raises Malformed."""
        metadata, spec, status = (mapping(obj.get(key)) for key in ("metadata", "spec", "status"))
        own, annotations = labels(metadata.get("labels")), labels(metadata.get("annotations"))
        containers = [*mappings(spec.get("containers")), *mappings(spec.get("initContainers"))]
        proxy = next((one for one in containers if one.get("name") == PROXY), None)
        told = next((text(item.get("value")) or "" for item in mappings((proxy or {}).get("env")) if item.get("name") == "PROXY_CONFIG"), "")
        ended = text(status.get("phase")) in ("Succeeded", "Failed") or metadata.get("deletionTimestamp") is not None or _MIRROR in annotations
        return cls(
            namespace_of(obj),
            name_of(obj),
            _owner(metadata, own),
            tuple(sorted((key, value) for key, value in own.items() if "istio" in key)),
            annotations.get(INJECT),
            spec.get("hostNetwork") is True,
            None if ended else proxy is not None or _STATUS in annotations,
            text(metadata.get("creationTimestamp")),
            (discovery_address(annotations.get(_CONFIG, "")) or discovery_address(told)) if proxy and not ended else None,
            _not_ready(status) if proxy and not ended else None,
        )


def _owner(metadata: dict[str, Any], own: dict[str, str]) -> tuple[str, str]:
    """(kind, name) of what a person restarts: the Deployment of a ReplicaSet, told by the hash that it puts behind its name."""
    found = owner_of(metadata)
    if not found or not found["kind"] or not found["name"]:
        return "Pod", name_of({"metadata": metadata})
    kind, name, template = found["kind"], found["name"], own.get("pod-template-hash")
    if kind == "ReplicaSet" and template and name.endswith(f"-{template}"):
        return "Deployment", name[: -len(template) - 1]
    return kind, name


def _not_ready(status: dict[str, Any]) -> dict[str, Any] | None:
    """{since, waiting} of a proxy that is not ready. since: when it was started, None if it was not."""
    statuses = [*mappings(status.get("containerStatuses")), *mappings(status.get("initContainerStatuses"))]
    found = next((one for one in statuses if one.get("name") == PROXY), None)
    if not found or found.get("ready") is True:
        return None
    state = mapping(found.get("state"))
    return {"since": text(mapping(state.get("running")).get("startedAt")), "waiting": text(mapping(state.get("waiting")).get("reason"))}


class Workloads:
    """Collects pods; one that is met again replaces itself."""

    def __init__(self) -> None:
        self._pods: dict[tuple[str, str], Pod] = {}

    def add(self, pod: Pod) -> None:
        if pod.sidecar is not None:
            self._pods[(pod.namespace, pod.name)] = pod

    def facts(
        self, said: dict[tuple[str, str], dict[str, Any]], may_be_injected: Callable[[Pod], bool]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[tuple[str, str]]]:
        """(workloads, proxies that are not ready, who is told which discovery address). said: what the kubelet says of proxies, by pod.

        Of pods that no injector selects only that their sidecars are not ready, and whom they ask, is kept.
        """
        pods = [self._pods[key] for key in sorted(self._pods)]
        groups: dict[tuple[Any, ...], list[Pod]] = defaultdict(list)
        for pod in pods:
            if not may_be_injected(pod):
                continue
            groups[(pod.namespace, *pod.owner, pod.labels, pod.annotation, pod.host_network)].append(pod)
        workloads = [_workload(group) for group in groups.values()]
        # Of those that have their sidecars one stands for all that are decided alike.
        whole = {(one["namespace"], one["labels"].get(INJECT), one["labels"].get(REVISION)): one for one in workloads if not one["without_sidecar"]}
        kept = [*(one for one in workloads if one["without_sidecar"]), *whole.values()][:_MOST_WORKLOADS]
        return (
            sorted(kept, key=lambda one: (one["namespace"], one["kind"], one["name"])),
            [_proxy(pod, said.get((pod.namespace, pod.name))) for pod in pods if pod.proxy][:_MOST_PROXIES],
            [(pod.discovery_address, f"pod {pod.namespace}/{pod.name}") for pod in pods if pod.discovery_address],
        )


def _workload(pods: list[Pod]) -> dict[str, Any]:
    first, bare = pods[0], [pod for pod in pods if not pod.sidecar]
    created = _times(bare or pods)
    return {
        "namespace": first.namespace,
        "kind": first.owner[0],
        "name": first.owner[1],
        "labels": dict(first.labels),
        "annotation": first.annotation,
        "host_network": first.host_network,
        "pods": len(pods),
        "without_sidecar": len(bare),
        "names": [pod.name for pod in bare[:_MOST_NAMES]],
        "oldest": created[0] if created else None,
        "newest": created[-1] if created else None,
    }


def _times(pods: Iterable[Pod]) -> list[str]:
    return sorted(pod.created for pod in pods if pod.created)


def _proxy(pod: Pod, said: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "owner": {"kind": pod.owner[0], "name": pod.owner[1]},
        "discovery_address": pod.discovery_address,
        **(pod.proxy or {}),
        **(said or {"said": None, "count": 0, "last": None}),
    }
