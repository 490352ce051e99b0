# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a kube-apiserver is restarted on this platform, as values for the steps of a catalogue entry. Pure. PRIVATE to the collection.

Never `kubectl delete pod`: of a static pod that deletes the mirror object alone. Never by killing the sandbox (crictl stopp): that sends SIGKILL.
Sources: kubelet static pods (website, static-pod.md), rke2 pkg/podexecutor, k0s pkg/supervisor, cluster-kube-apiserver-operator targetconfigcontroller.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cluster import Cluster
    from .loopback import Loopback
    from .platform import Platform

_PLAYBOOK = "kubeops.webhook_doctor.rotate_apiserver_loopback"
# Control planes that somebody else keeps: their own way.
OPENSHIFT = "OpenShift: let the operator roll out a new revision, one instance after the other; anything else fights the operator"
TALOS = "Talos: reboot the control-plane nodes with talosctl, one after the other; there is no shell to stop a container from"

_RKE2_CRICTL = "/var/lib/rancher/rke2/agent/etc/crictl.yaml"
_PROVIDERS = {"eks": "AWS", "gke": "Google", "aks": "Microsoft", "ovh": "OVHcloud"}
_MIRROR = "kubectl delete pod would delete the mirror object alone, and restarting the kubelet or containerd leaves the container running"
# Where the API server is no pod whose container can be stopped by itself.
_SERVICES = {
    "k3s": "k3s: the API server is part of the k3s process: systemctl restart k3s on one server at a time (with embedded etcd this restarts an etcd "
    "member too)",
    "k0s": "k0s: send SIGTERM to the kube-apiserver process on one controller (k0s starts it again after 5 s), "
    "or systemctl restart k0scontroller, which restarts etcd with it",
    "microk8s": "MicroK8s: restart the service kubelite on one node at a time (snap services microk8s lists it)",
}


def managed(platform: Platform) -> str:
    """Whom to ask where the control plane belongs to a provider."""
    provider = _PROVIDERS.get(str(platform.name), "the provider")
    return f"This control plane is {platform.label}, nobody here can restart it: send this finding to {provider}, whose upgrades restart it as well"


def restart_values(cluster: Cluster, instance: Loopback | None) -> dict[str, object]:
    """What the steps of WD690 may name: {restart} in words; {stop_seconds}, {rke2_seconds}, {redeployment_patch} where such a command is the way; {playbook}
    where it can be done by that."""
    platform = cluster.platform
    seconds = instance.stop_seconds if instance else 60
    node = f"node {instance.node}" if instance and instance.node else "the node of that instance"
    if platform.managed:
        return {"restart": managed(platform)}
    if platform.name == "openshift":
        patch = {"spec": {"forceRedeploymentReason": f"loopback-certificate-{cluster.at.strftime('%Y-%m-%d')}"}}
        return {"restart": OPENSHIFT, "redeployment_patch": json.dumps(patch)}
    if platform.name in _SERVICES:
        return {"playbook": _PLAYBOOK, "restart": _SERVICES[str(platform.name)]}
    if any("talos" in str(one.get("os_image") or "").lower() for one in cluster.nodes.values()):
        return {"restart": TALOS}
    if platform.name == "rke2":
        words = f"RKE2, on {node}: stop the container, the kubelet starts it again. systemctl restart rke2-server may leave it running. {_MIRROR}"
        return {"playbook": _PLAYBOOK, "restart": words, "rke2_crictl": _RKE2_CRICTL, "rke2_seconds": seconds}
    where = f"inside the container of {node} (docker exec)" if platform.name in ("kind", "minikube") else f"on {node}"
    words = f"{where[0].upper()}{where[1:]}: stop the container with time to drain, the kubelet starts it again. {_MIRROR}"
    return {"playbook": _PLAYBOOK, "restart": words, "stop_seconds": seconds}


def in_the_way(cluster: Cluster) -> str | None:
    """Fail-closed webhooks that do not answer may keep a restarted API server from getting ready: its post-start hooks write through them."""
    dead = [case.id for case in cluster.cases if case.judgement.fails and case.callout["failure_policy"] == "Fail"]
    if not dead:
        return None
    more = f" and {len(dead) - 3} more" if len(dead) > 3 else ""
    return f"First mend these: {', '.join(dead[:3])}{more} fail closed, and may keep a restarted API server from getting ready"
