# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods -> what the facts keep of them; which of them a Service selects. Pure. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import (
    condition_of,
    integer,
    labels,
    mapping,
    mappings,
    name_of,
    namespace_of,
    owner_of,
    text,
)


def pod_facts(pod: dict[str, Any]) -> dict[str, Any]:
    """An entry of `pods` of a Backend. Raises Malformed."""
    metadata, spec, status = mapping(pod.get("metadata")), mapping(pod.get("spec")), mapping(pod.get("status"))
    statuses = {item.get("name"): item for key in ("containerStatuses", "initContainerStatuses") for item in mappings(status.get(key))}
    # An init container that is restarted for ever is a sidecar: it may be the one that listens.
    sidecars = [container for container in mappings(spec.get("initContainers")) if container.get("restartPolicy") == "Always"]
    return {
        "namespace": namespace_of(pod),
        "name": name_of(pod),
        "labels": labels(metadata.get("labels")),
        "phase": text(status.get("phase")),
        "ready": condition_of(status, "Ready").get("status") == "True",
        "terminating": metadata.get("deletionTimestamp") is not None,
        "node": text(spec.get("nodeName")),
        "ip": text(status.get("podIP")),
        "host_network": spec.get("hostNetwork") is True,
        "owner": owner_of(metadata),
        "containers": [_container(container, mapping(statuses.get(container.get("name")))) for container in [*mappings(spec.get("containers")), *sidecars]],
    }


def _container(container: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    state = mapping(status.get("state"))
    # A container that crashed and runs again tells why only in its last state.
    ended = mapping(state.get("terminated")) or mapping(mapping(status.get("lastState")).get("terminated"))
    return {
        "name": text(container.get("name")),
        "ready": status.get("ready") is True,
        "restarts": integer(status.get("restartCount")) or 0,
        "waiting": text(mapping(state.get("waiting")).get("reason")),
        "terminated": _ended(ended) if ended else None,
        "ports": [{"name": text(port.get("name")), "port": integer(port.get("containerPort"))} for port in mappings(container.get("ports"))],
    }


def _ended(terminated: dict[str, Any]) -> str:
    """For example "OOMKilled (exit code 137)"."""
    code = integer(terminated.get("exitCode"))
    return (text(terminated.get("reason")) or "terminated") + ("" if code is None else f" (exit code {code})")


def selected(pods: list[dict[str, Any]], selector: dict[str, str] | None) -> list[dict[str, Any]]:
    """The pods (facts) that a Service's selector matches, by name; none where it has no selector."""
    if not selector:
        return []
    return sorted((pod for pod in pods if all(pod["labels"].get(key) == value for key, value in selector.items())), key=lambda pod: pod["name"])
