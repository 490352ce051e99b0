# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which platform the cluster runs, from signals of which several may hold. PRIVATE to the collection.

A signal is a function from the facts to a line of evidence, or None. Sources: docs/architecture.md names those of each platform; most were read in the
detection code of tigera/operator and submariner-operator, the rest in the documentation of the providers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Signal = Callable[["_Signals"], "str | None"]

# What is said of a node, and of the cluster as far as one of its nodes is of that kind.
FARGATE, AUTO, HYBRID, PRIVATE = "eks_fargate", "eks_auto", "eks_hybrid", "gke_private"
_KINDS = {FARGATE: "Fargate nodes", AUTO: "nodes of EKS Auto Mode", HYBRID: "EKS hybrid nodes", PRIVATE: "private nodes"}
# Control planes whose processes, flags and firewall belong to a provider.
_MANAGED = frozenset(("eks", "gke", "aks", "ovh"))
_LABELS = {
    "openshift": "OpenShift",
    "eks": "EKS",
    "gke": "GKE",
    "gke_autopilot": "GKE Autopilot",
    "aks": "AKS",
    "ovh": "OVHcloud",
    "k3s": "k3s",
    "rke2": "RKE2",
    "k0s": "k0s",
    "microk8s": "MicroK8s",
    "kind": "kind",
    "minikube": "minikube",
    "tanzu": "Tanzu",
    "docker_ee": "Mirantis Kubernetes Engine",
    "kubeadm": "kubeadm",
}


@dataclass(frozen=True)
class Platform:
    """words: platform -> why it is believed, in the order in which they decide; empty where nothing is known."""

    words: Mapping[str, tuple[str, ...]]

    @property
    def name(self) -> str | None:
        """The platform that decides, None where it is unknown."""
        return next((word for word in _LABELS if word in self.words and word != "gke_autopilot"), None)

    @property
    def label(self) -> str | None:
        """What people call it."""
        if "gke_autopilot" in self.words:
            return _LABELS["gke_autopilot"]
        return _LABELS[self.name] if self.name else None

    def __contains__(self, word: str) -> bool:
        return word in self.words

    @property
    def managed(self) -> bool:
        """Whether the control plane belongs to a provider: nobody here can restart it, or read its flags."""
        return self.name in _MANAGED

    def because(self, *words: str) -> list[str]:
        return [line for word in words for line in self.words.get(word, ())]

    def signals(self, *words: str) -> Iterator[str]:
        """Why these are believed, each with its name before it."""
        for word in words:
            yield from (f"{_LABELS.get(word) or _KINDS[word]}: {line}" for line in self.words.get(word, ()))


def judge_platform(facts: Mapping[str, Any]) -> Platform:
    signals = _Signals(facts)
    found: dict[str, list[str]] = {}
    for word, signal in _SIGNALS:
        line = signal(signals)
        if line:
            found.setdefault(word, []).append(line)
    # The same cloud under another distribution: its own signals decide, the cloud's explain the nodes.
    if "openshift" in found:
        for word in ("eks", "aks", "gke"):
            found.pop(word, None)
    if "kubeadm" in found and any(word in found for word in _LABELS if word not in ("kubeadm", "kind", "minikube", "ovh")):
        del found["kubeadm"]
    return Platform({word: tuple(lines) for word, lines in found.items()})


def node_kinds(node: Mapping[str, Any]) -> frozenset[str]:
    """What a node is, of FARGATE, AUTO, HYBRID and PRIVATE."""
    labels, provider = node["labels"], node["provider_id"] or ""
    compute = labels.get("eks.amazonaws.com/compute-type")
    found = set()
    if compute == "fargate" or str(node["name"]).startswith("fargate-ip-") or "/fargate-ip-" in provider:
        found.add(FARGATE)
    if compute == "auto":
        found.add(AUTO)
    if compute == "hybrid" or provider.startswith("eks-hybrid://"):
        found.add(HYBRID)
    if labels.get("cloud.google.com/private-node") == "true":
        found.add(PRIVATE)
    return frozenset(found)


class _Signals:
    """The facts as signals look at them."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        platform = facts.get("platform") or {}
        self.git_version = str((facts.get("version") or {}).get("git_version") or "")
        self.server = str((facts.get("source") or {}).get("server") or "")
        self.groups = frozenset(platform.get("api_groups") or ())
        self.nodes: Sequence[Mapping[str, Any]] = platform.get("nodes") or ()
        self.config = platform.get("config") or {}
        self.callouts = facts.get("callouts") or ()
        self.instances = (facts.get("control_plane") or {}).get("instances") or ()

    def node_label(self, prefix: str, value: str | None = None) -> str | None:
        for node in self.nodes:
            for key, found in sorted(node["labels"].items()):
                if key.startswith(prefix) and (value is None or found == value):
                    return f"node {node['name']} has the label {key}={found}"
        return None

    def provider(self, prefix: str) -> str | None:
        return next(
            (f"node {node['name']} has the providerID {node['provider_id']}" for node in self.nodes if str(node["provider_id"] or "").startswith(prefix)), None
        )

    def node_kind(self, kind: str) -> str | None:
        of_kind = [str(node["name"]) for node in self.nodes if kind in node_kinds(node)]
        return f"{len(of_kind)} of the nodes, such as {of_kind[0]}" if of_kind else None

    def version(self, pattern: str) -> str | None:
        return f"the API server's version is {self.git_version}" if re.search(pattern, self.git_version) else None

    def group(self, group: str) -> str | None:
        return f"the API group {group} is served" if group in self.groups else None

    def host(self, suffix: str) -> str | None:
        host = re.sub(r"^https?://|[:/].*$", "", re.sub(r"^https?://", "", self.server))
        return f"the API server's name is {host}" if host.endswith(suffix) else None


def _enforcer(signals: _Signals) -> str | None:
    owned = next((callout["object"]["name"] for callout in signals.callouts if "admissionsenforcer" in (callout["object"].get("managers") or ())), None)
    return f"the field manager admissionsenforcer has changed {owned}" if owned else None


def _autopilot_nodes(signals: _Signals) -> str | None:
    return next((f"node {node['name']} has an Autopilot name" for node in signals.nodes if str(node["name"]).startswith("gk3-")), None)


def _gke_group(signals: _Signals) -> str | None:
    label = signals.node_label("cloud.google.com/gke-")
    return label if label and ("networking.gke.io" in signals.groups or not signals.groups) else None


def _static_pods(signals: _Signals) -> str | None:
    return next((f"kube-apiserver runs as the static pod {one['name']}" for one in signals.instances if one["visible"]), None)


def _kubeadm(signals: _Signals) -> str | None:
    return "ConfigMap kube-system/kubeadm-config exists" if "kubeadm-config" in signals.config else None


_SIGNALS: tuple[tuple[str, Signal], ...] = (
    ("openshift", lambda s: s.group("config.openshift.io")),
    ("openshift", lambda s: s.node_label("node.openshift.io/os_id")),
    ("eks", lambda s: s.version(r"-eks-(?!\d+-\d+-\d+)[0-9a-f]+")),
    ("eks", lambda s: s.node_label("eks.amazonaws.com/")),
    ("eks", lambda s: s.group("vpcresources.k8s.aws")),
    ("eks", lambda s: s.host(".eks.amazonaws.com")),
    (FARGATE, lambda s: s.node_kind(FARGATE)),
    (AUTO, lambda s: s.node_kind(AUTO)),
    (HYBRID, lambda s: s.node_kind(HYBRID)),
    ("gke", lambda s: s.version(r"-gke\.")),
    ("gke", _gke_group),
    ("gke_autopilot", _autopilot_nodes),
    (PRIVATE, lambda s: s.node_kind(PRIVATE)),
    ("aks", lambda s: s.node_label("kubernetes.azure.com/cluster")),
    ("aks", lambda s: s.host(".azmk8s.io")),
    ("aks", _enforcer),
    ("ovh", lambda s: s.node_label("node.k8s.ovh/")),
    ("ovh", lambda s: s.node_label("k8s.ovh.net/")),
    ("ovh", lambda s: s.host(".k8s.ovh.net")),
    ("k3s", lambda s: s.version(r"\+k3s")),
    ("k3s", lambda s: s.provider("k3s://")),
    ("rke2", lambda s: s.version(r"\+rke2")),
    ("k0s", lambda s: s.version(r"\+k0s")),
    ("microk8s", lambda s: s.node_label("microk8s.io/cluster")),
    ("kind", lambda s: s.provider("kind://")),
    ("minikube", lambda s: s.node_label("minikube.k8s.io/name")),
    ("tanzu", lambda s: s.group("core.tanzu.vmware.com")),
    ("docker_ee", lambda s: s.node_label("com.docker.ucp")),
    ("kubeadm", _kubeadm),
    ("kubeadm", lambda s: _static_pods(s) if _kubeadm(s) else None),
)


def evidence(platform: Platform) -> Iterator[str]:
    """Every signal, for the report."""
    return platform.signals(*platform.words)


def known_words() -> Iterable[str]:
    return dict.fromkeys(word for word, dummy in _SIGNALS)
