# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user asks of Istio's injection: the options of mesh_injection, and the labels that they come to. Pure. PRIVATE to the collection.

Source: istio/istio manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml (istio-injection wins over istio.io/rev, so one of them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.istio_names import INJECT, REVISION

from .._diagnosis.mesh import INJECTION
from .._diagnosis.near_labels import near_miss
from .reference import Reference
from .request import InvalidOption, switch
from .rolling_restart import RESTARTABLE

_OF_A_WORKLOAD = {"namespace": None, "kind": "Deployment", "name": None, "inject": True, "revision": ""}


@dataclass(frozen=True)
class Workload:
    """Labels of pods that are asked for. inject: whether they get a sidecar. revision: a revision or tag, "" for the default one."""

    reference: Reference
    inject: bool
    revision: str

    def labels(self) -> dict[str, str | None]:
        """Label of the pods -> value, None for none."""
        if not self.inject:
            return {INJECT: "false"}
        return {INJECT: "true", REVISION: self.revision or None}


@dataclass(frozen=True)
class Asked:
    """namespaces: those that get the labels of `revision`. restart: whether workloads in them are started anew where their pods lack the sidecar."""

    namespaces: tuple[str, ...]
    revision: str
    workloads: tuple[Workload, ...]
    restart: bool

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Asked:
        """Raises InvalidOption."""
        names = options["namespaces"]
        if isinstance(names, str):  # as `-e mesh_injection_namespaces=shop,lab` gives it
            names = [name.strip() for name in names.split(",") if name.strip()]
        if not _is_list(names) or not all(isinstance(name, str) and name for name in names):
            raise InvalidOption(f"namespaces is {names!r}. Expected a list of names of namespaces.")
        if not _is_list(options["workloads"]):
            raise InvalidOption(f"workloads is {options['workloads']!r}. Expected a list of mappings with namespace and name.")
        workloads = tuple(_workload(number, item) for number, item in enumerate(options["workloads"]))
        return cls(tuple(dict.fromkeys(names)), str(options["revision"] or ""), workloads, switch(options, "restart"))

    @property
    def words(self) -> str:
        return f"{REVISION}={self.revision}" if self.revision else f"{INJECTION}=enabled"

    def labels(self, now: Mapping[str, str]) -> dict[str, str | None]:
        """Label of a namespace -> value, None for none: one of the two, and none that only looks like one of them."""
        near = near_miss({key: value for key, value in now.items() if key not in (INJECTION, REVISION)}, None)
        wanted: dict[str, str | None] = {near.key: None} if near else {}
        return {**wanted, INJECTION: None, REVISION: self.revision} if self.revision else {**wanted, REVISION: None, INJECTION: "enabled"}


def with_labels(now: Mapping[str, str], wanted: Mapping[str, str | None]) -> dict[str, str]:
    """The labels with these set, and those that are None taken away."""
    merged = {**now, **wanted}
    return {key: value for key, value in merged.items() if value is not None}


def _workload(number: int, item: Any) -> Workload:
    given = {**_OF_A_WORKLOAD, **item} if isinstance(item, Mapping) else {}
    if set(given) != set(_OF_A_WORKLOAD) or not given["namespace"] or not given["name"]:
        raise InvalidOption(f"workloads[{number}] is {item!r}. Expected a mapping with namespace and name, and if wanted kind, inject, revision.")
    if given["kind"] not in RESTARTABLE:
        raise InvalidOption(f"workloads[{number}].kind is {given['kind']!r}. Expected one of: {', '.join(RESTARTABLE)}.")
    if not isinstance(given["inject"], bool):
        raise InvalidOption(f"workloads[{number}].inject is {given['inject']!r}. Expected true or false.")
    reference = Reference("apps/v1", str(given["kind"]), str(given["name"]), str(given["namespace"]))
    return Workload(reference, given["inject"], str(given["revision"] or ""))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
