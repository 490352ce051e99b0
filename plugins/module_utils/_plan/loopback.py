# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server's certificate for talking to itself: where to ask for it, where never, and how to know it. PRIVATE to the collection.

kube-apiserver makes it in memory at start and never renews it. It is served to whoever asks for the server name `apiserver-loopback-client`,
with the start time of the process in its subject (client-go util/cert/cert.go, the same from 1.18 to 1.36).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SERVER_NAME = "apiserver-loopback-client"
SUBJECT = re.compile(r"^apiserver-loopback-client@(\d+)$")
TIMEOUT = 5.0

# The supervisor of k3s and RKE2, and k3s on all its ports, answer with a listener that puts every asked-for name into the cluster's certificate
# (rancher/dynamiclistener, GHSA-m4hf-6vgr-75r2; newer releases filter). Asking there would change the cluster.
SUPERVISOR_PORT = 9345
_INSTANCE_TYPE = "node.kubernetes.io/instance-type"


def loopback_probes(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One handshake per API server instance that may be asked, nothing else is sent."""
    addresses = sorted({(one["address"], one["port"]) for one in facts["control_plane"]["instances"] if not refusal(facts, one)})
    return [
        {
            "name": probe_name(address, port),
            "callouts": [],
            "vantage": "direct",
            "host": address,
            "port": port,
            "server_name": SERVER_NAME,
            "path": "/",
            "review": "none",
            "timeout": TIMEOUT,
        }
        for address, port in addresses
    ]


def probe_name(address: str, port: int) -> str:
    return f"loopback certificate of [{address}]:{port}" if ":" in address else f"loopback certificate of {address}:{port}"


def refusal(facts: Mapping[str, Any], instance: Mapping[str, Any]) -> str | None:
    """Why this instance is never asked, None where it may be."""
    if not instance["address"] or not instance["port"]:
        return "its address is not known"
    if instance["port"] == SUPERVISOR_PORT:
        return f"port {SUPERVISOR_PORT} is the supervisor's, whose listener would put the name into its certificate"
    k3s = k3s_sign(facts)
    if k3s:
        return (
            f"this is k3s ({k3s}): port {instance['port']} belongs to a listener that would put the name into the cluster's certificate; "
            "the API server itself listens on 127.0.0.1:6444 of each server only"
        )
    if not instance.get("visible") and not (facts.get("version") or {}).get("git_version") and not (facts.get("platform") or {}).get("nodes"):
        return "neither the version nor the nodes could be read, so this may be k3s, where asking could change the cluster's certificate"
    return None


def k3s_sign(facts: Mapping[str, Any]) -> str | None:
    """By what k3s is recognised, also where the version is hidden; None where it is not k3s."""
    git_version = str((facts.get("version") or {}).get("git_version") or "")
    if "+k3s" in git_version:
        return f"version {git_version}"
    for node in (facts.get("platform") or {}).get("nodes") or ():
        provider, kubelet = str(node.get("provider_id") or ""), str(node.get("kubelet_version") or "")
        if provider.startswith("k3s://"):
            return f"node {node['name']} has the providerID {provider}"
        if "+k3s" in kubelet:
            return f"node {node['name']} runs kubelet {kubelet}"
        if (node.get("labels") or {}).get(_INSTANCE_TYPE) == "k3s":
            return f"node {node['name']} has the label {_INSTANCE_TYPE}=k3s"
    return None
