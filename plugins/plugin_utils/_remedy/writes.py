# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests a change is made of, and which follow from it. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import Request

from .._diagnosis.needs import ANYBODY, CONTROLLER, Need, Write, to_roll_out, to_start_pods
from .change import Change

if TYPE_CHECKING:
    from .._diagnosis.case import Case

_OPERATIONS = {"patch": "UPDATE", "create": "CREATE", "delete": "DELETE"}
# Their pods are replaced when the template changes.
_ROLLED = ("Deployment", "StatefulSet", "DaemonSet")


def needs_of(change: Change, live: Mapping[str, Any] | None, case: Case) -> Iterator[Need]:
    """The requests that have to pass for the change to be made and to take effect, as the call-out would be asked about them."""
    yield from _own(change, live, case)
    for write in _following(change, live):
        yield from write.needs(case)


def _own(change: Change, live: Mapping[str, Any] | None, case: Case) -> Iterator[Need]:
    """The write itself. An objectSelector is held against the labels before and after."""
    target = change.target
    after = change.edit.result if change.edit else change.created if change.action == "create" else None
    known = [one for one in (live, after) if one is not None]
    seen: list[Mapping[str, str] | None] = [_labels(one) for one in known] or [None]
    # What Kubernetes itself defines has one version of each kind that is changed here; of others it is not known which are served.
    built_in = "." not in target.group or target.group.endswith(".k8s.io")
    for labels in seen if len(seen) == 1 or seen[0] != seen[-1] else seen[:1]:
        request = Request(
            operation=_OPERATIONS[change.action],
            group=target.group,
            version=target.version,
            resource=target.resource,
            namespaced=target.namespace is not None,
            namespace=target.namespace,
            namespace_labels=case.cluster.namespaces.labels_of(target.namespace, case.callout.get("namespace_selector")) if target.namespace else None,
            object_labels=labels,
            name=target.name,
            equivalents=() if built_in else None,
        )
        yield Need(request, ANYBODY, f"to {change.action} {target.words}")


def _following(change: Change, live: Mapping[str, Any] | None) -> list[Write]:
    target = change.target
    if target.namespace is None:
        return []
    if change.action == "delete" and target.kind == "Secret":
        return [Write("CREATE", "", "secrets", ANYBODY, f"to make {target.words} anew", target.namespace)]
    labels = _labels_of_new_pods(change, live)
    if labels is None:
        # Something else than the target is rolled out, and its labels are not known.
        return _rollout("Deployment", target.namespace, None) if change.rollout else []
    return _rollout(target.kind, target.namespace, labels)


def _labels_of_new_pods(change: Change, live: Mapping[str, Any] | None) -> Mapping[str, str] | None:
    """Of the pods that the change makes anew; None where it makes none by itself."""
    if change.action == "create" and change.created and change.target.kind in (*_ROLLED, "Job"):
        return _labels(_template(change.created))
    if change.edit and change.target.kind in _ROLLED:
        new = _template(change.edit.result)
        if change.rollout or new != _template(live or {}):
            return _labels(new)
    return None


def _rollout(kind: str, namespace: str, labels: Mapping[str, str] | None) -> list[Write]:
    writes = to_start_pods(namespace, [labels])
    if kind == "Job":
        return writes
    old = Write("DELETE", "", "pods", CONTROLLER, "to end its old pods", namespace, labels)
    if kind == "Deployment":
        status = Write("UPDATE", "apps", "deployments/status replicasets/status", CONTROLLER, "to see its rollout", namespace)
        return [*to_roll_out(namespace, [labels]), *writes, old, status]
    return [Write("CREATE", "apps", "controllerrevisions", CONTROLLER, "to roll out its own pods", namespace, labels), *writes, old]


def _template(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return (item.get("spec") or {}).get("template") or {}


def _labels(item: Mapping[str, Any]) -> Mapping[str, str]:
    return (item.get("metadata") or {}).get("labels") or {}
