# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Istio in the cluster: who injects which pods, who keeps whose caBundle, which revisions there are. PRIVATE to the collection.

Nothing is concluded from names: whether a pod is injected is decided by the selectors of the webhooks that are there, as the API server and
`istioctl experimental check-inject` decide it. Sources: istio/istio manifests/charts/istio-control/istio-discovery/templates, pkg/webhooks,
pkg/kube/inject (injectRequired), istioctl/pkg/checkinject.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.istio_names import (
    IGNORED_NAMESPACES,
    INJECT,
    INJECTOR,
    REVISION,
    TAG,
    VALIDATOR,
    suffix,
)
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import NO, YES, Request, intercepts, selector_matches

from .selectors import keys

if TYPE_CHECKING:
    from .case import Case
    from .cluster import Cluster

INJECTION, DATAPLANE = "istio-injection", "istio.io/dataplane-mode"
DEFAULT_VALIDATOR = "istiod-default-validator"
_DEACTIVATED = {"istio.io/deactivated": "never-match"}


@dataclass(frozen=True)
class Configuration:
    """One webhook configuration of Istio: an injector, a revision tag (both mutating), or a validator."""

    name: str
    kind: str
    labels: Mapping[str, str]
    cases: tuple[Case, ...]

    @property
    def revision(self) -> str | None:
        """Whose istiod keeps it up to date: nobody's without this label. Source: istio pkg/webhooks/webhookpatch.go."""
        return self.labels.get(REVISION)

    @property
    def tag(self) -> str | None:
        return self.labels.get(TAG)

    @property
    def mutating(self) -> bool:
        return self.kind == "MutatingWebhookConfiguration"

    @property
    def service(self) -> Mapping[str, Any] | None:
        """The Service that it calls, {namespace, name, port, path}; None for a URL: what runs there is not in this cluster."""
        return self.cases[0].wanted or None

    @property
    def deactivated(self) -> bool:
        """Switched off on purpose (`istioctl tag`, a default revision elsewhere): it selects nobody."""
        return all((case.callout["namespace_selector"] or {}).get("match_labels") == _DEACTIVATED for case in self.cases)

    @property
    def label(self) -> str:
        return f"{self.kind} {self.name}"

    def injecting(self, namespace: Mapping[str, str], pod: Mapping[str, str]) -> Case | None:
        """Its entry that takes a pod with these labels in a namespace with those; None where none does, or that is not known."""
        return next((case for case in self.cases if _verdict(case, namespace, pod) == YES), None)

    def may_select(self, namespace: Mapping[str, str]) -> bool:
        """Whether one of its entries takes pods of a namespace with these labels because of them."""
        return any(
            keys(case.callout["namespace_selector"]) & set(namespace)
            and selector_matches(case.callout["namespace_selector"], namespace)
            and _verdict(case, namespace, {}) != NO
            for case in self.cases
        )


def _verdict(case: Case, namespace: Mapping[str, str], pod: Mapping[str, str]) -> str:
    """Of pods only labels that speak of Istio are kept: what other labels decide is not known."""
    known = all("istio" in key for key in keys(case.callout["object_selector"]))
    request = Request("CREATE", "", "v1", "pods", namespace_labels=namespace, object_labels=pod if known else None, equivalents=())
    return intercepts(case.callout, request)


@dataclass(frozen=True)
class Remainder:
    """A configuration that has outlived its istiod. live: a revision that runs. namespaces, workloads: those that still ask for it.

    retarget: it is a tag or the default validator, and is to follow `live` instead of going. removable: nothing that was seen needs it.
    """

    live: str | None
    namespaces: tuple[str, ...]
    workloads: tuple[str, ...]
    retarget: bool
    removable: bool


@dataclass(frozen=True)
class Mesh:
    """facts: `apps.istio` of the facts, {} where it was not observed."""

    cluster: Cluster
    facts: Mapping[str, Any]
    injectors: tuple[Configuration, ...]
    validators: tuple[Configuration, ...]

    @classmethod
    def of(cls, cluster: Cluster) -> Mesh:
        found: dict[tuple[str, str], list[Case]] = defaultdict(list)
        for case in cluster.cases:
            name = case.callout["webhook"] or ""
            if (case.callout["kind"], True) in (("mutating", name.endswith(INJECTOR)), ("validating", name.endswith(VALIDATOR))):
                found[(case.callout["object"]["kind"], case.callout["object"]["name"])].append(case)
        configurations = [Configuration(name, kind, cases[0].callout["object"]["labels"], tuple(cases)) for (kind, name), cases in sorted(found.items())]
        return cls(
            cluster,
            cluster.apps.get("istio") or {},
            tuple(one for one in configurations if one.mutating),
            tuple(one for one in configurations if not one.mutating),
        )

    @property
    def configurations(self) -> Sequence[Configuration]:
        return (*self.injectors, *self.validators)

    @property
    def present(self) -> bool:
        return bool(self.configurations or self.facts)

    @cached_property
    def mutating_known(self) -> bool:
        """Whether all injectors were read."""
        return not any(gap["what"] == "mutatingwebhookconfigurations" for gap in self.cluster.facts["coverage"])

    @cached_property
    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        return {namespace["name"]: namespace.get("labels") or {} for namespace in self.cluster.facts["namespaces"]}

    # ---- control planes

    @property
    def control_planes(self) -> Sequence[Mapping[str, Any]] | None:
        """istiod's Deployments; None where they could not be read."""
        return self.facts.get("control_planes")

    def control_planes_of(self, revision: str | None, namespace: str | None = None) -> list[Mapping[str, Any]]:
        return [one for one in self.control_planes or () if (one["revision"] or "default") == revision and namespace in (None, one["namespace"])]

    @cached_property
    def live_revisions(self) -> tuple[str, ...]:
        """Revisions whose istiod is ready, and injectors that are elsewhere (a URL), newest Deployment first."""
        ready = sorted((one for one in self.control_planes or () if one["ready"]), key=lambda one: str(one["created"]), reverse=True)
        managed = [one.revision for one in self.injectors if one.service is None and not one.deactivated and one.revision]
        return tuple(dict.fromkeys([*(one["revision"] or "default" for one in ready), *managed]))

    def control_planes_line(self) -> str:
        if self.control_planes is None:
            return "which istiods run could not be read"
        said = [
            f"{one['namespace']}/{one['name']} (revision {one['revision'] or 'default'}, {one['ready']} of {one['replicas']} ready)"
            for one in self.control_planes
        ]
        return f"istiods in the cluster: {', '.join(said[:6]) or 'none'}"

    def is_gone(self, configuration: Configuration) -> list[str]:
        """Why a configuration is a remainder of an Istio that is not there any more; [] where it is not, or that is not known.

        Its Service is missing; or no Deployment app=istiod of its revision is in the Service's namespace and nothing stands behind the Service (an istiod
        outside the cluster has a Service with endpoints and no Deployment). A revision label that is a live tag's name is no sign.
        """
        service, revision = configuration.service, configuration.revision
        if service is None or configuration.deactivated:
            return []
        name = f"{service['namespace']}/{service['name']}"
        missing = all((case.service or {}).get("found") is False for case in configuration.cases)
        if missing and not self.control_planes_of(revision, service["namespace"]):
            return [f"Service {name} does not exist", self.control_planes_line()]
        empty = all(case.without_endpoints for case in configuration.cases)
        known = self.control_planes is not None and revision is not None and revision not in self._live_tags
        if known and empty and not self.control_planes_of(revision, service["namespace"]):
            return [
                f"no Deployment app=istiod of revision {revision} is in namespace {service['namespace']}, and nobody stands behind Service {name}",
                self.control_planes_line(),
            ]
        return []

    def remainder(self, configuration: Configuration) -> Remainder:
        """Of a configuration that is a remainder (`is_gone`): who still asks for it, and what may be done with it."""
        live = next((one for one in self.live_revisions if one != configuration.revision), None)
        namespaces = self.selecting_namespaces(configuration) if configuration.mutating else []
        workloads = sorted(set(self.selecting_workloads(configuration))) if configuration.mutating else []
        retarget = live is not None and (configuration.tag is not None or configuration.name == DEFAULT_VALIDATOR)
        removable = not retarget and not namespaces and not workloads and bool(self.cluster.facts["namespaces"])
        return Remainder(live, tuple(namespaces), tuple(workloads), retarget, removable)

    def responsible_for(self, configuration: Configuration) -> tuple[list[str], dict[str, object]]:
        """Why nobody has written a configuration, and what mends it.

        {right_revision}: the revision that its label should name; {istiod, istiod_namespace}: the Deployment that is responsible by its label.
        """
        service = configuration.service or {}
        # The Deployment that the configuration's Service is named after.
        behind = [one for one in self.control_planes or () if (one["namespace"], one["name"]) == (service.get("namespace"), service.get("name"))]
        right = behind[0] if behind else next((one for one in self.control_planes or () if one["ready"]), None)
        revision = configuration.revision
        if revision is None:
            lines = ["it has no label istio.io/rev, so no istiod looks after it", self.control_planes_line()]
            return lines, {"right_revision": (right["revision"] or "default") if right else next(iter(self.live_revisions), None)}
        responsible = self.control_planes_of(revision)
        if self.control_planes is None:
            return [f"its label istio.io/rev is {revision}", self.control_planes_line()], {}
        if not responsible:
            lines = [f"its label istio.io/rev is {revision}, and no istiod has that revision", self.control_planes_line()]
            return lines, {"right_revision": (right["revision"] or "default") if right else None}
        istiod = responsible[0]
        values: dict[str, object] = {"istiod": istiod["name"], "istiod_namespace": istiod["namespace"]}
        if not istiod["ready"]:
            return [f"istiod {istiod['namespace']}/{istiod['name']} of revision {revision} is not ready ({istiod['ready']} of {istiod['replicas']})"], values
        return [f"istiod {istiod['namespace']}/{istiod['name']} of revision {revision} is ready, and should have written it"], values

    @cached_property
    def _live_tags(self) -> frozenset[str]:
        return frozenset(one.tag for one in self.injectors if one.tag and self.control_planes_of(one.revision))

    # ---- injection

    @cached_property
    def active(self) -> tuple[Configuration, ...]:
        """Injectors that select anybody."""
        return tuple(one for one in self.injectors if not one.deactivated)

    def injecting(self, namespace: Mapping[str, str], pod: Mapping[str, str]) -> list[tuple[Configuration, Case]]:
        """The injectors that take such a pod, each with the entry that does."""
        found = ((one, one.injecting(namespace, pod)) for one in self.active)
        return [(one, case) for one, case in found if case]

    def expected(self, workload: Mapping[str, Any], namespace: Mapping[str, str] | None = None) -> tuple[Configuration, Case] | None:
        """Who should put a sidecar into the pods of a workload of the facts; None where nobody should, or that is not certain.

        namespace: the labels of its namespace, if not as they were observed.
        """
        labels = self.namespaces.get(workload["namespace"]) if namespace is None else namespace
        if labels is None or workload["namespace"] in IGNORED_NAMESPACES or workload["host_network"] or labels.get(DATAPLANE) == "ambient":
            return None
        told = workload["labels"].get(INJECT, workload["annotation"])  # the label is preferred to the annotation
        if told == "false" or workload["labels"].get(DATAPLANE) == "ambient":
            return None
        found = self.injecting(labels, workload["labels"])
        return next(((one, case) for one, case in found if told == "true" or (self._injects_by_default(one) and not _wants_annotation(case))), None)

    def _injects_by_default(self, injector: Configuration) -> bool:
        """Whether istiod's own configuration leaves it to the selectors (policy enabled, nobody exempted)."""
        if injector.service is None or injector.revision is None:
            return True
        place = (injector.service["namespace"], f"istio-sidecar-injector{suffix(injector.revision)}")
        settings = next((one for one in self.facts.get("injection") or () if (one["namespace"], one["name"]) == place), None)
        return settings is None or (settings["policy"] != "disabled" and not settings["never_inject"])

    @cached_property
    def served(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(revisions, tags) that some active injector selects by the label istio.io/rev."""
        revisions, tags = set[str](), set[str]()
        for one in self.active:
            asked = {value for case in one.cases for value in _values_of(case.callout["namespace_selector"], REVISION)}
            (tags if one.tag else revisions).update(asked)
        return tuple(sorted(revisions)), tuple(sorted(tags))

    def selecting_namespaces(self, configuration: Configuration) -> list[str]:
        """The namespaces whose labels ask for this injector."""
        return [name for name, labels in sorted(self.namespaces.items()) if configuration.may_select(labels)]

    def selecting_workloads(self, configuration: Configuration) -> Iterator[str]:
        """Workloads whose pods ask for it themselves."""
        for workload in self.facts.get("workloads") or ():
            labels = self.namespaces.get(workload["namespace"])
            if labels is not None and not configuration.may_select(labels) and configuration.injecting(labels, workload["labels"]):
                yield f"{workload['kind']} {workload['namespace']}/{workload['name']}"


def _wants_annotation(case: Case) -> bool:
    """OpenShift Service Mesh 2 (Maistra) selects member namespaces, and injects only pods that ask for it by annotation."""
    return any(key.startswith("maistra.io/") for key in keys(case.callout["namespace_selector"]))


def _values_of(selector: Mapping[str, Any] | None, key: str) -> Iterable[str]:
    for expression in (selector or {}).get("match_expressions") or ():
        if expression["key"] == key and expression["operator"] == "In":
            yield from expression.get("values") or ()
    if key in ((selector or {}).get("match_labels") or {}):
        yield (selector or {})["match_labels"][key]


def why(namespace: str, namespace_labels: Mapping[str, str], pod_labels: Mapping[str, str], case: Case) -> str:
    """Which labels an entry goes by, for evidence."""
    deciding = [f"{key}={namespace_labels[key]}" for key in sorted(keys(case.callout["namespace_selector"])) if key in namespace_labels]
    of_pod = [f"{key}={pod_labels[key]}" for key in sorted(keys(case.callout["object_selector"])) if key in pod_labels]
    parts = [f"namespace {namespace} has {', '.join(deciding)}" if deciding else "", f"the pods have {', '.join(of_pod)}" if of_pod else ""]
    said = " and ".join(part for part in parts if part) or f"namespace {namespace} is not exempted"
    return f"{said}: webhook {case.callout['webhook']} of {case.callout['object']['name']} injects them"
