# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kube-controller-manager and kube-scheduler, as far as they are static pods: their proxy variables and the flags that name networks. Pure. PRIVATE to the
collection.

Their pods come with those of kube-apiserver (api_source._SURROUNDINGS), so nothing more is asked for. The kubelet's and the container runtime's environment
stands in units of the nodes, where the API shows nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.control_plane import component_facts, component_of
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory


class Components(Observer):
    """`control_plane.components` of the facts."""

    path = ("control_plane", "components")
    kinds = frozenset((("", "Pod"),))

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Any]] = {}

    def take(self, obj: dict[str, Any]) -> None:
        if component_of(obj):
            facts = component_facts(obj)
            self._found[facts["name"]] = facts

    def facts(self, inventory: Inventory) -> list[dict[str, Any]]:
        return [self._found[name] for name in sorted(self._found)]
