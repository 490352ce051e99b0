# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clouds have in their clusters, as objects."""

from __future__ import annotations

from typing import Any

# GKE serves it; here a CRD does.
GKE_GROUP = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "managedcertificates.networking.gke.io",
        "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements/pull/1111"},
    },
    "spec": {
        "group": "networking.gke.io",
        "scope": "Namespaced",
        "names": {"plural": "managedcertificates", "kind": "ManagedCertificate"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}],
    },
}


def daemonset(name: str) -> dict[str, Any]:
    labels = {"k8s-app": name}
    # As network plugins do: nodes without a network are not ready, and the lab's never are.
    pod = {"hostNetwork": True, "tolerations": [{"operator": "Exists"}], "containers": [{"name": name, "image": "registry.lab.example.net/network:1"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"namespace": "kube-system", "name": name, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }
