# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD850 to WD853, WD860: which pods get a sidecar, and which do not although somebody wants it. PRIVATE to the collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.istio_names import REVISION

from ..catalogue import istio as catalogue
from ..finding import Finding, Subject
from ..mesh import DATAPLANE, INJECTION, Configuration, Mesh, why
from ..near_labels import near_miss
from ..severity import Severity
from ..text import listing

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster import Cluster

# What `kubectl rollout restart` creates anew.
_RESTARTABLE = frozenset(("Deployment", "StatefulSet", "DaemonSet"))
_STEPS = 5


def sidecars(cluster: Cluster) -> Iterator[Finding]:
    mesh = cluster.mesh
    if not mesh.present or not mesh.mutating_known:
        return
    yield from _missing_sidecars(mesh)
    for name, labels in sorted(mesh.namespaces.items()):
        if labels.get(DATAPLANE) != "ambient":
            yield from _of_namespace(mesh, name, labels)
    yield from _two_injectors(mesh)


def _missing_sidecars(mesh: Mesh) -> Iterator[Finding]:
    """One finding for each namespace: that is where labels are set and workloads restarted."""
    found: dict[str, list[tuple[Mapping[str, Any], Configuration, Case]]] = defaultdict(list)
    for workload in mesh.facts.get("workloads") or ():
        injector = mesh.expected(workload) if workload["without_sidecar"] else None
        if injector and not mesh.is_gone(injector[0]):
            found[workload["namespace"]].append((workload, *injector))
    for namespace, items in sorted(found.items()):
        because = [_workload_line(workload) for workload, dummy, dummy_case in items]
        first = items[0]
        reasons = dict.fromkeys(why(namespace, mesh.namespaces[namespace], workload["labels"], case) for workload, dummy, case in items)
        failing = next((case.callout["webhook"] for dummy, dummy_injector, case in items if case.judgement.fails), None)
        created = first[2].callout["object"]["created"]
        since = f"{first[1].label} was created at {created}" if created else ""
        pods = sum(workload["without_sidecar"] for workload, dummy, dummy_case in items)
        finding = catalogue.WD850.found(
            Subject(kind="Namespace", name=namespace),
            [*list(reasons)[:3], *because, since],
            values={"namespace": namespace, "failing_injector": failing, **_restarts([workload for workload, dummy, dummy_case in items])},
        )
        yield replace(finding, impact=f"{pods} pod{'s' if pods != 1 else ''} of namespace {namespace} run{'' if pods != 1 else 's'} outside the mesh")


def _workload_line(workload: Mapping[str, Any]) -> str:
    times = f", created at {workload['oldest']}" if workload["oldest"] else ""
    if workload["newest"] != workload["oldest"]:
        times = f", created between {workload['oldest']} and {workload['newest']}"
    names = f" ({', '.join(workload['names'])})" if workload["kind"] != "Pod" and workload["names"] else ""
    return f"{workload['kind']} {workload['name']}: {workload['without_sidecar']} of {workload['pods']} pods have no istio-proxy{names}{times}"


def _restarts(workloads: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    restartable = list(dict.fromkeys(f"{one['kind'].lower()}/{one['name']}" for one in workloads if one["kind"] in _RESTARTABLE))
    others = [f"{one['kind']} {one['name']}" for one in workloads if one["kind"] not in _RESTARTABLE]
    values: dict[str, object] = {f"workload_{number}": name for number, name in enumerate(restartable[:_STEPS], 1)}
    values["more_workloads"] = listing(restartable[_STEPS:], 20) if restartable[_STEPS:] else None
    values["bare"] = listing(others) if others else None
    return values


def _of_namespace(mesh: Mesh, name: str, labels: Mapping[str, str]) -> Iterator[Finding]:
    subject = Subject(kind="Namespace", name=name)
    injection, revision = labels.get(INJECTION), labels.get(REVISION)
    live = next(iter(mesh.live_revisions), None)
    selected = bool(mesh.injecting(labels, {}))
    if injection is not None and revision is not None:
        yield catalogue.WD852.found(subject, [_both(mesh, name, injection, revision, labels)], values={"namespace": name})
    near = None if selected else near_miss(labels, live)
    if near:
        steps = {"right_label_only": near.right} if near.key == near.right_key else {"wrong_key": near.key, "right_label": near.right}
        yield catalogue.WD853.found(subject, [f"namespace {name} has {near.line}", "no injector selects it"], values={"namespace": name, **steps})
        return
    asked = "default" if injection == "enabled" else revision if injection is None else None
    if asked is None or selected or (not mesh.injectors and not mesh.facts.get("control_planes")):
        return
    if any(one.may_select(labels) for one in mesh.active):  # it decides by labels of pods that are not known
        return
    revisions, tags = mesh.served
    off = [one.name for one in mesh.injectors if one.deactivated and one.revision == asked]
    because = [
        f"namespace {name} has {INJECTION}=enabled, and no injector serves the default revision" if injection else f"namespace {name} has {REVISION}={asked}",
        f"injectors serve the revisions {', '.join(revisions) or 'none'} and the tags {', '.join(tags) or 'none'}",
        f"{off[0]} is deactivated" if off else "",
        mesh.control_planes_line() if mesh.control_planes is not None else "",
    ]
    values = {"namespace": name, "asked": asked, "live_revision": live}
    yield catalogue.WD851.found(subject, because, values=values)


def _both(mesh: Mesh, name: str, injection: str, revision: str, labels: Mapping[str, str]) -> str:
    injectors = [one.name for one, dummy in mesh.injecting(labels, {})]
    outcome = f"{listing(injectors)} injects there" if injectors else "nobody injects there"
    return f"namespace {name} has {INJECTION}={injection} and {REVISION}={revision}; {INJECTION} wins, so {outcome}"


def _two_injectors(mesh: Mesh) -> Iterator[Finding]:
    """One finding for each set of injectors that overlap."""
    alive = {one.name for one in mesh.active if not mesh.is_gone(one)}
    found: dict[tuple[str, ...], list[tuple[str, str | None, Sequence[tuple[Configuration, Case]]]]] = defaultdict(list)

    def look(namespace: str, pod: Mapping[str, str], workload: str | None) -> None:
        labels = mesh.namespaces.get(namespace)
        if labels is None or labels.get(DATAPLANE) == "ambient":
            return
        matching = [(one, case) for one, case in mesh.injecting(labels, pod) if one.name in alive]
        if len(matching) > 1:
            found[tuple(one.name for one, dummy in matching)].append((namespace, workload, matching))

    for name in sorted(mesh.namespaces):
        look(name, {}, None)
    for workload in mesh.facts.get("workloads") or ():
        look(workload["namespace"], workload["labels"], f"{workload['kind'].lower()}/{workload['name']}")
    for names, places in sorted(found.items()):
        namespace, workload, matching = places[0]
        workload = next((one for dummy, one, dummy_matching in places if one), None)
        older = min((one for one, dummy in matching), key=lambda one: str(one.cases[0].callout["object"]["created"]))
        where = listing(sorted({place for place, dummy, dummy_matching in places}))
        because = [
            f"{listing(list(names))} take the same pods in {where}",
            *(f"webhook {case.callout['webhook']} of {one.name}, created at {case.callout['object']['created']}" for one, case in matching),
        ]
        finding = catalogue.WD860.found(
            Subject(kind=older.kind, name=older.name),
            because,
            affects=[case.id for one, dummy in matching for case in one.cases],
            severity=Severity.WARNING,
            root="/".join(names),
            values={"namespace": namespace, "workload_1": workload, "older": older.name, "config_file": f"{older.name}.yaml"},
        )
        yield replace(finding, impact=f"pods of {where} are injected by {len(matching)} injectors").explaining("WD545")


CASE_RULES = ()
CLUSTER_RULES = (sidecars,)
