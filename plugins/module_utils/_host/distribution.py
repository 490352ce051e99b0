# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which distribution runs this control plane, by its processes and files, never by a version. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host import kubelite
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.kubelet import Kubelet
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import Process, in_own_network

OPENSHIFT_MANIFEST = "/etc/kubernetes/manifests/kube-apiserver-pod.yaml"
RKE2_MANIFEST = "/var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.yaml"
_STATIC_PODS = "/etc/kubernetes/manifests"
K3S_CERTIFICATE = "/var/lib/rancher/k3s/server/tls/serving-kube-apiserver.crt"
K0S_ADMIN = "/var/lib/k0s/pki/admin.conf"
# Whose control planes are rolled by somebody else, by what it leaves on a machine.
_PROVISIONERS = (
    ("cluster_api", "/run/cluster-api/bootstrap-success.complete"),
    ("kops", "/etc/kubernetes/manifests/kube-apiserver.manifest"),
    ("gardener", "/var/lib/gardener-node-agent"),
)


class Distribution(NamedTuple):
    """`name`: None where it is not known. `provisioned_by`: who rolls the machines of this control plane, None where no trace of such a thing is seen."""

    name: str | None
    because: str
    provisioned_by: str | None


def manifest(name: str | None, kubelet: Kubelet) -> str | None:
    """The API server's static pod in this distribution, None where it has none."""
    if name in ("kubeadm", "kind", None):
        return f"{(kubelet.manifests or _STATIC_PODS).rstrip('/')}/kube-apiserver.yaml"
    return {"openshift": OPENSHIFT_MANIFEST, "rke2": RKE2_MANIFEST}.get(name)


def distribution(host: Host, running: Sequence[Process], kubelet: Kubelet, server: Process | None, arguments: Mapping[str, str]) -> Distribution:
    """`server`: the process of the API server, `arguments`: its flags. What runs outweighs files, which may be left over."""
    found = _by_system(host) or (_by_process(host, running, kubelet, server, arguments) if server else _by_file(host, kubelet))
    name, because = found or (None, _unknown(server))
    provisioner = next((by for by, trace in _PROVISIONERS if host.exists(trace)), None)
    return Distribution(name, because, provisioner)


def _by_system(host: Host) -> tuple[str, str] | None:
    """Operating systems that are made for one distribution."""
    found = re.search(r"^ID=['\"]?([a-z]+)", host.text("/etc/os-release") or "", re.MULTILINE)
    system = found.group(1) if found else None
    if system == "talos":
        return "talos", "ID=talos in /etc/os-release"
    if host.exists(OPENSHIFT_MANIFEST):
        return "openshift", f"{OPENSHIFT_MANIFEST} is there"
    return None


def _by_process(host: Host, running: Sequence[Process], kubelet: Kubelet, server: Process, arguments: Mapping[str, str]) -> tuple[str, str] | None:
    """k3s, microk8s and k0s are known by their processes alone: who restarts a service of theirs because of a file that was left over starts a second

    control plane. The static pods of kubeadm and kind have nothing of their own but the manifest.
    """
    if server.name == "k3s":
        return "k3s", f"process {server.pid} is k3s server"
    if server.name == "kubelite":
        return "microk8s", f"process {server.pid} is kubelite"
    parent = next((process for process in running if process.pid == server.parent), None)
    if parent and parent.name == "k0s":
        return "k0s", f"process {server.pid}, kube-apiserver, is a child of process {parent.pid}, k0s"
    if supervisor := supervisor_of(host, running, "rke2"):
        return "rke2", f"process {supervisor.pid} is rke2 server"
    rancher = next((name for name, value in arguments.items() if value.startswith("/var/lib/rancher/rke2/")), None)
    if rancher:
        return "rke2", f"--{rancher} of kube-apiserver is below /var/lib/rancher/rke2"
    return _by_static_pod(host, kubelet)


def supervisor_of(host: Host, running: Sequence[Process], name: str) -> Process | None:
    """The process `<name> server` of this machine."""
    servers = (process for process in running if process.name == name and "server" in process.words[1:2])
    return next((process for process in servers if in_own_network(host, process.pid) is not False), None)


def _by_file(host: Host, kubelet: Kubelet) -> tuple[str, str] | None:
    for name, trace in (("rke2", RKE2_MANIFEST), ("k3s", K3S_CERTIFICATE), ("k0s", K0S_ADMIN), ("microk8s", kubelite.ARGUMENTS)):
        if host.exists(trace):
            return name, f"{trace} is there"
    return _by_static_pod(host, kubelet)


def _by_static_pod(host: Host, kubelet: Kubelet) -> tuple[str, str] | None:
    static_pod = manifest("kubeadm", kubelet)
    if static_pod and host.exists(static_pod):
        if host.exists("/kind/version"):
            return "kind", f"/kind/version and {static_pod} are there"
        return "kubeadm", f"{static_pod} is there"
    return None


def _unknown(server: Process | None) -> str:
    if server is None:
        return "neither a process nor a file of a known distribution is there"
    return f"process {server.pid} is {server.name}, no child of k0s, without the flags of RKE2, and its static pod's manifest is not there"
