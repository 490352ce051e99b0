# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Istio calls its labels, webhooks and objects, by revision. Pure. PRIVATE to the collection.

Source: istio/istio manifests/charts/istio-control/istio-discovery/templates, pkg/kube/inject/initializer.go.
"""

from __future__ import annotations

REVISION, TAG, INJECT = "istio.io/rev", "istio.io/tag", "sidecar.istio.io/inject"
# How the names of its webhooks end.
INJECTOR, VALIDATOR = "sidecar-injector.istio.io", "validation.istio.io"
# Where istiod never injects, whatever the labels say.
IGNORED_NAMESPACES = frozenset(("kube-system", "kube-public", "kube-node-lease", "local-path-storage"))


def suffix(revision: str | None) -> str:
    """What the names of a revision's objects end in: nothing for the default one."""
    return "" if revision in (None, "", "default") else f"-{revision}"


def cluster_role(revision: str | None, namespace: str) -> str:
    """The name of istiod's ClusterRole, and of its binding."""
    return f"istiod-clusterrole{suffix(revision)}-{namespace}"
