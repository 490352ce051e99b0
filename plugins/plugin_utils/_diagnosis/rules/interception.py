# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD52x: fail-closed webhooks that intercept what brings their own back end, or the cluster, up. PRIVATE to the collection.

Each fault is a list of requests that somebody of the control plane must be able to make; the webhook is at fault if it is called for one of them.
What cannot be told (labels that were not read, conditions that are not recognised) is no fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import YES, Request

from ..catalogue.interception import WD520, WD521, WD522, WD523
from ..conditions import intercepts_under_conditions
from ..finding import Entry, Finding
from ..selectors import keys, labels_of_namespace
from ..severity import Severity, fails_open
from ..text import listing

if TYPE_CHECKING:
    from ..case import Case

# A lease is renewed every 10 s with 5 s for the request (node leases), or 10 s for the whole deadline (leader election).
LEASE_PATIENCE = 3

_CONTROLLERS = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
_KUBELETS = ("system:nodes", "system:authenticated")
_CONTROL_PLANE = ("system:authenticated",)
# What a pod of kube-system that every cluster needs is labelled with: CoreDNS. An opt-in selector leaves it out, an opt-out one does not.
_COREDNS = {"k8s-app": "kube-dns"}
_NODE = {"kubernetes.io/os": "linux"}


@dataclass(frozen=True)
class Need:
    """A request that must be possible, and why. groups: of the user who makes it."""

    request: Request
    groups: tuple[str, ...]
    why: str


def own_back_end(case: Case) -> Iterator[Finding]:
    """WD520: it is asked before its own pods, or what sends traffic to them, can be created."""
    if not _fails_closed(case) or not case.wanted:
        return
    namespace = str(case.wanted["namespace"])
    hit = _intercepted(case, _own_needs(case, namespace))
    if hit:
        yield _finding(WD520, case, hit, f"its back end is in namespace {namespace}, and nothing exempts it there")


def kube_system_pods(case: Case) -> Iterator[Finding]:
    """WD521."""
    if not _fails_closed(case):
        return
    hit = _intercepted(case, [_need(case, "kube-system", "CREATE", "", "pods", _COREDNS, _CONTROLLERS, "such as those of CoreDNS")])
    if hit:
        yield _finding(WD521, case, hit)


def leases(case: Case) -> Iterator[Finding]:
    """WD522: also for a webhook that fails open, if it may hold up a lease for longer than its owner waits."""
    if case.callout["kind"] not in ("validating", "mutating"):
        return
    slow = case.callout["timeout_seconds"] > LEASE_PATIENCE
    if fails_open(case.callout) and not slow:
        return
    group = "coordination.k8s.io"
    needs = [
        _need(case, "kube-node-lease", "UPDATE", group, "leases", {}, _KUBELETS, "by which nodes prove that they live"),
        _need(case, "kube-node-lease", "CREATE", group, "leases", {}, _KUBELETS, "by which nodes prove that they live"),
        _need(case, "kube-system", "UPDATE", group, "leases", {}, _CONTROL_PLANE, "by which kube-controller-manager and kube-scheduler lead"),
    ]
    hit = _intercepted(case, needs)
    if hit:
        waits = f"it may take {case.callout['timeout_seconds']} s; the owner of a lease waits 5 s for a request" if slow else ""
        yield _finding(WD522, case, hit, waits)


def nodes(case: Case) -> Iterator[Finding]:
    """WD523: nodes, and the certificate requests by which they join. Neither has a namespace that could be exempted."""
    if not _fails_closed(case):
        return
    needs = [
        _need(case, None, "CREATE", "", "nodes", _NODE, _KUBELETS, "by which nodes register"),
        _need(case, None, "UPDATE", "", "nodes", _NODE, _KUBELETS, "by which nodes keep their labels and taints"),
        _need(case, None, "UPDATE", "", "nodes/status", _NODE, _KUBELETS, "by which nodes report"),
        _need(case, None, "CREATE", "certificates.k8s.io", "certificatesigningrequests", {}, _KUBELETS, "by which nodes get certificates"),
    ]
    hit = _intercepted(case, needs)
    if hit:
        yield _finding(WD523, case, hit)


CASE_RULES = (own_back_end, kube_system_pods, leases, nodes)
CLUSTER_RULES = ()


def _fails_closed(case: Case) -> bool:
    return case.callout["kind"] in ("validating", "mutating") and not fails_open(case.callout)


def _own_needs(case: Case, namespace: str) -> list[Need]:
    """What must be possible for the back end's pods to come up again, and for a person to mend what they are made from."""
    pod_labels = _labels_of_own_pods(case)
    needs = []
    for labels in pod_labels:
        needs += [
            _need(case, namespace, "CREATE", "", "pods", labels, _CONTROLLERS, "its own pods"),
            _need(case, namespace, "CREATE", "", "pods/binding", labels, _CONTROL_PLANE, "to schedule its own pods"),
            _need(case, namespace, "UPDATE", "", "pods/status", labels, _KUBELETS, "to make its own pods ready"),
            _need(case, namespace, "CREATE", "apps", "replicasets", labels, _CONTROLLERS, "to roll out its own pods"),
            _need(case, namespace, "UPDATE", "apps", "replicasets", labels, _CONTROLLERS, "to roll out its own pods"),
        ]
    return [
        *needs,
        _need(case, namespace, "UPDATE", "apps", "deployments", None, _CONTROL_PLANE, "to mend its own Deployment"),
        _need(case, namespace, "CREATE", "discovery.k8s.io", "endpointslices", None, _CONTROLLERS, "to send traffic to its own pods"),
        _need(case, namespace, "UPDATE", "discovery.k8s.io", "endpointslices", None, _CONTROLLERS, "to send traffic to its own pods"),
        _need(case, namespace, "CREATE", "", "serviceaccounts/token", None, _KUBELETS, "to start its own pods"),
        _need(case, namespace, "UPDATE", "coordination.k8s.io", "leases", {}, _CONTROLLERS, "for its own leader election"),
    ]


def _labels_of_own_pods(case: Case) -> list[Mapping[str, str] | None]:
    """The labels of the back end's pods; where none can be seen those that the Service selects, if they are all that the objectSelector asks for."""
    seen = [dict(pod.get("labels") or {}) for pod in case.backend.get("pods") or ()]
    if seen:
        return list({tuple(sorted(labels.items())): labels for labels in seen}.values())
    selected = (case.service or {}).get("selector") or {}
    return [dict(selected) if keys(case.callout.get("object_selector")) <= set(selected) else None]


def _need(
    case: Case, namespace: str | None, operation: str, group: str, resource: str, labels: Mapping[str, str] | None, groups: tuple[str, ...], why: str
) -> Need:
    main, _slash, subresource = resource.partition("/")
    request = Request(
        operation=operation,
        group=group,
        version="v1",
        resource=main,
        subresource=subresource,
        namespaced=namespace is not None,
        namespace=namespace,
        namespace_labels=labels_of_namespace(case.cluster.facts, namespace, case.callout.get("namespace_selector")) if namespace else None,
        object_labels=labels,
        # All of these have one version since Kubernetes 1.25, and none has it under another name.
        equivalents=(),
    )
    return Need(request, groups, why)


def _intercepted(case: Case, needs: Iterable[Need]) -> list[Need]:
    return [need for need in needs if intercepts_under_conditions(case.callout, need.request, need.groups) == YES]


def _finding(entry: Entry, case: Case, hit: list[Need], *more: str) -> Finding:
    """A forecast while the back end answers; a deadlock once it does not."""
    lines = list(dict.fromkeys(f"it is called for {need.request.operation} of {_name(need.request)}, {need.why}" for need in hit))
    if fails_open(case.callout) or not case.judgement.fails:
        return entry.about(case, because=[*lines, *more], severity=Severity.WARNING)
    stuck = listing(list(dict.fromkeys(f"{need.request.operation} of {_name(need.request)}" for need in hit)))
    deadlock = f"deadlock: the webhook does not answer now, so {stuck} is refused, and it cannot come back by itself as long as that is needed for it"
    return entry.about(case, because=[deadlock, *lines, *more], severity=Severity.ERROR)


def _name(request: Request) -> str:
    name = request.resource + (f".{request.group}" if request.group else "") + (f"/{request.subresource}" if request.subresource else "")
    return f"{name} in {request.namespace}" if request.namespace else name
