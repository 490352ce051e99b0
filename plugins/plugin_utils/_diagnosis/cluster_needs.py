# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every cluster has to be able to write, by the fault of a webhook that stands in its way. Data. PRIVATE to the collection.

Sources: kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/; the matchers of Gardener's webhook remediator; GKE's list of
unsafe webhooks; pkg/registry/rbac/rest/storage_rbac.go (PostStartHook).
"""

from __future__ import annotations

from .needs import ANYBODY, API_SERVER, CONTROL_PLANE, CONTROLLER, KUBELET, Write

# A lease is renewed every 10 s with 5 s for the request (node leases), or 10 s for the whole deadline (leader election).
LEASE_PATIENCE = 3

# What a pod of kube-system that every cluster needs is labelled with: CoreDNS. An opt-in selector leaves it out, an opt-out one does not.
_COREDNS = {"k8s-app": "kube-dns"}
_NODE = {"kubernetes.io/os": "linux"}
_BOOTSTRAPPED = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_RBAC, _AUTHENTICATION, _AUTHORIZATION, _STORAGE = "rbac.authorization.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "storage.k8s.io"
_LEASES = "coordination.k8s.io"
_START = "which an API server writes when it starts after an upgrade, and ends if it cannot"

KUBE_SYSTEM_PODS = (Write("CREATE", "", "pods", CONTROLLER, "such as those of CoreDNS", "kube-system", _COREDNS),)
LEASES = (
    Write("UPDATE CREATE", _LEASES, "leases", KUBELET, "by which nodes prove that they live", "kube-node-lease", {}),
    Write("UPDATE", _LEASES, "leases", CONTROL_PLANE, "by which kube-controller-manager and kube-scheduler lead", "kube-system", {}),
)
NODES = (
    Write("CREATE", "", "nodes", KUBELET, "by which nodes register", labels=_NODE),
    Write("UPDATE", "", "nodes", KUBELET, "by which nodes keep their labels and taints", labels=_NODE),
    Write("UPDATE", "", "nodes/status", KUBELET, "by which nodes report", labels=_NODE),
    Write("CREATE", "certificates.k8s.io", "certificatesigningrequests", KUBELET, "by which nodes get certificates", labels={}),
)
REVIEWS = (
    Write("CREATE", _AUTHENTICATION, "tokenreviews", ANYBODY, "by which kubelets and aggregated APIs learn who asks", labels={}),
    Write("CREATE", _AUTHORIZATION, "subjectaccessreviews", ANYBODY, "by which kubelets and aggregated APIs learn what is allowed", labels={}),
    Write("CREATE", _AUTHORIZATION, "selfsubjectaccessreviews", ANYBODY, "by which clients (kubectl auth can-i) learn what they may do", labels={}),
)
REPAIR = (
    Write("UPDATE", "apiextensions.k8s.io", "customresourcedefinitions", ANYBODY, "where caBundles of conversion webhooks are mended"),
    Write("UPDATE", "apiregistration.k8s.io", "apiservices", ANYBODY, "where aggregated APIs are mended"),
)
START = (
    Write("CREATE UPDATE", _RBAC, "clusterroles clusterrolebindings", API_SERVER, _START, labels=_BOOTSTRAPPED),
    Write("CREATE UPDATE", _RBAC, "roles rolebindings", API_SERVER, _START, "kube-system", _BOOTSTRAPPED),
    Write("CREATE", "scheduling.k8s.io", "priorityclasses", API_SERVER, _START, labels={}),
)
# What an API server writes at every start, besides, and what has to be written for the control plane to go on after it.
_EVERY_START = "which an API server writes at every start"
RESTART = (
    *START,
    Write("CREATE UPDATE", _LEASES, "leases", API_SERVER, _EVERY_START, "kube-system", {"apiserver.kubernetes.io/identity": "kube-apiserver"}),
    *LEASES,
    Write("CREATE UPDATE", "apiregistration.k8s.io", "apiservices", API_SERVER, _EVERY_START, labels={"kube-aggregator.kubernetes.io/automanaged": "onstart"}),
    Write("UPDATE", "", "endpoints", API_SERVER, _EVERY_START, "default", {"endpointslice.kubernetes.io/skip-mirror": "true"}),
    Write("UPDATE", "discovery.k8s.io", "endpointslices", API_SERVER, _EVERY_START, "default", {"kubernetes.io/service-name": "kubernetes"}),
)
TRAFFIC = (
    Write("CREATE UPDATE", "discovery.k8s.io", "endpointslices", CONTROLLER, "by which Services such as kube-dns find their pods", "kube-system"),
    Write("UPDATE", "", "endpoints", CONTROLLER, "by which Services find their pods", "kube-system"),
    Write("UPDATE", "", "services/status", CONTROLLER, "where load balancers get their addresses", "kube-system"),
)
WORKLOADS = (
    Write("CREATE", "apps", "replicasets", CONTROLLER, "such as that of CoreDNS", "kube-system", _COREDNS),
    Write("UPDATE", "apps", "deployments", ANYBODY, "such as that of CoreDNS", "kube-system", _COREDNS),
    Write("UPDATE", "apps", "daemonsets", ANYBODY, "such as that of kube-proxy", "kube-system", {"k8s-app": "kube-proxy"}),
)
NAMESPACES = (Write("UPDATE", "", "namespaces/finalize namespaces/status", CONTROLLER, "without which a namespace hangs in Terminating"),)
EVICTIONS = (Write("CREATE", "", "pods/eviction", ANYBODY, "by which nodes are drained", "kube-system", {}),)
VOLUMES = (
    Write("CREATE", _STORAGE, "volumeattachments", CONTROLLER, "by which volumes come to the node of their pod", labels={}),
    Write("UPDATE", _STORAGE, "volumeattachments/status", ANYBODY, "by which volumes come to the node of their pod", labels={}),
    Write("CREATE UPDATE", "", "persistentvolumes", ANYBODY, "by which claims are bound"),
    Write("CREATE", _STORAGE, "csinodes", KUBELET, "by which nodes can have volumes", labels={}),
)
EVENTS = (
    Write("CREATE", "", "events", CONTROLLER, "that tell what fails, this webhook included", "kube-system", {}, equivalents=(("events.k8s.io", "v1"),)),
    Write("CREATE", "events.k8s.io", "events", CONTROL_PLANE, "that tell what fails, this webhook included", "kube-system", {}, equivalents=(("", "v1"),)),
)
