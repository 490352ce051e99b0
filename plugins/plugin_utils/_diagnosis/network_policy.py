# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the NetworkPolicies of a namespace let the API server reach a pod. Pure. PRIVATE to the collection.

Policies only add up: a pod that any policy selects for ingress admits what some rule of any of these admits, and nothing else. The API server is no pod, so
peers with a podSelector or namespaceSelector never match it; a rule without `from` does, and an ipBlock that holds its address. Where its calls come through
the agents of a tunnel (konnectivity), these are the peers, and they are pods.
Source: k8s.io/api networking/v1 types.go; the documentation of NetworkPolicy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import selector_matches

from .cni import contains
from .label_index import Namespaces

OPEN, ADMITTED, REFUSED, UNSURE = "open", "admitted", "refused", "unsure"
_EVERYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True)
class Source:
    """Where a connection comes from. addresses: empty where they are not known. pod: the agent that makes it, None for the API server itself.
    by_cidr: whether an ipBlock can match it at all (Cilium's do not match nodes)."""

    name: str
    addresses: tuple[str, ...] = ()
    pod: Mapping[str, Any] | None = None
    by_cidr: bool = True


@dataclass(frozen=True)
class Admission:
    """state: OPEN (no policy selects the pod), ADMITTED, REFUSED, or UNSURE (addresses that are not known decide). policies: those that select it."""

    state: str
    policies: tuple[str, ...] = ()
    because: tuple[str, ...] = ()


def admission(policies: Iterable[Mapping[str, Any]], pod: Mapping[str, Any], port: int, sources: Sequence[Source], known: Namespaces) -> Admission:
    """Whether TCP to this port of the pod is let through from all of these sources. Pods in the network of their node are outside of what policies govern."""
    isolating = [one for one in policies if one["ingress"] and one["namespace"] == pod["namespace"] and selector_matches(one["pod_selector"], pod["labels"])]
    if not isolating or pod["host_network"]:
        return Admission(OPEN)
    names = tuple(str(one["name"]) for one in isolating)
    states = [_state(isolating, pod, port, source, known) for source in sources]
    worst = next((state for state in (REFUSED, UNSURE) if state in states), ADMITTED)
    return Admission(worst, names, tuple(_lines(isolating, pod, port)))


def admitting(service: Mapping[str, Any], ports: Iterable[int]) -> dict[str, Any]:
    """The smallest policy that lets calls in to the pods that a Service selects: ports, and no `from`. service: as in the facts, with its selector."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{service['name']}-admits-apiserver", "namespace": service["namespace"]},
        "spec": {
            "podSelector": {"matchLabels": dict(service["selector"])},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"protocol": "TCP", "port": port} for port in ports]}],
        },
    }


def _state(policies: Iterable[Mapping[str, Any]], pod: Mapping[str, Any], port: int, source: Source, known: Namespaces) -> str:
    state = REFUSED
    for policy in policies:
        for rule in policy["rules"]:
            if not _port_matches(rule["ports"], pod, port):
                continue
            if rule["from"] is None:
                return ADMITTED
            answers = {_peer_matches(peer, policy["namespace"], source, known) for peer in rule["from"]}
            if True in answers:
                return ADMITTED
            if None in answers:
                state = UNSURE
    return state


def _port_matches(ports: Sequence[Mapping[str, Any]] | None, pod: Mapping[str, Any], port: int) -> bool:
    return ports is None or any(_one_port_matches(one, pod, port) for one in ports)


def _one_port_matches(one: Mapping[str, Any], pod: Mapping[str, Any], port: int) -> bool:
    if one["protocol"] != "TCP":
        return False
    wanted = one["port"]
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return any(item["name"] == wanted and item["port"] == port for container in pod["containers"] for item in container["ports"])
    return bool(wanted <= port <= (one["end_port"] or wanted))


def _peer_matches(peer: Mapping[str, Any], namespace: str, source: Source, known: Namespaces) -> bool | None:
    """None where it depends on what is not known."""
    if peer["cidr"]:
        return _block_matches(peer, source)
    if source.pod is None or source.pod["host_network"]:
        return False
    if peer["namespaces"] is None:
        return namespace == source.pod["namespace"] and selector_matches(peer["pods"], source.pod["labels"])
    labels = known.labels_of(source.pod["namespace"], peer["namespaces"])
    if labels is None:
        return None
    return selector_matches(peer["namespaces"], labels) and (peer["pods"] is None or selector_matches(peer["pods"], source.pod["labels"]))


def _block_matches(peer: Mapping[str, Any], source: Source) -> bool | None:
    if not source.by_cidr:
        return False
    if not source.addresses:
        return True if peer["cidr"] in _EVERYWHERE and not peer["except"] else None
    held = [contains(peer["cidr"], address) and not any(contains(cidr, address) for cidr in peer["except"]) for address in source.addresses]
    return True if all(held) else None if any(held) else False


def _lines(policies: Sequence[Mapping[str, Any]], pod: Mapping[str, Any], port: int) -> Iterator[str]:
    """What the policies let through, in words."""
    where = f"{pod['namespace']}/{pod['name']}"
    for policy in policies:
        name = f"NetworkPolicy {policy['namespace']}/{policy['name']} selects pod {where}"
        if not policy["rules"]:
            yield f"{name} and admits nothing"
            continue
        admitted = [_rule(rule) for rule in policy["rules"]]
        yield f"{name} and admits {'; '.join(admitted[:4])}" + (f" and {len(admitted) - 4} more" if len(admitted) > 4 else "")
    yield f"a call needs TCP {port} (the pod's port, not the Service's) from an address that is no pod's"


def _rule(rule: Mapping[str, Any]) -> str:
    ports = ", ".join(_port(one) for one in rule["ports"]) if rule["ports"] else "all ports"
    return f"{ports} from {', '.join(_peer(peer) for peer in rule['from']) if rule['from'] else 'everywhere'}"


def _port(one: Mapping[str, Any]) -> str:
    number = "all" if one["port"] is None else f"{one['port']}-{one['end_port']}" if one["end_port"] else str(one["port"])
    return f"{one['protocol']} {number}"


def _peer(peer: Mapping[str, Any]) -> str:
    if peer["cidr"]:
        return peer["cidr"] + (f" without {', '.join(peer['except'])}" if peer["except"] else "")
    return "pods of some namespaces" if peer["namespaces"] is not None else "some pods of its namespace"


def sources_line(sources: Sequence[Source]) -> str:
    """Who calls."""
    shown = [f"{one.name} ({', '.join(one.addresses)})" if one.addresses else one.name for one in sources]
    return f"calls come from {', '.join(shown[:4])}" + (f" and {len(shown) - 4} more" if len(shown) > 4 else "")
