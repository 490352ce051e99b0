# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mesh_injection: labels by which Istio's injectors choose pods, and a restart of what was created without its sidecar. Pure. PRIVATE to the collection.

Namespaces and workloads get the labels that are asked for, if somebody serves them. Where nobody asked, only what is unambiguous is mended: of both labels
the one that has no effect goes; a misspelt label that says yes is spelt right (which is more than a low risk: new pods then get sidecars). Nothing is
restarted unless asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.istio_names import IGNORED_NAMESPACES, INJECT, REVISION

from ..._diagnosis.mesh import DATAPLANE, INJECTION, Mesh
from ..._diagnosis.near_labels import near_miss
from ..._diagnosis.text import listing
from ..change import Change, Risk
from ..edit import Edit, pointer
from ..injection_asked import Asked, Workload, with_labels
from ..planner import Planner, Wanted
from ..reference import Reference, Selection
from ..request import Request
from ..rolling_restart import RESTARTABLE, hindrance, restart

if TYPE_CHECKING:
    from ..._diagnosis.case import Case
    from ..._diagnosis.mesh import Configuration

ROLE = "mesh_injection"
CODES = ("WD850", "WD851", "WD852", "WD853", "WD860")
_OF_NAMESPACES = ("WD851", "WD852", "WD853")
Labels = Mapping[str, str]


def reads(request: Request) -> Iterator[Wanted]:
    asked = Asked.of(request.options)
    found = [str(finding["subject"]["name"]) for finding in request.of(*_OF_NAMESPACES)]
    for name in dict.fromkeys([*asked.namespaces, *found, *(str(one.reference.namespace) for one in asked.workloads)]):
        yield _namespace(name)
    for one in asked.workloads:
        yield one.reference
    if asked.restart:
        for name in asked.namespaces:
            yield from _workloads_of(name)


def plan(request: Request) -> Iterator[Change]:
    asked = Asked.of(request.options)
    mesh = request.cluster.mesh
    after: dict[str, Labels] = {}
    for name in asked.namespaces:
        yield from _as_asked(request, mesh, asked, name, after)
    for one in asked.workloads:
        yield from _pods_as_asked(request, mesh, one, after)
    for finding in request.of(*CODES):
        if finding["code"] in _OF_NAMESPACES and finding["subject"]["name"] in asked.namespaces:
            continue
        if finding["code"] == "WD850" and asked.restart and finding["subject"]["name"] in after:
            continue
        yield _unasked(request, mesh, finding)


def _namespace(name: str) -> Reference:
    return Reference("v1", "Namespace", name)


def _workloads_of(namespace: str) -> list[Selection]:
    return [Selection("apps/v1", kind, namespace) for kind in RESTARTABLE]


def _labels_of(item: Mapping[str, Any]) -> dict[str, str]:
    return dict((item.get("metadata") or {}).get("labels") or {})


def _label_edit(item: Mapping[str, Any], place: str, wanted: Mapping[str, str | None]) -> Edit:
    edit = Edit(item)
    for key, value in wanted.items():
        path = f"{place}{pointer(key)}"
        if value is None:
            edit.remove(path)
        else:
            edit.set(path, value)
    return edit


# ---- as asked


def _as_asked(request: Request, mesh: Mesh, asked: Asked, name: str, after: dict[str, Labels]) -> Iterator[Change]:
    """after: gets the labels that the namespace has then, where nothing speaks against them."""
    reference = _namespace(name)
    namespace = request.read(reference)
    if namespace is None:
        why = request.unreadable(reference) or f"namespace {name} does not exist"
        yield _manual(reference, (), why, (f"kubectl get namespace {name}",))
        return
    labels = _labels_of(namespace)
    wanted = with_labels(labels, asked.labels(labels))
    refused = _why_not(mesh, name, wanted, {}, asked.words)
    if refused:
        yield _manual(reference, (), *refused)
        return
    after[name] = wanted
    findings = [finding for finding in request.of(*_OF_NAMESPACES) if finding["subject"]["name"] == name]
    edit = _label_edit(namespace, "/metadata/labels", asked.labels(labels))
    change = Change(
        remedy=ROLE,
        codes=tuple(sorted({finding["code"] for finding in findings})),
        fingerprints=tuple(sorted(finding["fingerprint"] for finding in findings)),
        target=reference,
        action="patch",
        edit=edit,
        reason=f"{asked.words}, as asked for, and no other label of injection",
        risk=Risk.LOW,
        callouts=tuple(case.id for dummy, case in mesh.injecting(wanted, {})),
        notes=("pods that run keep what they were created with",),
    )
    if edit:
        yield change
    if asked.restart:
        yield from _restarts(request, mesh, asked, name, wanted, change if edit else None)


def _why_not(mesh: Mesh, name: str, namespace: Labels, pod: Labels, words: str) -> tuple[str, tuple[str, ...]] | None:
    """(why pods must not be sent to an injector by these labels, what a person does)."""
    if name in IGNORED_NAMESPACES:
        return f"Istio never injects in {name}", ("# Choose another namespace.",)
    if namespace.get(DATAPLANE) == "ambient" or pod.get(DATAPLANE) == "ambient":
        return f"namespace {name} is in the ambient mesh, which needs no sidecars", (f"kubectl label namespace {name} {DATAPLANE}-",)
    if not mesh.mutating_known:
        return "MutatingWebhookConfigurations could not be read, so nobody knows who injects", ("# Apply docs/rbac/diagnose.yaml.",)
    found = mesh.injecting(namespace, pod)
    if not found:
        revisions, tags = mesh.served
        served = f"injectors serve the revisions {', '.join(revisions) or 'none'} and the tags {', '.join(tags) or 'none'}"
        return f"no injector serves {words}: {served}", ("kubectl get mutatingwebhookconfigurations -L istio.io/rev,istio.io/tag",)
    for injector, case in found:
        gone = mesh.is_gone(injector)
        if gone or case.judgement.fails:
            why = gone[0] if gone else f"calls of {case.callout['webhook']} fail ({case.judgement.cause})"
            return f"{injector.label} would be asked, and {why}: new pods would not be created", ("# Mend the injector first, then plan again.",)
    return None


def _pods_as_asked(request: Request, mesh: Mesh, one: Workload, after: Mapping[str, Labels]) -> Iterator[Change]:
    workload = request.read(one.reference)
    namespace = request.read(_namespace(str(one.reference.namespace)))
    if workload is None or namespace is None:
        missing = one.reference if workload is None else _namespace(str(one.reference.namespace))
        why = request.unreadable(missing) or f"{missing.words} does not exist"
        yield _manual(one.reference, (), why, (f"kubectl -n {one.reference.namespace} get {one.reference.kind.lower()} {one.reference.name}",))
        return
    of_namespace = after.get(str(one.reference.namespace), _labels_of(namespace))
    template = (workload.get("spec") or {}).get("template") or {}
    pods = with_labels(_labels_of(template), one.labels())
    if one.inject:
        refused = _why_not(mesh, str(one.reference.namespace), of_namespace, pods, f"these pods (revision {one.revision or 'default'})")
        other = [injector for injector, dummy in mesh.injecting(of_namespace, pods) if not _serves(injector, one.revision)]
        if not refused and other:
            why = f"{other[0].label} would take them: what the namespace's labels say wins over the pods' own"
            refused = why, ("# Change the namespace's label (mesh_injection_namespaces), or take it away.",)
        if refused:
            yield _manual(one.reference, (), *refused)
            return
    edit = _label_edit(workload, "/spec/template/metadata/labels", one.labels())
    if edit:
        hindered = hindrance(workload)
        yield Change(
            remedy=ROLE,
            codes=(),
            fingerprints=(),
            target=one.reference,
            action="patch",
            edit=edit,
            reason=f"its pods are to {'have' if one.inject else 'be without'} a sidecar, as asked for",
            risk=Risk.MEDIUM,
            callouts=tuple(case.id for dummy, case in mesh.injecting(of_namespace, pods)) if one.inject else (),
            rollout=hindered is None,
            notes=(hindered,) if hindered else (),
        )


def _serves(injector: Configuration, revision: str) -> bool:
    """Whether an injector is that of a revision or tag; the default one is who takes pods that ask for no revision."""
    return not revision or revision in (injector.tag, injector.revision)


# ---- restarts


def _restarts(request: Request, mesh: Mesh, asked: Asked, namespace: str, labels: Labels, relabelled: Change | None) -> Iterator[Change]:
    """Where labels change all that are injected from now on; else those whose pods lack the sidecar."""
    at = str(request.cluster.facts["source"]["observed_at"])
    lacking = {(one["kind"], one["name"]) for one in mesh.facts.get("workloads") or () if one["namespace"] == namespace and one["without_sidecar"]}
    findings = [finding for finding in request.of("WD850") if finding["subject"]["name"] == namespace]
    relabelled_pods = {one.reference for one in asked.workloads}  # new labels create them anew, too
    changes = []
    for selection in _workloads_of(namespace):
        error = request.unreadable(selection)
        if error:
            why = f"its {selection.kind}s could not be read: {error}"
            yield _manual(_namespace(namespace), (), why, ("# Apply docs/rbac/remediate-mesh_injection.yaml.",), part=selection.kind)
        for workload in request.select(selection):
            reference = Reference.of(workload)
            expected = mesh.expected(_as_fact(workload), labels)
            wanted = relabelled is not None or (reference.kind, reference.name) in lacking
            if not expected or not wanted or reference in relabelled_pods or workload["spec"].get("replicas") == 0:
                continue
            changes.append(_restart(workload, at, expected[1], findings, relabelled))
    if changes and all(kind in RESTARTABLE for kind, dummy in lacking):
        last = max(changes, key=lambda one: one.id)  # they are made in this order, and only then all pods have theirs
        changes[changes.index(last)] = replace(last, fingerprints=tuple(sorted(finding["fingerprint"] for finding in findings)))
    yield from changes


def _restart(workload: Mapping[str, Any], at: str, case: Case, findings: list[Mapping[str, Any]], relabelled: Change | None) -> Change:
    edit = Edit(workload)
    restart(edit, at)
    hindered = hindrance(workload)
    return Change(
        remedy=ROLE,
        codes=tuple(sorted({finding["code"] for finding in findings})),
        fingerprints=(),
        target=Reference.of(workload),
        action="patch",
        edit=edit,
        reason=f"create its pods anew, so that {case.callout['object']['name']} gives them their sidecar",
        risk=Risk.MEDIUM,
        callouts=(case.id,),
        after_=(relabelled.id,) if relabelled else (),
        rollout=hindered is None,
        uncontested=True,
        notes=(*((hindered,) if hindered else ()), "a rollback creates the pods anew once more, with what the namespace's labels say then"),
    )


def _as_fact(workload: Mapping[str, Any]) -> dict[str, Any]:
    """As `apps.istio.workloads` of the facts has it."""
    template = workload["spec"]["template"]
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    return {
        "namespace": workload["metadata"]["namespace"],
        "labels": {key: value for key, value in _labels_of(template).items() if "istio" in key},
        "annotation": annotations.get(INJECT),
        "host_network": (template.get("spec") or {}).get("hostNetwork") is True,
    }


# ---- where nobody asked


def _unasked(request: Request, mesh: Mesh, finding: Mapping[str, Any]) -> Change:
    subject = finding["subject"]
    if subject["kind"] != "Namespace":
        reference = Reference("admissionregistration.k8s.io/v1", subject["kind"], subject["name"])
        why = "two injectors take the same pods: which of them is to go only a person can say"
        return _manual(reference, (finding,), why, tuple(finding["remedy"]["manual"]))
    reference = _namespace(subject["name"])
    namespace = request.read(reference)
    labels = _labels_of(namespace or {})
    if finding["code"] == "WD850":
        return _manual(reference, (finding,), "its workloads are restarted only if asked for: mesh_injection_restart", tuple(finding["remedy"]["manual"]))
    wanted, risk, why = {"WD852": _without_effect, "WD853": _spelt_right}.get(finding["code"], _unknown)(mesh, labels)
    if namespace is None or not wanted:
        why = request.unreadable(reference) or why
        return _manual(reference, (finding,), f"{why}: say it with mesh_injection_namespaces and mesh_injection_revision", tuple(finding["remedy"]["manual"]))
    return Change(
        remedy=ROLE,
        codes=(finding["code"],),
        fingerprints=(finding["fingerprint"],),
        target=reference,
        action="patch",
        edit=_label_edit(namespace, "/metadata/labels", wanted),
        reason=why,
        risk=risk,
        callouts=tuple(case.id for dummy, case in mesh.injecting(with_labels(labels, wanted), {})),
    )


def _unknown(mesh: Mesh, labels: Labels) -> tuple[dict[str, str | None], Risk, str]:
    return {}, Risk.LOW, f"which revision is meant is not known (there are: {listing(list(mesh.live_revisions)) or 'none'})"


def _without_effect(mesh: Mesh, labels: Labels) -> tuple[dict[str, str | None], Risk, str]:
    """Of both labels istio.io/rev has no effect. It goes if who injects stays the same, and is as istio-injection says."""
    injection, pods = labels.get(INJECTION), [{}, *(workload["labels"] for workload in mesh.facts.get("workloads") or ())]
    wanted: dict[str, str | None] = {REVISION: None}
    after = with_labels(labels, wanted)
    same = all(_names(mesh, labels, pod) == _names(mesh, after, pod) for pod in pods)
    as_said = (injection == "enabled" and bool(_names(mesh, labels, {}))) or injection == "disabled"
    if not same or not as_said:
        return {}, Risk.LOW, f"{INJECTION}={injection} wins over {REVISION}={labels.get(REVISION)}, and does not do what it says"
    return wanted, Risk.LOW, f"{INJECTION}={injection} wins, so {REVISION}={labels.get(REVISION)} has no effect: who injects stays the same without it"


def _names(mesh: Mesh, namespace: Labels, pod: Labels) -> list[str]:
    return [injector.name for injector, dummy in mesh.injecting(namespace, pod)]


def _spelt_right(mesh: Mesh, labels: Labels) -> tuple[dict[str, str | None], Risk, str]:
    """Where it is evident what was meant: a word that says yes and one revision that there is, or the name of a revision or tag that is served."""
    near = near_miss(labels, next(iter(mesh.live_revisions), None))
    if near is None or REVISION in labels:
        return {}, Risk.LOW, "which label is meant is not known"
    wanted: dict[str, str | None] = {near.key: None, near.right_key: near.right_value}
    by_name = near.right_key == REVISION and near.right_value == near.value
    evident = by_name or (near.says_yes and (near.right_key == INJECTION or len(mesh.live_revisions) == 1))
    found = mesh.injecting(with_labels(labels, wanted), {})
    if not evident or not found or any(case.judgement.fails or mesh.is_gone(injector) for injector, case in found):
        return {}, Risk.LOW, f"{near.line}; whether {near.right} is meant is not certain, or nobody serves it"
    return wanted, Risk.MEDIUM, f"{near.line}: {near.right} is meant; new pods then get a sidecar"


def _manual(target: Reference, findings: tuple[Mapping[str, Any], ...], why: str, steps: tuple[str, ...], part: str = "") -> Change:
    codes = tuple(finding["code"] for finding in findings)
    return Change(remedy=ROLE, codes=codes, fingerprints=(), target=target, action="manual", reason=why, manual=steps, part=part or "-".join(codes))


PLANNER = Planner(ROLE, CODES, reads, plan, {"namespaces": [], "revision": "", "workloads": [], "restart": False})
