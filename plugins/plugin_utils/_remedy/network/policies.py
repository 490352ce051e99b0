# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkPolicies that name the port of pods. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import selector_matches

from ..edit import Edit, pointer
from ..reference import Selection
from .refused import Refused

VERSION, KIND = "networking.k8s.io/v1", "NetworkPolicy"


def policies_of(namespace: str) -> Selection:
    return Selection(VERSION, KIND, namespace)


def in_step(policies: Iterable[Mapping[str, Any]], labels: Mapping[str, str], old: int, new: int) -> Iterator[Edit]:
    """An edit for each policy that selects pods with these labels and admits them TCP `old` by its number, so that it admits `new` as well.

    `old` stays admitted: while pods are replaced both are in use, and nothing listens there afterwards.
    """
    for policy in policies:
        spec = policy["spec"]
        if not selector_matches(_selector(spec.get("podSelector")), labels):
            continue
        edit = Edit(policy)
        for position, rule in enumerate(spec.get("ingress") or ()):
            ports = rule.get("ports") or ()
            if any(_admits(port, old) for port in ports) and not any(_admits(port, new, True) for port in ports):
                edit.anchor(pointer("spec", "podSelector"))
                edit.set(pointer("spec", "ingress", position, "ports", "-"), {"protocol": "TCP", "port": new})
        if edit:
            yield edit


def admit_also(policy: Mapping[str, Any], wanted: Mapping[str, Any]) -> Edit:
    """An edit of the policy with the name of `wanted`, so that it admits these ports besides what it admits. Raises Refused where it is about other pods."""
    edit = Edit(policy)
    if policy["spec"].get("podSelector") != wanted["spec"]["podSelector"]:
        where = f"{policy['metadata']['namespace']} {policy['metadata']['name']}"
        raise Refused("the policy exists, and selects other pods than the Service", f"kubectl -n {where.replace(' ', ' get networkpolicy ')} -o yaml")
    rules = policy["spec"].get("ingress") or ()
    position = next((number for number, rule in enumerate(rules) if rule.get("ports") and not rule.get("from")), None)
    missing = [
        port
        for port in wanted["spec"]["ingress"][0]["ports"]
        if not any(_admits(one, port["port"], True) for rule in rules if not rule.get("from") for one in rule.get("ports") or ())
    ]
    if not missing or any(not rule.get("ports") and not rule.get("from") for rule in rules):
        return edit
    if position is None:
        edit.append("/spec/ingress", {"ports": missing})
    else:
        for port in missing:
            edit.set(pointer("spec", "ingress", position, "ports", "-"), port)
    return edit


def _admits(port: Mapping[str, Any], number: int, unnamed: bool = False) -> bool:
    """unnamed: whether an entry for all ports counts."""
    said = port.get("port")
    if port.get("protocol", "TCP") != "TCP" or isinstance(said, str):
        return False
    return unnamed if said is None else bool(said <= number <= (port.get("endPort") or said))


def _selector(selector: Mapping[str, Any] | None) -> dict[str, Any]:
    """In the shape of the facts."""
    given = selector or {}
    return {
        "match_labels": given.get("matchLabels") or {},
        "match_expressions": [
            {"key": one["key"], "operator": one["operator"], "values": one.get("values") or []} for one in given.get("matchExpressions") or ()
        ],
    }
