# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a call-out belongs to is proven to be gone. Pure. PRIVATE to the collection.

A Service that is missing proves little by itself: it may be about to be made, or somebody deleted it by mistake. Gone is an application of which the Service is
missing and nothing else is left in its namespace: the namespace is gone, it runs nothing, or nothing in it has the application's labels or name. All of that is
read anew for the plan; what cannot be read proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..._diagnosis.checked import InvalidObservation, moment
from ..reference import Reference, Selection
from ..request import Request

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
# By which an application's objects are known to belong together.
_IDENTITY = ("app.kubernetes.io/instance", "app.kubernetes.io/name", "app.kubernetes.io/part-of", "app", "release", "k8s-app")


@dataclass(frozen=True)
class Proof:
    """orphaned: proven. lines: what proves it, or what is in the way of the proof."""

    orphaned: bool
    lines: tuple[str, ...]


def services_of(obj: Mapping[str, Any]) -> list[Mapping[str, Any] | None]:
    """The Service {namespace, name} of each call-out of an object of the API; None for one that calls a URL."""
    spec = obj.get("spec") or {}
    if obj["kind"] == "APIService":
        return [spec.get("service")]
    if obj["kind"] == "CustomResourceDefinition":
        return [(((spec.get("conversion") or {}).get("webhook") or {}).get("clientConfig") or {}).get("service")]
    return [(entry.get("clientConfig") or {}).get("service") for entry in obj.get("webhooks") or ()]


def reads(services: Iterable[tuple[str, str]]) -> Iterator[Reference | Selection]:
    """What has to be read to prove it. services: (namespace, name)."""
    for namespace, name in services:
        yield Reference("v1", "Service", name, namespace)
        yield Reference("v1", "Namespace", namespace)
        yield from (Selection("apps/v1", kind, namespace) for kind in WORKLOADS)


def too_young(obj: Mapping[str, Any], request: Request, minutes: int) -> str | None:
    """Why it is too early to call it a remainder: an installation may be under way. None where it is old enough."""
    created = obj["metadata"].get("creationTimestamp")
    try:
        age = request.cluster.observed - moment(str(created))
    except InvalidObservation:
        return "when it was created is not known"
    return f"it was created {max(0, age.total_seconds()) / 60:.0f} minutes ago; an installation may be under way" if age < timedelta(minutes=minutes) else None


def proven(request: Request, obj: Mapping[str, Any]) -> Proof:
    """Whether the application behind every call-out of an object is gone."""
    services = services_of(obj)
    owners = [f"{one['kind']} {one['name']}" for one in obj["metadata"].get("ownerReferences") or ()]
    if owners:
        return Proof(False, (f"it belongs to {', '.join(owners)}, which is there",))
    if not services or any(service is None for service in services):
        return Proof(False, ("it calls a URL, or nothing: what is outside of the cluster cannot be proven to be gone",))
    places = sorted({(str(service["namespace"]), str(service["name"])) for service in services if service})
    lines: list[str] = []
    for namespace, name in places:
        why_not, because = _gone(request, obj, namespace, name)
        if why_not:
            return Proof(False, (why_not,))
        lines += because
    return Proof(True, tuple(dict.fromkeys(lines)))


def _gone(request: Request, obj: Mapping[str, Any], namespace: str, name: str) -> tuple[str | None, list[str]]:
    """(what is in the way of the proof, what proves it)."""
    service, home = Reference("v1", "Service", name, namespace), Reference("v1", "Namespace", namespace)
    if not request.is_absent(service):
        return (f"{service.words} is there" if request.read(service) else _unknown(request, service)), []
    if request.is_absent(home):
        return None, [f"{service.words} and its namespace do not exist"]
    if request.read(home) is None:
        return _unknown(request, home), []
    running: list[Mapping[str, Any]] = []
    for kind in WORKLOADS:
        selection = Selection("apps/v1", kind, namespace)
        if not request.is_absent(selection) and not request.select(selection):
            return f"what runs in namespace {namespace} cannot be read: {request.unreadable(selection) or 'it was not asked'}", []
        running += request.select(selection)
    if not running:
        return None, [f"{service.words} does not exist, and no Deployment, StatefulSet or DaemonSet is in its namespace"]
    identity = _identity(obj["metadata"].get("labels") or {})
    related = [one for one in running if _related(one, identity, name)]
    if related:
        return f"{Reference.of(related[0]).words} may be what it belongs to: its Service {name} is missing, and that is what to put back", []
    if not identity:
        return f"it has no labels that say what it belongs to, and {Reference.of(running[0]).words} runs in the namespace of its Service", []
    shown = ", ".join(f"{key}={value}" for key, value in sorted(identity.items()))
    return None, [f"{service.words} does not exist, and nothing in its namespace has the labels ({shown}) or the name of what it belonged to"]


def _unknown(request: Request, reference: Reference) -> str:
    return f"whether {reference.words} exists is not known: {request.unreadable(reference) or 'it was not asked'}"


def _identity(labels: Mapping[str, str]) -> dict[str, str]:
    return {key: labels[key] for key in _IDENTITY if labels.get(key)}


def _related(workload: Mapping[str, Any], identity: Mapping[str, str], service: str) -> bool:
    """Whether a workload has one of the labels, on itself or on its pods, or the name begins as the Service's does."""
    metadata = workload["metadata"]
    pods = ((workload.get("spec") or {}).get("template") or {}).get("metadata") or {}
    for labels in (metadata.get("labels") or {}, pods.get("labels") or {}):
        if any(labels.get(key) == value for key, value in identity.items()):
            return True
    return str(metadata["name"]).startswith(service) or service.startswith(str(metadata["name"]))
