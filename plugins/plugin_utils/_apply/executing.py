# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules run from within an action plugin, some of them in check mode and all of them unlogged. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import AUTH_ARGUMENT_SPEC

from .modules_port import SENDER


class Executor:
    """Callable as modules_port.Execute."""

    def __init__(self, action: ActionBase, task_vars: dict[str, Any] | None) -> None:
        self._action, self._vars = action, task_vars

    def __call__(self, module: str, arguments: Mapping[str, Any], check: bool) -> Mapping[str, Any]:
        """Objects pass through the arguments as they are, with the environment of their containers: they must not get into the system's log."""
        task = self._action._task
        inner = task.copy()
        inner.no_log, inner.check_mode, inner.diff = True, check, False
        self._action._task = inner
        try:
            return self._action._execute_module(module_name=module, module_args=dict(arguments), task_vars=self._vars)
        finally:
            self._action._task = task


def insist_on_sender(action: ActionBase) -> None:
    """Raises AnsibleActionFail where the collection that sends changes is not installed, before anything is begun."""
    if not action._shared_loader_obj.module_loader.find_plugin(SENDER):
        raise AnsibleActionFail(
            "The collection kubernetes.core, which sends the changes, is not installed: ansible-galaxy collection install kubernetes.core "
            "(or pip install ansible, which brings it)."
        )


def connection_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The connection options that a task was given, as both this collection and kubernetes.core name them."""
    aliases = {alias: name for name, spec in AUTH_ARGUMENT_SPEC.items() for alias in spec.get("aliases", ())}
    given = {aliases.get(key, key): value for key, value in arguments.items() if aliases.get(key, key) in AUTH_ARGUMENT_SPEC}
    return {key: value for key, value in given.items() if value is not None}
