# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults as real workloads, for the node with a real kubelet: the pods of a target come from a Deployment, its certificate from a Secret. Pure."""

from __future__ import annotations

import json
from typing import Any

from . import addresses, objects, servers, targets
from .errors import LabError
from .faults import Make
from .objects import Object
from .pki import Pair
from .targets import Target

HEALTHZ_PORT = 6080
SECRET = "webhook-tls"
# What a pod with no rights and no wishes may do under Pod Security's level "restricted".
_RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def healthy(name: str, make: Make | None = None) -> Target:
    """A webhook as it should be, or as `make` says, in the namespace fault-<name>: for `Node.deploy`."""
    return Target(name, "fault", make or Make(), (), "")


def back_end(target: Target, served: Pair) -> list[Object]:
    """What stands behind the call-out. Raises LabError for a target that no Deployment can be."""
    made = target.make
    items = [objects.namespace(target.namespace), objects.config_map(target.namespace)]
    if made.service.exists:
        items.append(objects.service(target))
    if made.policy:
        items.append(objects.network_policy(target))
    if target.has_pods:
        items += [secret(target, served), deployment(target)]
    return items


def secret(target: Target, served: Pair) -> Object:
    data = {"tls.crt": objects.encoded(served.certificate_pem), "tls.key": objects.encoded(served.key_pem)}
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": SECRET, "namespace": target.namespace}, "data": data}


def deployment(target: Target) -> Object:
    """The fault server in containers. Its ports are arguments, as those of the webhooks that people run."""
    pods = target.make.pods
    if any(number not in (0, pods.count) for number in (pods.ready, pods.listening)):
        raise LabError(f"{target.namespace}: the pods of a Deployment are all alike; got {pods.ready} ready and {pods.listening} listening of {pods.count}.")
    # Elsewhere than where somebody asks, if that is the fault.
    port = addresses.WEBHOOK_PORT if pods.listening else addresses.WEBHOOK_PORT + 1000
    healthz = HEALTHZ_PORT if pods.ready else HEALTHZ_PORT + 1
    labels = {"app": targets.SERVICE}
    container = {
        "name": targets.SERVICE,
        "image": objects.IMAGE,
        "args": ["webhook", f"-secure-port={port}", f"-healthz-port={healthz}", f"-faults={json.dumps(faults(target))}"],
        "ports": [{"name": targets.PORT_NAME, "containerPort": addresses.WEBHOOK_PORT}, {"name": "healthz", "containerPort": HEALTHZ_PORT}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "healthz"}, "periodSeconds": 2},
        "volumeMounts": [{"name": "tls", "mountPath": "/tls", "readOnly": True}],
        "securityContext": _RESTRICTED,
    }
    spec = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
        "volumes": [{"name": "tls", "secret": {"secretName": SECRET}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": targets.SERVICE, "namespace": target.namespace, "labels": labels},
        "spec": {"replicas": pods.count, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }


def faults(target: Target) -> dict[str, Any]:
    """What the fault server's -faults says (faultserver/webhook.go)."""
    made = target.make.server
    tls = None if made.plain_http else {"max_version": made.max_tls_version, "client_certificate": made.client_certificate}
    return {**servers.behaviour(target), "tls": tls}


def rolled_out(item: Object) -> bool:
    """Whether a Deployment has what its spec says, and nothing of before."""
    status, wanted = item["status"], item["spec"]["replicas"]
    counts = (status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"))
    return status.get("observedGeneration") == item["metadata"]["generation"] and all(count == wanted for count in counts)
