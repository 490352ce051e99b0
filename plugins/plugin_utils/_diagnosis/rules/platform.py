# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD70x to WD74x: why the API server does not reach a back end on this platform, with this network. PRIVATE to the collection.

Which remedy is right is decided by the table of reachability_advice.py; here it becomes findings. What lies before all back ends alike (a firewall, a security
group, the tunnel) is one finding, what is to be changed at one back end is one for each.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..catalogue import platform as catalogue
from ..clouds import amazon, google, vpc_cni
from ..finding import Entry, Finding, Subject
from ..host_ports import free_port
from ..network_path import NetworkPath
from ..network_policy import admitting
from ..reachability_advice import (
    AGENTS,
    CLOUD_NODES,
    FIREWALL,
    FREE_PORT,
    HOST_NETWORK,
    KUBELET,
    NOT_ALLOWED,
    PLUGIN_POLICY,
    POLICY,
    SECURE_PORT,
    SECURITY_GROUP,
    Advice,
    advise,
)
from ..severity import of_failure, worst
from ..text import listing
from .tls import wrong_name

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster import Cluster

# remedy -> (its entry, the codes that only say what it explains)
_LOST = ("WD210", "WD211", "WD212", "WD230")
_ENTRIES: Mapping[str, tuple[Entry, tuple[str, ...]]] = {
    FIREWALL: (catalogue.WD701, _LOST),
    SECURITY_GROUP: (catalogue.WD702, _LOST),
    HOST_NETWORK: (catalogue.WD703, ("WD205", *_LOST)),
    CLOUD_NODES: (catalogue.WD704, _LOST),
    POLICY: (catalogue.WD710, (*_LOST, "WD201")),
    PLUGIN_POLICY: (catalogue.WD711, _LOST),
    AGENTS: (catalogue.WD713, _LOST),
    SECURE_PORT: (catalogue.WD720, ("WD311",)),
    FREE_PORT: (catalogue.WD721, ("WD311", "WD103", "WD104", "WD201")),
}
# What stands before all back ends alike.
_COMMON = frozenset((FIREWALL, SECURITY_GROUP, AGENTS))
# Tunnels without agents of their own in the cluster.
_WITHOUT_AGENTS = frozenset(("k3s", "rke2"))
_LONGEST_MANIFEST = 600  # of a value in a command, see text.clean
_HASH = re.compile(r"-[0-9a-z]{1,10}$")
_CHART = re.compile(r"cert-manager-(v[0-9A-Za-z.+-]+)")


def what_stands_in_the_way(cluster: Cluster) -> Iterator[Finding]:
    """One finding for each cause that the platform and its network explain."""
    found: dict[tuple[str, tuple[int, ...]], list[tuple[NetworkPath, Advice]]] = defaultdict(list)
    for case in cluster.cases:
        way = NetworkPath(case)
        path = way.path(KUBELET if _kubelet_answers(case) else None)
        advice = advise(path) if path else None
        if advice is None:
            continue
        if advice.remedy in _COMMON:
            # One rule of a firewall may list ports; a rule of a security group has one.
            found[(advice.remedy, way.ports if advice.remedy == SECURITY_GROUP else ())].append((way, advice))
        else:
            yield _at_the_back_end(way, advice)
    for (remedy, dummy), ways in found.items():
        yield _before_all(cluster, remedy, ways)


def _kubelet_answers(case: Case) -> bool:
    return any(finding.code == "WD311" for finding in wrong_name(case))


def _at_the_back_end(way: NetworkPath, advice: Advice) -> Finding:
    case, judged = way.case, way.case.judgement
    entry, explained = _ENTRIES[advice.remedy]
    cause = "connect_timeout" if advice.remedy == HOST_NETWORK and way.failure != NOT_ALLOWED else None
    because = [*judged.because[:1], *_because(way, advice)]
    values = {**_values(way), **_said(advice)}
    subject = Subject.of_backend(case.backend, case.callout)
    root = str(case.backend["id"])
    if advice.remedy == POLICY and way.admission:
        policy = way.admission.policies[0]
        subject = Subject(kind="NetworkPolicy", namespace=way.pods[0]["namespace"], name=policy)
        root = f"NetworkPolicy/{subject.namespace}/{policy}/{way.ports}"
    return entry.found(
        subject,
        because,
        affects=[case.id],
        cause=judged.cause if advice.remedy in (POLICY, CLOUD_NODES, FREE_PORT) else cause,
        phase=judged.phase,
        severity=of_failure(case.callout, entry.severity),
        root=root,
        values={**case.values, **values},
    ).explaining(*explained)


def _because(way: NetworkPath, advice: Advice) -> Iterator[str]:
    """What was seen that decides."""
    if advice.remedy == POLICY:
        yield from way.policy_lines()
    elif advice.remedy == PLUGIN_POLICY:
        named = [f"{one['kind']} {one['namespace'] + '/' if one['namespace'] else ''}{one['name']}" for one in way.plugin_policies]
        if named:
            yield f"not evaluated here: {listing(named, 4)}"
        yield from way.policy_lines()
    yield from way.lines()
    platform = way.cluster.platform
    if advice.remedy in (HOST_NETWORK, CLOUD_NODES, SECURITY_GROUP, SECURE_PORT):
        yield from list(platform.signals("eks", "eks_fargate", "eks_hybrid"))[:3]
    elif advice.remedy == FIREWALL:
        yield from list(platform.signals("gke", "gke_autopilot", "gke_private"))[:3]
        if "gke_private" not in platform:
            yield "the nodes have no external addresses"


def _before_all(cluster: Cluster, remedy: str, ways: Sequence[tuple[NetworkPath, Advice]]) -> Finding:
    entry, explained = _ENTRIES[remedy]
    cases = [way.case for way, dummy in ways]
    ports = sorted({port for way, dummy in ways for port in way.ports})
    first, advice = ways[0]
    said = advice
    if remedy == FIREWALL:
        ports = [port for port in ports if port not in (443, 10250)]
        whole = first.path()
        said = (whole and advise(replace(whole, ports=tuple(ports)))) or advice
    because = [f"{len(cases)} call-outs fail alike" if len(cases) > 1 else "", *(case.judgement.because[0] for case in cases[:2] if case.judgement.because)]
    because += _likely(remedy, ways)
    because += _because(first, advice)
    because += [line for way, dummy in ways[1:3] for line in list(way.lines())[:1]]
    named = first.plugin_policies
    if named and remedy in (FIREWALL, SECURITY_GROUP):
        because.append(f"there are policies of the network plugin, too, such as {named[0]['kind']} {named[0]['name']}, which are not evaluated here")
    return entry.found(
        Subject(kind="kube-apiserver", name=str(cluster.facts["source"]["cluster"])),
        because,
        affects=[case.id for case in cases],
        phase="connect",
        severity=worst(of_failure(case.callout, entry.severity) for case in cases),
        root=f"{remedy}/{','.join(map(str, ports))}" if remedy == SECURITY_GROUP else remedy,
        values={
            **cases[0].values,
            **_values(first),
            **(google(cluster.facts, first.nodes or cluster.nodes.values()) if remedy == FIREWALL else {}),
            "ports": ", ".join(map(str, ports)),
            "tcp_rules": ",".join(f"tcp:{port}" for port in ports),
            "rule_name": f"control-plane-to-webhooks-{'-'.join(map(str, ports[:4]))}",
            "open_port": ports[0] if ports else None,
            **_said(said),
        },
    ).explaining(*explained)


def _likely(remedy: str, ways: Sequence[tuple[NetworkPath, Advice]]) -> Iterable[str]:
    if remedy == FIREWALL:
        yield "the control plane may reach ports 443 and 10250 of private nodes and their pods, and no other unless a rule was added"
        yield "likely, as no firewall can be seen from inside"
    elif remedy == SECURITY_GROUP:
        yield "likely, as no security group can be seen from inside, and nothing that can be seen explains it"
    elif remedy == AGENTS:
        ready = [agent["name"] for agent in ways[0][0].cluster.agents if agent["ready"]]
        yield f"{len(ready)} konnectivity agents are ready, such as {ready[0]}: they make the calls"


# ---- values for steps


def _said(advice: Advice) -> dict[str, object]:
    """What is right, and what is wrong: {wrong_1} and so on."""
    return {"right": advice.right, **{f"wrong_{number}": why for number, why in enumerate(advice.wrong, 1)}}


def _values(way: NetworkPath) -> dict[str, object]:
    """What the steps of these entries name, as far as it is known."""
    case, cluster = way.case, way.cluster
    used = cluster.used_host_ports
    own = frozenset(way.ports) if way.host_network else frozenset()
    stays = tuple(port for port in way.ports if not way.host_network)
    pod = way.pods[0] if way.pods else None
    new_port = free_port(used - own, stays)
    values: dict[str, object] = {
        "ports": ", ".join(map(str, way.ports)),
        "new_port": new_port,
        "changed_port": new_port if way.ports != (new_port,) else None,
        "patched": _workload(pod),
        "policy_manifest": _manifest(way),
        "plugin_policies": ",".join(dict.fromkeys(f"{_plural(one['kind'])}.{one['group']}" for one in way.plugin_policies)) or None,
        **_helm(pod),
    }
    if cluster.platform.name == "eks":
        values.update(amazon(cluster.facts, [*way.nodes, *cluster.nodes.values()]))
        values.update(vpc_cni(cluster.facts))
    if case.values.get("pod_namespace") is None and pod:
        values["pod_namespace"] = pod["namespace"]
    return values


def _workload(pod: Mapping[str, Any] | None) -> str | None:
    """What makes the pod, as kubectl names it: a ReplicaSet of a Deployment has its name and a hash."""
    owner = (pod or {}).get("owner")
    if not owner or not owner["kind"] or not owner["name"]:
        return None
    if owner["kind"] == "ReplicaSet":
        return f"deployment/{_HASH.sub('', owner['name'])}" if _HASH.search(owner["name"]) else None
    return f"{owner['kind'].lower()}/{owner['name']}" if owner["kind"] in ("StatefulSet", "DaemonSet") else None


def _helm(pod: Mapping[str, Any] | None) -> dict[str, object]:
    """The release of a cert-manager webhook that Helm made: its chart has values for both port and network."""
    labels = (pod or {}).get("labels") or {}
    chart = _CHART.fullmatch(labels.get("helm.sh/chart", ""))
    if not chart or labels.get("app.kubernetes.io/name") != "webhook":
        return {}
    return {"helm_release": labels.get("app.kubernetes.io/instance"), "helm_chart": "cert-manager", "helm_version": chart[1]}


def _manifest(way: NetworkPath) -> str | None:
    """The smallest policy that lets calls in, as one line of JSON: ports, and no `from`."""
    service = way.case.service or {}
    if not service.get("selector") or not way.ports:
        return None
    text = json.dumps(admitting(service, way.ports), separators=(",", ":"))
    return text if len(text) <= _LONGEST_MANIFEST else None


def _plural(kind: str) -> str:
    return f"{kind.lower()[:-1]}ies"


# ---- the tunnel


def no_agent_is_ready(cluster: Cluster) -> Iterator[Finding]:
    """WD712, where the tunnel fails and its agents can be seen."""
    hit = [case for case in cluster.cases if case.judgement.fails and case.judgement.cause == "egress_proxy"]
    network = cluster.facts.get("network")
    if not hit or network is None or cluster.platform.name in _WITHOUT_AGENTS or any(agent["ready"] for agent in cluster.agents):
        return
    because = list(dict.fromkeys(line for case in hit for line in case.judgement.because[:1]))[:2]
    if cluster.agents:
        because += [f"konnectivity agent {one['name']}{' on ' + one['node'] if one['node'] else ''} is not ready" for one in cluster.agents[:3]]
        because += _down(cluster)
    else:
        if not _looked_for_agents(cluster) or not any("No agent available" in line for line in because):
            return
        because.append("no pod in kube-system has the label k8s-app=konnectivity-agent")
    yield catalogue.WD712.found(
        Subject(kind="kube-apiserver", name=str(cluster.facts["source"]["cluster"])),
        because,
        affects=[case.id for case in hit],
        phase="connect",
        severity=worst(of_failure(case.callout, catalogue.WD712.severity) for case in hit),
        root="egress",
    ).explaining("WD221")


def _looked_for_agents(cluster: Cluster) -> bool:
    """Whether there would be agents in the facts if there were any: see the observer."""
    gaps = any(gap["what"] in ("konnectivity agents", "apiserver pods") for gap in cluster.facts["coverage"])
    seen = [instance for instance in cluster.instances if instance["visible"]]
    tunnelled = not seen or any("egress-selector-config-file" in (instance["flags"] or {}) for instance in seen)
    return cluster.facts["source"]["kind"] == "api" and not gaps and tunnelled


def _down(cluster: Cluster) -> list[str]:
    names = {agent["node"] for agent in cluster.agents}
    down = [str(node["name"]) for node in cluster.nodes.values() if node["name"] in names and not node["ready"]]
    return [f"their nodes are not ready: {listing(down, 4)}"] if down else []


CASE_RULES = ()
CLUSTER_RULES = (what_stands_in_the_way, no_agent_is_ready)
