# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from the API server to one back end: what was observed of it, as the table of reachability_advice.py wants it. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .cni import HOST, UNKNOWN, address_kind
from .endpoints import DEAD
from .host_ports import declared_ports
from .judgement import State
from .network_policy import OPEN, REFUSED, UNSURE, Admission, Source, admission, sources_line
from .platform import AUTO, FARGATE, HYBRID, PRIVATE, node_kinds
from .reachability_advice import DROPPED, NO_ROUTE, NOT_ALLOWED, OUT_OF_TIME, PORT_TAKEN, REJECTED, Path
from .text import dial, listing

if TYPE_CHECKING:
    from .case import Case
    from .cluster import Cluster

_KINDS = {FARGATE: "fargate", AUTO: "auto", HYBRID: "hybrid"}
# Levels of Pod Security that forbid hostNetwork. Source: k8s.io/pod-security-admission policy/check_hostNamespaces.go.
_WITHOUT_HOST_NETWORK = ("baseline", "restricted")
_POD_SECURITY = "pod-security.kubernetes.io/enforce"


@dataclass(frozen=True)
class NetworkPath:
    """case: the call-out. path: what decides. Further: what evidence and commands need."""

    case: Case

    @cached_property
    def cluster(self) -> Cluster:
        return self.case.cluster

    @cached_property
    def endpoints(self) -> Sequence[Mapping[str, Any]]:
        """Those that calls go to; of a Service some of whose endpoints fail, these; without ready ones all that have the port."""
        if self.case.judgement.state is State.PARTIAL:
            dead = {view.where for view in self.case.endpoints if view.state == DEAD}
            return [one for one in self.case.usable if dial(one["address"], one["port"]) in dead]
        return self.case.usable or [one for one in self.case.backend.get("endpoints") or () if one["port"]]

    @cached_property
    def pods(self) -> Sequence[Mapping[str, Any]]:
        """The pods of the endpoints, else those that the Service selects."""
        pods = self.case.backend.get("pods") or ()
        names = {endpoint["pod"] for endpoint in self.endpoints}
        return [pod for pod in pods if f"{pod['namespace']}/{pod['name']}" in names] or pods

    @cached_property
    def ports(self) -> tuple[int, ...]:
        found = {int(endpoint["port"]) for endpoint in self.endpoints if endpoint["port"]}
        if not found:
            found = declared_ports(pod for pod in self.pods if pod["host_network"])
        return tuple(sorted(found))

    @cached_property
    def nodes(self) -> Sequence[Mapping[str, Any]]:
        """The nodes that the endpoints are on, as far as they were read."""
        names = dict.fromkeys(endpoint["node"] for endpoint in self.endpoints)
        return [self.cluster.nodes[name] for name in names if name in self.cluster.nodes]

    @cached_property
    def node_kind(self) -> str | None:
        """fargate, auto or hybrid, where every endpoint is on such a node."""
        known = {name for name in (endpoint["node"] for endpoint in self.endpoints) if name}
        found = [node_kinds(self.cluster.nodes.get(name) or {"name": name, "labels": {}, "provider_id": None}) for name in known]
        if self.pods and all("eks.amazonaws.com/fargate-profile" in pod["labels"] for pod in self.pods):
            return _KINDS[FARGATE]
        return next((word for kind, word in _KINDS.items() if found and all(kind in kinds for kinds in found)), None)

    @cached_property
    def address(self) -> str:
        """The kind of the endpoints' addresses, UNKNOWN where they are of several kinds."""
        if self.pods and all(pod["host_network"] for pod in self.pods):
            return HOST
        cluster = self.cluster
        found = {
            address_kind(endpoint["address"], cluster.nodes.get(endpoint["node"]), cluster.cni, cluster.facts, cluster.platform.name)
            for endpoint in self.endpoints
        }
        return found.pop() if len(found) == 1 else UNKNOWN

    @cached_property
    def host_network(self) -> bool:
        return bool(self.pods) and self.address == HOST

    # ---- policies

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Where calls come from: the agents of a tunnel, or the API server's instances."""
        agents = self.cluster.agents
        if self.tunnel:
            return tuple(
                Source(f"konnectivity agent {one['name']}", (one["ip"],) if one["ip"] else (), one, self._by_cidr(one["ip"])) for one in agents if one["ready"]
            )
        addresses = [str(instance["address"]) for instance in self.cluster.instances if instance.get("address")]
        return tuple(Source("the API server", (address,), None, self._by_cidr(address)) for address in addresses) or (Source("the API server"),)

    def _by_cidr(self, address: str | None) -> bool:
        """Cilium's rules with a CIDR do not match nodes of the cluster (and what has their addresses), unless policy-cidr-match-mode says so."""
        if "cilium" not in self.cluster.cni.plugins:
            return True
        config = ((self.cluster.facts.get("platform") or {}).get("config") or {}).get("cilium-config") or {}
        of_nodes = {ip for node in self.cluster.nodes.values() for ip in (*node["internal_ips"], *node["external_ips"])}
        return "nodes" in config.get("policy-cidr-match-mode", "") or address not in of_nodes

    @cached_property
    def tunnel(self) -> bool:
        """Whether agents of a tunnel are up. On GKE they are, and do not make these calls as far as its documentation goes."""
        return any(agent["ready"] for agent in self.cluster.agents) and self.cluster.platform.name != "gke"

    @cached_property
    def admission(self) -> Admission | None:
        """The answer of the NetworkPolicies, the worst of those about all pods and ports; None where none were read or there is no pod to ask about."""
        network = self.cluster.facts.get("network") or {}
        policies = network.get("policies")
        if policies is None or not self.pods or self.cluster.cni.enforces is False:
            return None
        answers = [admission(policies, pod, port, self.sources, self.cluster.namespaces) for pod in self.pods for port in self.ports]
        by_state = {answer.state: answer for answer in reversed(answers)}
        return next((by_state[state] for state in (REFUSED, UNSURE, "admitted", OPEN) if state in by_state), None)

    @cached_property
    def plugin_policies(self) -> Sequence[Mapping[str, Any]]:
        """Policies in the languages of network plugins that may be about the back end: those of its namespace, then those for the whole cluster."""
        namespace = self.case.wanted.get("namespace")
        found = (self.cluster.facts.get("network") or {}).get("plugin_policies") or ()
        return [one for one in found if one["namespace"] == namespace] + [one for one in found if one["namespace"] is None]

    # ---- the whole

    @cached_property
    def failure(self) -> str | None:
        """How calls fail, in the words of reachability_advice.py; None where they do not, or in another way."""
        judged = self.case.judgement
        if not self.case.in_cluster:
            return None
        if judged.state is State.PARTIAL:
            return {"connect_timeout": DROPPED, "no_route": NO_ROUTE, "address_not_allowed": NOT_ALLOWED}.get(str(judged.cause))
        if not judged.fails:
            return None
        if judged.cause == "no_ready_endpoints" and any(pod["host_network"] and not pod["ready"] for pod in self.pods):
            return PORT_TAKEN
        if judged.cause == "connection_refused":
            return REJECTED if self.cluster.cni.rejects and not any(probe.cause == judged.cause for probe in self.case.of_vantage("port_forward")) else None
        simple = {"connect_timeout": DROPPED, "no_route": NO_ROUTE, "address_not_allowed": NOT_ALLOWED}.get(str(judged.cause))
        if simple:
            return simple
        late = judged.cause == "deadline_exceeded" and judged.phase not in ("tls", "http", "review")
        # What the API server reaches through its service proxy is not out of its reach.
        return OUT_OF_TIME if late and not any(probe.ok for probe in self.case.of_vantage("service_proxy")) else None

    def path(self, failure: str | None = None) -> Path | None:
        """failure: as another rule has seen it (the kubelet's certificate)."""
        seen = failure or self.failure
        if seen is None or not (self.endpoints or seen == PORT_TAKEN):
            return None
        platform, plugin = self.cluster.platform, self.plugin_policies
        return Path(
            failure=seen,
            partial=self.case.judgement.state is State.PARTIAL,
            platform=platform.name,
            private_nodes=self._private_nodes,
            address=self.address,
            node=self.node_kind,
            ports=self.ports,
            host_network=self.host_network,
            policy=self.admission.state if self.admission else None,
            plugin_policy=None if not plugin else "namespace" if plugin[0]["namespace"] else "cluster",
            tunnel=self.tunnel,
            barred=self.barred,
        )

    @cached_property
    def _private_nodes(self) -> bool:
        """Whether the nodes of the endpoints have no external addresses; of the cluster, where these were not read."""
        nodes = self.nodes or tuple(self.cluster.nodes.values())
        return bool(nodes) and all(PRIVATE in node_kinds(node) or not node["external_ips"] for node in nodes)

    @cached_property
    def barred(self) -> str | None:
        """Why the pods cannot have hostNetwork."""
        if self.node_kind == _KINDS[FARGATE]:
            return "Fargate refuses pods that ask for it"
        if "gke_autopilot" in self.cluster.platform:
            return "Autopilot refuses it, unless the workload is on its allowlist"
        namespace = self.case.wanted.get("namespace")
        labels = self.cluster.namespaces.labels_of(str(namespace), None) or {}
        level = labels.get(_POD_SECURITY)
        return f"namespace {namespace} enforces the Pod Security level {level}, which forbids it" if level in _WITHOUT_HOST_NETWORK else None

    def lines(self) -> Iterator[str]:
        """What was seen of the way, for evidence."""
        where = [dial(one["address"], one["port"]) + (f" on {one['node']}" if one["node"] else "") for one in self.endpoints]
        words = {"native": "addresses of the network that the nodes are in", "overlay": "addresses of an overlay network", "host": "addresses of nodes"}
        if where:
            yield f"calls go to {listing(where, 4)}" + (f": {words[self.address]}" if self.address in words else "")
        if self.cluster.cni.label:
            yield f"the network plugin: {self.cluster.cni.label} ({'; '.join(self.cluster.cni.because)})"

    def policy_lines(self) -> Iterator[str]:
        if self.admission:
            yield from self.admission.because
            if self.admission.policies:
                yield sources_line(self.sources)
