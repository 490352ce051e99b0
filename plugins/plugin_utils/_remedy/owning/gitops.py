# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argo CD and Flux, which put an object back to what a repository says. Pure. PRIVATE to the collection.

Sources: argo-cd.readthedocs.io user-guide/resource_tracking and kustomize; fluxcd.io components/kustomize/kustomizations (Controlling the apply behavior of
resources) and components/helm/helmreleases (driftDetection, postRenderers).
"""

from __future__ import annotations

from .. import durable
from ..owner import Owner
from .asked import INSTANCE, Asked, name
from .helm import patches, rendered, template, values, what_to_render

_TRACKING, _ARGO_INSTANCE = "argocd.argoproj.io/tracking-id", "argocd.argoproj.io/instance"
_KUSTOMIZE, _HELM = "kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io"


def argo_cd(asked: Asked) -> Owner | None:
    found = _application(asked)
    if not found:
        return None
    application, because = found
    return Owner("argo_cd", application, because, tuple(_of_application(asked, application)))


def _application(asked: Asked) -> tuple[str, str] | None:
    """(its name, how it is known). Argo CD takes a tracking id for its own only on the very object that it names, because annotations get copied."""
    tracking = asked.annotations.get(_TRACKING)
    if tracking:
        application, _colon, rest = tracking.partition(":")
        kind, _colon, place = rest.partition(":")
        target = asked.change.target
        # The namespace of what has none is that of the application's destination, or empty.
        same = kind == f"{target.group}/{target.kind}" and place.rpartition("/")[2] == target.name and target.namespace in (None, place.partition("/")[0])
        return (application, f"annotation {_TRACKING}: {tracking}") if name(application) and same else None
    instance = name(asked.labels.get(_ARGO_INSTANCE))
    if instance:
        return instance, f"label {_ARGO_INSTANCE}: {instance}"
    # Charts have this label too, so it says nothing unless Argo CD writes the object.
    instance = name(asked.labels.get(INSTANCE))
    manager = next((one for one in asked.managers if one.startswith("argocd-")), None)
    return (instance, f"label {INSTANCE}: {instance}, and {manager} is among its field managers") if instance and manager else None


def _of_application(asked: Asked, application: str) -> list[str]:
    known = values(asked) if rendered(asked) else None
    if known and asked.change.action != "delete":
        # An application outside of Argo CD's own namespace is named <namespace>_<name>.
        namespace, underscore, own = application.partition("_")
        metadata = {"name": own, "namespace": namespace} if underscore else {"name": application}
        source = {"helm": {"valuesObject": durable.nested(known.values)}}
        return [
            f"# where Application {application} is kept; under spec.sources where it has several",
            *([f"# {known.note}"] if known.note else []),
            *durable.lines({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": {"source": source}}),
        ]
    if rendered(asked):
        return template(asked) if asked.change.action == "delete" else what_to_render(asked)
    return [f"# in the kustomization.yaml of the source of Application {application}:", *patches(asked)]


def flux(asked: Asked) -> Owner | None:
    return _helm_release(asked) or _kustomization(asked)


def _kustomization(asked: Asked) -> Owner | None:
    own = name(asked.labels.get(f"{_KUSTOMIZE}/name"))
    if not own or _left_alone(asked):
        return None
    namespace = name(asked.labels.get(f"{_KUSTOMIZE}/namespace")) or "flux-system"
    lines = [f"# in the kustomization.yaml of the path of Kustomization {namespace}/{own}:", *patches(asked)]
    return Owner("flux", f"{namespace}/{own}", f"labels {_KUSTOMIZE}/name: {own}, {_KUSTOMIZE}/namespace: {namespace}", tuple(lines))


def _left_alone(asked: Asked) -> bool:
    """Whether Flux was told not to apply it (again)."""
    switched_off = asked.marks.get(f"{_KUSTOMIZE}/reconcile", "").lower() == "disabled"
    return switched_off or asked.marks.get(f"{_KUSTOMIZE}/ssa", "").lower() in ("ignore", "ifnotpresent")


def _helm_release(asked: Asked) -> Owner | None:
    own = name(asked.labels.get(f"{_HELM}/name"))
    if not own:
        return None
    namespace = name(asked.labels.get(f"{_HELM}/namespace")) or "flux-system"
    known = values(asked) if asked.change.action != "delete" else None
    spec = (
        {"values": durable.nested(known.values)}
        if known
        else {"postRenderers": [{"kustomize": {"patches": durable.kustomize_patches(asked.change, asked.live)}}]}
    )
    metadata = {"name": own, "namespace": namespace}
    lines = [
        f"# where HelmRelease {namespace}/{own} is kept:",
        *([f"# {known.note}"] if known and known.note else []),
        *durable.lines({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": metadata, "spec": spec}),
    ]
    because = f"labels {_HELM}/name: {own}, {_HELM}/namespace: {namespace}: put back at the next upgrade, at once with spec.driftDetection.mode: enabled"
    return Owner("flux", f"{namespace}/{own}", because, tuple(lines))
