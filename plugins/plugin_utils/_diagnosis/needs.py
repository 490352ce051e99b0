# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that somebody of the control plane must be able to make, and which of them a call-out stands in the way of. PRIVATE to the collection.

What cannot be told (labels that were not read, conditions that are not recognised) stands in nobody's way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import YES, Request

from .conditions import Requester, intercepts_under_conditions
from .selectors import keys

if TYPE_CHECKING:
    from .case import Case

KUBELET = Requester(("system:nodes", "system:authenticated"), ("system:node:",))
# kube-controller-manager speaks as a service account of each controller, or (without --use-service-account-credentials) as itself.
CONTROLLER = Requester(
    ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"),
    ("system:serviceaccount:kube-system:", "system:kube-controller-manager"),
)
CONTROL_PLANE = Requester(("system:authenticated",), ("system:kube-controller-manager", "system:kube-scheduler"))
# Source: k8s.io/apiserver pkg/authentication/user (APIServerUser), the identity of the loopback client.
API_SERVER = Requester(("system:authenticated", "system:masters"), ("system:apiserver",))
ANYBODY = Requester(("system:authenticated",))


@dataclass(frozen=True)
class Need:
    """A request that must be possible, by whom, and why."""

    request: Request
    by: Requester
    why: str

    @property
    def name(self) -> str:
        """`leases.coordination.k8s.io in kube-system`."""
        request = self.request
        name = request.resource + (f".{request.group}" if request.group else "") + (f"/{request.subresource}" if request.subresource else "")
        return f"{name} in {request.namespace}" if request.namespace else name

    @property
    def what(self) -> str:
        return f"{self.request.operation} of {self.name}"


@dataclass(frozen=True)
class Write:
    """Requests in the form of a table: each of `operations` (words) on each of `resources` (words, with their subresource) of one group.

    labels: of the objects, None where they are not known. equivalents: under which other (group, version) the same objects are served. Apart from Events
    that is nowhere: all other resources that are asked about here have had one version and one group since Kubernetes 1.25.
    """

    operations: str
    group: str
    resources: str
    by: Requester
    why: str
    namespace: str | None = None
    labels: Mapping[str, str] | None = None
    version: str = "v1"
    equivalents: tuple[tuple[str, str], ...] = ()

    def needs(self, case: Case) -> list[Need]:
        namespace = self.namespace
        labels = case.cluster.namespaces.labels_of(namespace, case.callout.get("namespace_selector")) if namespace else None
        found = []
        for resource in self.resources.split():
            main, _slash, subresource = resource.partition("/")
            for operation in self.operations.split():
                request = Request(
                    operation=operation,
                    group=self.group,
                    version=self.version,
                    resource=main,
                    subresource=subresource,
                    namespaced=namespace is not None,
                    namespace=namespace,
                    namespace_labels=labels,
                    object_labels=self.labels,
                    equivalents=tuple((group, version, main) for group, version in self.equivalents),
                )
                found.append(Need(request, self.by, self.why))
        return found


def intercepted(case: Case, writes: Iterable[Write]) -> list[Need]:
    """The requests that the call-out is asked about for certain."""
    # Most webhooks are for a few groups; nothing else has to be looked at for them.
    groups = {group for rule in case.callout.get("rules") or () for group in rule.get("api_groups") or ()}
    asked = [write for write in writes if "*" in groups or write.group in groups or any(group in groups for group, dummy in write.equivalents)]
    return [
        need for write in asked for need in write.needs(case) if intercepts_under_conditions(case.callout, need.request, need.by.groups, need.by.users) == YES
    ]


def to_run_pods(case: Case, of: Case) -> list[Write]:
    """What must be possible for the pods behind the call-out `of` to come up again and to get traffic; `case` may be another call-out."""
    return to_start_pods(str(of.wanted["namespace"]), _labels_of_pods(case, of))


def to_start_pods(namespace: str, labels_of_pods: Iterable[Mapping[str, str] | None]) -> list[Write]:
    """What must be possible for pods with these labels (None where they are not known) to come up and to get traffic."""
    writes = []
    for labels in labels_of_pods:
        writes += [
            Write("CREATE", "", "pods", CONTROLLER, "its own pods", namespace, labels),
            Write("UPDATE", "", "pods/status", KUBELET, "to make its own pods ready", namespace, labels),
        ]
    # What binds a pod, or gives it a token, is an object of its own without labels.
    return [
        *writes,
        Write("CREATE", "", "pods/binding", CONTROL_PLANE, "to schedule its own pods", namespace, {}),
        Write("CREATE UPDATE", "discovery.k8s.io", "endpointslices", CONTROLLER, "to send traffic to its own pods", namespace),
        Write("CREATE", "", "serviceaccounts/token", KUBELET, "to start its own pods", namespace, {}),
    ]


def to_mend(case: Case) -> list[Write]:
    """What must be possible for the back end's pods to be rolled out anew, and for a person to mend what they are made from."""
    namespace = str(case.wanted["namespace"])
    return [
        *to_roll_out(namespace, _labels_of_pods(case, case)),
        Write("UPDATE", "apps", "deployments", ANYBODY, "to mend its own Deployment", namespace),
        Write("UPDATE", "coordination.k8s.io", "leases", CONTROLLER, "for its own leader election", namespace, {}),
    ]


def to_roll_out(namespace: str, labels_of_pods: Iterable[Mapping[str, str] | None]) -> list[Write]:
    """What must be possible, besides `to_start_pods`, for a Deployment to replace its pods."""
    return [Write("CREATE UPDATE", "apps", "replicasets", CONTROLLER, "to roll out its own pods", namespace, labels) for labels in labels_of_pods]


def _labels_of_pods(case: Case, of: Case) -> list[Mapping[str, str] | None]:
    """The labels of the back end's pods; where none can be seen those that the Service selects, if they are all that the objectSelector asks for."""
    seen = [dict(pod.get("labels") or {}) for pod in of.backend.get("pods") or ()]
    if seen:
        return list({tuple(sorted(labels.items())): labels for labels in seen}.values())
    selected = (of.service or {}).get("selector") or {}
    return [dict(selected) if keys(case.callout.get("object_selector")) <= set(selected) else None]
