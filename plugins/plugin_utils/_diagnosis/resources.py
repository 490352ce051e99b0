# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which resources have no namespace, as far as that is fixed by Kubernetes. PRIVATE to the collection."""

from __future__ import annotations

# Source: kubectl api-resources --namespaced=false of Kubernetes 1.36 (the built-in groups; reviews that are never stored are left out).
_CLUSTER_SCOPED = frozenset(
    {
        *(("", name) for name in ("namespaces", "nodes", "persistentvolumes")),
        *(
            ("admissionregistration.k8s.io", name)
            for name in (
                "mutatingadmissionpolicies",
                "mutatingadmissionpolicybindings",
                "mutatingwebhookconfigurations",
                "validatingadmissionpolicies",
                "validatingadmissionpolicybindings",
                "validatingwebhookconfigurations",
            )
        ),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        ("apiregistration.k8s.io", "apiservices"),
        *(("certificates.k8s.io", name) for name in ("certificatesigningrequests", "clustertrustbundles")),
        *(("flowcontrol.apiserver.k8s.io", name) for name in ("flowschemas", "prioritylevelconfigurations")),
        *(("networking.k8s.io", name) for name in ("ingressclasses", "ipaddresses", "servicecidrs")),
        ("node.k8s.io", "runtimeclasses"),
        *(("rbac.authorization.k8s.io", name) for name in ("clusterroles", "clusterrolebindings")),
        *(("resource.k8s.io", name) for name in ("deviceclasses", "resourceslices")),
        ("scheduling.k8s.io", "priorityclasses"),
        *(("storage.k8s.io", name) for name in ("csidrivers", "csinodes", "storageclasses", "volumeattachments", "volumeattributesclasses")),
    }
)


def cluster_scoped(group: str, resource: str) -> bool:
    """Whether this built-in resource has no namespace. False for what is not known (custom resources are namespaced more often than not)."""
    return (group, resource) in _CLUSTER_SCOPED
