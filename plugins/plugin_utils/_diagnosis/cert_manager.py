# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cert-manager as it was observed (`apps.cert_manager` of the facts), joined with the call-outs that are its own. PRIVATE to the collection.

Source of what is expected: cert-manager's deploy/charts/cert-manager, cmd/, pkg/controller/cainjector, pkg/server/tls/authority, from 0.11 to 1.21.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.cert_manager_election import lease_of

from .checked import InvalidObservation, moment
from .judgement import State
from .text import clean

if TYPE_CHECKING:
    from .case import Case
    from .cluster import Cluster

WEBHOOK = "webhook.cert-manager.io"
FROM_SECRET = "cert-manager.io/inject-ca-from-secret"
_INJECTED = (FROM_SECRET, "cert-manager.io/inject-ca-from", "cert-manager.io/inject-apiserver-ca")
HEALTHZ_PORT = 6080  # of the webhook, where no argument says another
# Seconds that everything may take after an installation: images, two leader elections, the CA, its injection.
SETTLES = 120.0
# A candidate asks for the lease at once and then every 15 s (cmd/util/defaults.go).
ELECTED_AFTER = 60.0
_GROUPS = ("cert-manager.io", "certmanager.k8s.io")
Version = tuple[int, int, int]


def parse_version(text: str | None) -> Version | None:
    """ "1.15.1" or "1.16.0-beta.0" as numbers; None where it is no version."""
    match = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", text or "")
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


@dataclass(frozen=True)
class Component:
    """One Deployment and its pods."""

    item: Mapping[str, Any]
    pods: tuple[Mapping[str, Any], ...]
    cluster: Cluster

    @property
    def kind(self) -> str:
        return str(self.item["component"])

    @property
    def namespace(self) -> str:
        return str(self.item["namespace"])

    @property
    def name(self) -> str:
        return str(self.item["name"])

    @property
    def label(self) -> str:
        return f"Deployment {self.namespace}/{self.name}"

    @property
    def version(self) -> Version | None:
        return parse_version(self.item["version"])

    @property
    def stopped(self) -> bool:
        """Whether nobody wants it to run."""
        return self.item["replicas"] == 0

    @property
    def runs(self) -> bool:
        return int(self.item["ready"]) > 0

    @property
    def age(self) -> float | None:
        """Seconds since it was created, at the time of the observation; None where that says nothing (a dump is of some other time)."""
        return _age(self.item["created"], self.cluster)

    @property
    def settling(self) -> bool:
        age = self.age
        return age is not None and age < SETTLES

    def argument(self, name: str) -> str | None:
        """The last value of a command-line argument, as flags are parsed."""
        values = self.item["arguments"].get(name)
        return str(values[-1]) if values else None

    @property
    def ca_secret(self) -> str | None:
        """`namespace/name` of the Secret in which the webhook keeps its CA; None where it is given a certificate, or a file may say so."""
        if self.argument("tls-cert-file"):
            return None
        name = self.argument("dynamic-serving-ca-secret-name")
        return f"{self.argument('dynamic-serving-ca-secret-namespace') or self.namespace}/{name}" if name else None

    @property
    def living(self) -> list[Mapping[str, Any]]:
        return [pod for pod in self.pods if not pod["terminating"]]

    def waited(self) -> float | None:
        """Seconds that its oldest running pod has had to get elected."""
        ages = [age for pod in self.living if (age := _age(pod["started"], self.cluster)) is not None]
        return max(ages, default=None)

    @property
    def lease_key(self) -> tuple[str, str] | None:
        return lease_of(self.kind, self.item["arguments"])

    def state_line(self) -> str:
        """`Deployment a/b: 0 of 1 replicas ready (pod x: CrashLoopBackOff)`."""
        wrong = [f"pod {pod['name']}: {_trouble(pod)}" for pod in self.living if not pod["ready"]][:3]
        failures = [f"{one['reason'] or one['type']}: {clean(one['message'], 200)}" for one in self.item["conditions"] if one["type"] == "ReplicaFailure"]
        said = "; ".join([*wrong, *failures])
        return f"{self.label}: {self.item['ready']} of {self.item['replicas']} replicas ready{f' ({said})' if said else ''}"


def _trouble(pod: Mapping[str, Any]) -> str:
    reasons = [pod["waiting"], f"last ended with {pod['terminated']}" if pod["terminated"] else None]
    reasons.append(f"{pod['restarts']} restarts" if pod["restarts"] else None)
    return ", ".join(filter(None, reasons)) or f"{pod['phase']}, not ready"


def _age(created: str | None, cluster: Cluster) -> float | None:
    if created is None or cluster.facts["source"]["kind"] != "api":
        return None
    return seconds_since(created, cluster)


def seconds_since(said: str, cluster: Cluster) -> float | None:
    """Seconds from a time that the cluster said to the observation; None where it is no time."""
    try:
        return (cluster.observed - moment(said)).total_seconds()
    except InvalidObservation:
        return None


@dataclass(frozen=True)
class Installation:
    """The parts that were installed together: one namespace and `app.kubernetes.io/instance`."""

    namespace: str
    instance: str | None
    components: Mapping[str, Component]

    @property
    def webhook(self) -> Component | None:
        return self.components.get("webhook")

    @property
    def label(self) -> str:
        return f"{self.namespace}/{self.instance or 'without instance'}"

    @property
    def settling(self) -> bool:
        """Whether it was made so recently that certificate, Secret and caBundle need not be there."""
        return any(component.settling for component in self.components.values())


@dataclass(frozen=True)
class CertManager:
    """Everything that was seen of cert-manager. Empty where nothing was."""

    facts: Mapping[str, Any]
    cluster: Cluster

    @classmethod
    def of(cls, cluster: Cluster) -> CertManager:
        return cls(cluster.apps.get("cert_manager") or {}, cluster)

    @property
    def complete(self) -> bool:
        """Whether what is not there does not exist: files may hold a part of a cluster."""
        return bool(self.cluster.facts["source"]["kind"] == "api")

    @cached_property
    def installations(self) -> tuple[Installation, ...]:
        found: dict[tuple[str, str | None], dict[str, Component]] = {}
        for item in self.facts.get("deployments") or ():
            pods = [
                pod
                for pod in self.facts.get("pods") or ()
                if (pod["namespace"], pod["component"], pod["instance"]) == (item["namespace"], item["component"], item["instance"])
            ]
            parts = found.setdefault((item["namespace"], item["instance"]), {})
            parts[item["component"]] = Component(item, tuple(pods), self.cluster)
        return tuple(Installation(namespace, instance, found[(namespace, instance)]) for namespace, instance in sorted(found, key=str))

    def components(self, kind: str) -> list[Component]:
        return [one.components[kind] for one in self.installations if kind in one.components]

    @cached_property
    def webhook_cases(self) -> tuple[Case, ...]:
        """The admission call-outs of cert-manager's own webhook."""
        return tuple(case for case in self.cluster.cases if case.callout["webhook"] == WEBHOOK)

    @cached_property
    def own_cases(self) -> tuple[Case, ...]:
        """These, and the conversion webhooks of its CRDs."""
        return (*self.webhook_cases, *(case for case in self.cluster.cases if case.callout["kind"] == "conversion" and of_its_groups(case)))

    @cached_property
    def injected(self) -> tuple[Case, ...]:
        """The call-outs, of any application, whose caBundle cainjector is asked to write, and its own webhook's."""
        own = {case.id for case in self.webhook_cases}
        return tuple(case for case in self.cluster.cases if injection(case) or case.id in own)

    def installation_of(self, case: Case) -> Installation | None:
        """The installation whose webhook a call-out is meant to reach: that of the Service's namespace, else the only one there is."""
        of_namespace = [one for one in self.installations if one.webhook and one.namespace == case.wanted.get("namespace")]
        named = [one for one in of_namespace if one.instance == case.callout["object"]["labels"].get("app.kubernetes.io/instance")]
        with_webhook = [one for one in self.installations if one.webhook]
        return next(iter(named or of_namespace or (with_webhook if len(with_webhook) == 1 else [])), None)

    def lease(self, component: Component) -> Mapping[str, Any] | None:
        key = component.lease_key
        return next((one for one in self.facts.get("leases") or () if (one["namespace"], one["name"]) == key), None)

    def probe_failures(self, component: Component) -> list[Mapping[str, Any]]:
        """What the kubelet said about the probes of its pods that are not ready."""
        unready = {(pod["namespace"], pod["name"]) for pod in component.living if not pod["ready"]}
        return [one for one in self.facts.get("probe_failures") or () if (one["namespace"], one["pod"]) in unready]


def of_its_groups(case: Case) -> bool:
    group = str((case.callout["conversion"] or {}).get("group") or "")
    return any(group == own or group.endswith(f".{own}") for own in _GROUPS)


def injection(case: Case) -> tuple[str, str] | None:
    """The annotation that asks cainjector for a caBundle, and its value."""
    annotations = case.callout["object"]["annotations"]
    return next(((name, annotations[name]) for name in _INJECTED if annotations.get(name)), None)


def lacks_its_ca(case: Case) -> bool:
    """Whether the caBundle is not what it must be: calls fail because of it, or will with the next certificate."""
    judged = case.judgement
    if judged.fails and judged.cause in ("unknown_authority", "ca_bundle_invalid"):
        return True
    if judged.state is State.UNJUDGED and case.in_cluster and not case.callout["ca_bundle"].strip():
        return True  # a certificate for a Service's name is never one of a public CA
    return any(source.binding and source.is_absent_from(case) for source in case.ca_sources)


def is_held_by(holder: str | None, pod: str) -> bool:
    """Whether a lease's holder is a pod: `<host name>_<uuid>`, of the controller `<host name>-external-cert-manager-controller`.

    A pod's host name is its name, cut after 63 characters (truncatePodHostnameIfNeeded of the kubelet).
    """
    host = (holder or "").rpartition("_")[0] or (holder or "").removesuffix("-external-cert-manager-controller")
    return host in (pod, pod[:63].rstrip("-."))


def ids(cases: Iterable[Case]) -> Sequence[str]:
    return [case.id for case in cases]
