# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that was observed, joined: the call-outs as cases, the API server's instances, what all of them have in common. PRIVATE to the collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.trust_plan import question, question_of

from .acme import Acme
from .ca_source import CaSource
from .case import Case
from .cert_manager import CertManager
from .checked import moment
from .cni import Cni, judge_cni
from .counters import Counter, read_counters
from .endpoints import ALIVE, DEAD
from .evidence import Named, Text, read_texts
from .host_ports import used_host_ports
from .label_index import Namespaces
from .loopback import Loopback, read_loopbacks
from .mesh import Mesh
from .observed import Probe, Trust
from .platform import Platform, judge_platform
from .proxy_environment import ProxyEnvironment, visible_proxies
from .text import dial

WARN_DAYS = 30.0


@dataclass(frozen=True)
class Cluster:
    """The whole observation. `at`: the moment to judge at (aware UTC); `observed`: when the facts were read; `warn_days`: how long before its end a
    certificate is worth a warning."""

    facts: Mapping[str, Any]
    probes: tuple[Probe, ...]
    trusts: Mapping[str, Trust]
    texts: tuple[Text, ...]
    at: datetime
    observed: datetime
    warn_days: float = WARN_DAYS

    @classmethod
    def of(
        cls,
        facts: Mapping[str, Any],
        probes: Iterable[Mapping[str, Any]] = (),
        verdicts: Iterable[Mapping[str, Any]] = (),
        at: str | None = None,
        warn_days: float = WARN_DAYS,
    ) -> Cluster:
        """Joins what the modules returned (shapes: docs/architecture.md). at: ISO 8601, default the time of the observation."""
        observed = moment(facts["source"]["observed_at"])
        judged = moment(at) if at else observed
        results = sorted((Probe.of(result) for result in probes), key=lambda probe: (probe.name, probe.vantage, probe.instance or ""))
        trusts = {str(verdict["name"]): Trust.of(verdict, judged) for verdict in verdicts}
        return cls(facts, tuple(results), trusts, tuple(read_texts(facts["evidence"], observed)), judged, observed, warn_days)

    @property
    def routing(self) -> str:
        return str(self.facts["control_plane"]["routing"])

    @property
    def routing_line(self) -> str:
        words = {"endpoint": "the API server calls endpoints", "cluster_ip": "the API server calls ClusterIPs"}
        because = self.facts["control_plane"].get("routing_because")
        return f"{words.get(self.routing, 'it is not known whether the API server calls endpoints or ClusterIPs')}{f' ({because})' if because else ''}"

    @property
    def instances(self) -> Sequence[Mapping[str, Any]]:
        return self.facts["control_plane"]["instances"]

    @cached_property
    def backends(self) -> Mapping[str, Mapping[str, Any]]:
        return {backend["id"]: backend for backend in self.facts["backends"]}

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The call-outs, in the order of their ids."""
        probes: dict[str, list[Probe]] = defaultdict(list)
        for probe in self.probes:
            for callout in probe.callouts:
                probes[callout].append(probe)
        texts: dict[str, list[Text]] = defaultdict(list)
        named = Named(self.facts["callouts"])
        for text in self.texts:
            for callout in named.of(text.said):
                texts[callout].append(text)
        by_question = {digest: trust for trust in self.trusts.values() if not trust.source and (digest := question_of(trust.name))}
        cases = []
        for callout in sorted(self.facts["callouts"], key=lambda one: one["id"]):
            mine = probes[callout["id"]]
            by_chain: dict[tuple[str, ...], Trust] = {}
            for chain in sorted({probe.chain for probe in mine} | {()}):
                trust = by_question.get(question(callout["ca_bundle"], chain, callout["server_name"]))
                if trust:
                    by_chain[chain] = trust
            cases.append(
                Case(
                    callout=callout,
                    backend=self.backends[callout["backend"]],
                    probes=tuple(mine),
                    trusts=tuple(by_chain.values()),
                    trust_by_chain=by_chain,
                    texts=tuple(texts[callout["id"]]),
                    cluster=self,
                )
            )
        return tuple(cases)

    @cached_property
    def platform(self) -> Platform:
        return judge_platform(self.facts)

    @cached_property
    def namespaces(self) -> Namespaces:
        """The namespaces that were read, and which of them a selector selects."""
        return Namespaces(self.facts["namespaces"])

    @cached_property
    def cni(self) -> Cni:
        return judge_cni(self.facts, self.platform.name)

    @property
    def agents(self) -> Sequence[Mapping[str, Any]]:
        """The pods of the konnectivity tunnel that were seen."""
        return (self.facts.get("network") or {}).get("agents") or ()

    @cached_property
    def used_host_ports(self) -> frozenset[int]:
        return used_host_ports(self.facts)

    @cached_property
    def nodes(self) -> Mapping[str, Mapping[str, Any]]:
        """The nodes that were read, by name."""
        return {node["name"]: node for node in (self.facts.get("platform") or {}).get("nodes") or ()}

    @cached_property
    def ca_sources(self) -> Mapping[str, tuple[CaSource, ...]]:
        """Call-out -> where its caBundle is meant to come from."""
        found: dict[str, list[CaSource]] = defaultdict(list)
        for item in self.facts.get("ca_sources") or ():
            for callout in item["callouts"]:
                found[callout].append(CaSource.of(item, callout, self.trusts.values()))
        return {callout: tuple(sources) for callout, sources in found.items()}

    @cached_property
    def case_of(self) -> Mapping[str, Case]:
        return {case.id: case for case in self.cases}

    @cached_property
    def reaches_pods(self) -> bool:
        """Whether the host of the direct probes has shown that it reaches pods: a handshake with an endpoint of some Service."""
        endpoints = {
            dial(endpoint["address"], endpoint["port"])
            for backend in self.facts["backends"]
            if backend["kind"] == "service"
            for endpoint in backend.get("endpoints") or ()
            if endpoint["port"]
        }
        return any(probe.vantage == "direct" and probe.target in endpoints and (probe.ok or probe.depth >= 2) for probe in self.probes)

    @cached_property
    def node_names(self) -> frozenset[str]:
        """The names of nodes that were met anywhere in the facts."""
        of_backends = (
            one["node"] for backend in self.facts["backends"] for kind in ("endpoints", "pods") for one in backend.get(kind) or () if one.get("node")
        )
        return frozenset(of_backends) | {instance["node"] for instance in self.instances if instance.get("node")}

    # ---- applications: each joined once, however many rules ask

    @property
    def apps(self) -> Mapping[str, Any]:
        """What was observed of applications, by their names; {} in facts of before they were looked at."""
        return self.facts.get("apps") or {}

    @cached_property
    def cert_manager(self) -> CertManager:
        return CertManager.of(self)

    @cached_property
    def acme(self) -> Acme:
        return Acme(self)

    @cached_property
    def mesh(self) -> Mesh:
        return Mesh.of(self)

    # ---- API server instances

    @cached_property
    def bad_instances(self) -> Mapping[str, tuple[str, ...]]:
        """API server instances at which call-outs fail that another instance calls without trouble, each with those call-outs.

        An instance is only blamed where most of what works elsewhere fails; a back end with dead endpoints explains single failures better. Services and URLs
        are counted apart, because the way to them differs.
        """
        passed: dict[str, set[str]] = defaultdict(set)
        failed: dict[str, set[str]] = defaultdict(set)
        for probe in self.probes:
            if probe.vantage == "apiserver" and probe.instance and probe.says:
                (passed if probe.ok else failed)[probe.instance].update(probe.callouts)
        bad = {}
        for instance, fails in sorted(failed.items()):
            elsewhere = set().union(*(works for other, works in passed.items() if other != instance), set())
            only_here: set[str] = set()
            for in_cluster in (True, False):
                alike = {callout for callout in elsewhere if callout in self.case_of and self.case_of[callout].in_cluster is in_cluster}
                here = {callout for callout in fails & alike if not self._has_dead_endpoints(callout)}
                if len(here) > len(passed[instance] & alike):
                    only_here |= here
            if only_here:
                bad[instance] = tuple(sorted(only_here))
        return bad

    def _has_dead_endpoints(self, callout: str) -> bool:
        states = {endpoint.state for endpoint in self.case_of[callout].endpoints} if callout in self.case_of else set()
        return {ALIVE, DEAD} <= states

    @cached_property
    def _known_from_good_instances(self) -> frozenset[str]:
        good = (probe for probe in self.probes if probe.vantage == "apiserver" and probe.says and probe.instance and probe.instance not in self.bad_instances)
        return frozenset(callout for probe in good for callout in probe.callouts)

    def discounted(self, probe: Probe) -> bool:
        """Whether this answer says more about one API server instance than about the call-out: a bad one's, or that of the common address, behind which the
        bad one may have answered, where a good instance was asked by itself."""
        if not self.bad_instances or probe.vantage != "apiserver" or (probe.instance and probe.instance not in self.bad_instances):
            return False
        return any(callout in self._known_from_good_instances for callout in probe.callouts)

    @cached_property
    def loopbacks(self) -> tuple[Loopback, ...]:
        """The certificate by which each instance talks to itself, or why it cannot be seen from here."""
        return read_loopbacks(self.facts, self.probes, self.trusts.values())

    @cached_property
    def counters(self) -> Mapping[tuple[str, str], tuple[Counter, ...]]:
        """(kind, webhook) -> what each instance has counted of its calls since it started."""
        return read_counters(self.facts)

    # ---- proxies

    @cached_property
    def proxy_environments(self) -> tuple[ProxyEnvironment, ...]:
        """The proxy variables of the API server instances that have any, as far as they can be seen."""
        return visible_proxies(self.facts)

    @cached_property
    def is_without_proxy(self) -> bool:
        """Whether the environment of every API server instance was seen, and none has a proxy for HTTPS."""
        instances = self.facts["control_plane"]["instances"]
        return bool(instances) and all(instance["visible"] and instance["proxy"] is not None for instance in instances) and not self.proxy_environments

    @cached_property
    def intercepted(self) -> bool:
        """Whether the API server meets certificates of an intercepting proxy: it calls the authority unknown, of back ends whose certificates verify from
        everywhere else. One back end may serve several certificates; several back ends, or a proxy in plain sight, leave no other explanation."""
        suspects: set[str] = set()
        for case in self.cases:
            if not case.in_cluster or case.callout["kind"] == "apiservice":
                continue
            own = [probe for probe in case.of_vantage("apiserver") if not self.discounted(probe)]
            if any(probe.ok for probe in own):
                return False
            if any(probe.cause == "unknown_authority" for probe in own) and case.served and all(trust.trusted for trust in case.served):
                suspects.add(str(case.backend["id"]))
        return len(suspects) > 1 or (bool(suspects) and any(not environment.exempts_services for environment in self.proxy_environments))
