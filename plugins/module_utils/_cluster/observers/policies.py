# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admission policies that Events and conditions name. Pure. PRIVATE to the collection.

Policies run inside the API server and cannot fail to be called, so they are only looked at where a text says that one denied something: by name, and on most
clusters not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Named, Wanted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import mapping, name_of, text, texts

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory

_GROUP = "admissionregistration.k8s.io"
_KINDS = {"ValidatingAdmissionPolicy": "validatingadmissionpolicies", "MutatingAdmissionPolicy": "mutatingadmissionpolicies"}
_BINDINGS = {f"{kind}Binding": f"{plural[: -len('ies')]}ybindings" for kind, plural in _KINDS.items()}
_NAME = r"['\"]([a-z0-9][-a-z0-9.]{0,252})['\"]"
_DENIAL = re.compile(rf"(?:(Validating|Mutating)AdmissionPolicy|policy) {_NAME}(?: with binding {_NAME})? denied request")
MOST = 10


class Policies(Observer):
    """`control_plane.policies` of the facts."""

    path = ("control_plane", "policies")
    kinds = frozenset((_GROUP, kind) for kind in (*_KINDS, *_BINDINGS))

    def __init__(self) -> None:
        self._policies: dict[tuple[str, str], str | None] = {}
        self._bindings: dict[tuple[str, str], tuple[str | None, list[str]]] = {}

    def then(self, inventory: Inventory) -> Iterable[Wanted]:
        api_version = f"{_GROUP}/v1"
        for kind, name, binding in _named(inventory):
            wanted = [(kind, _KINDS[kind], name), *([(f"{kind}Binding", _BINDINGS[f"{kind}Binding"], binding)] if binding else [])]
            for one, plural, called in wanted:
                yield Named(f"{one} {called}", f"/apis/{api_version}/{plural}/{called}", api_version, one)

    def take(self, obj: dict[str, Any]) -> None:
        spec = mapping(obj.get("spec"))
        if obj["kind"] in _KINDS:
            self._policies[obj["kind"], name_of(obj)] = text(spec.get("failurePolicy"))
        else:
            kind = obj["kind"][: -len("Binding")]
            self._bindings[kind, name_of(obj)] = (text(spec.get("policyName")), texts(spec.get("validationActions")))

    def facts(self, inventory: Inventory) -> list[dict[str, Any]]:
        """Those that are named and were found; a dump may hold many more."""
        named = sorted({(kind, name) for kind, name, _binding in _named(inventory) if (kind, name) in self._policies})
        return [
            {
                "kind": kind,
                "name": name,
                "failure_policy": self._policies[kind, name] or "Fail",
                "bindings": [
                    {"name": binding, "actions": actions}
                    for (of_kind, binding), (policy, actions) in sorted(self._bindings.items())
                    if of_kind == kind and policy == name
                ],
            }
            for kind, name in named
        ]


def _named(inventory: Inventory) -> list[tuple[str, str, str | None]]:
    """(kind, policy, binding) that the texts name, at most MOST of them."""
    entries, _left_out = inventory.evidence.entries()
    found = {(f"{match[1] or 'Validating'}AdmissionPolicy", match[2], match[3]) for entry in entries for match in _DENIAL.finditer(entry["text"])}
    return sorted(found, key=str)[:MOST]
