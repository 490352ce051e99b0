# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `kubeops.webhook_doctor.apply_plan`. Its documentation is plugins/modules/apply_plan.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import AUTH_ARGUMENT_SPEC
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._vocabulary import VANTAGES
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.backups import Backups
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.diff import diffs
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.executing import Executor, connection_of, insist_on_sender
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.identity import holder, new_run
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.journal import Journal
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.lines import plan_lines, result_lines
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.modules_port import Looking, ModulesPort
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.port import Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.result import MADE, WELL, State
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.run import Locked, Run
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import plain
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.item import applicable
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.display import one_of_many, show

# Data is not put through Ansible's validation, which copies it several times.
_DATA = ("plan", "findings")
_SETTINGS: dict[str, dict[str, Any]] = {
    **AUTH_ARGUMENT_SPEC,
    "journal_dir": {"type": "path", "default": "webhook-doctor/journal"},
    "lock_namespace": {"type": "str", "default": "kube-system"},
    "vantages": {"type": "list", "elements": "str", "choices": list(VANTAGES), "default": []},
    "deadline": {"type": "float", "default": 120.0},
    "warn_days": {"type": "float", "default": 30.0},
    "read_ca_secrets": {"type": "bool", "default": False},
    "settle": {"type": "float", "default": 20.0},
    "show": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Show the plan, apply it (in check mode: ask the API server what it would say), tell what became of it."""
        result = super().run(tmp, task_vars)
        settings = self._settings()
        plan, findings = (plain(self._task.args.get(key) or []) for key in _DATA)
        check, cluster = bool(self._task.check_mode), one_of_many(task_vars)
        port = ModulesPort(
            Executor(self, task_vars),
            connection_of(self._task.args),
            self._display,
            Looking(settings["vantages"], settings["deadline"], settings["warn_days"], settings["read_ca_secrets"]),
            settings["lock_namespace"],
            not settings["show"],
            cluster,
        )
        if settings["show"]:
            show(self._display, plan_lines(plan, check), cluster)
        if applicable(plan):
            insist_on_sender(self)
        name = new_run()
        journal = Journal(None if check else Path(settings["journal_dir"]) / f"{name}.jsonl")
        run = Run(port, journal, Backups(settings["lock_namespace"]), name, holder(name), findings, check, settings["settle"])
        try:
            results = run.apply(plan)
        except Locked as error:
            raise AnsibleActionFail(str(error)) from None  # Ansible would append what it came from
        except Unreachable as error:
            raise AnsibleActionFail(f"{error} Run again, or take back what was changed: ansible-playbook kubeops.webhook_doctor.rollback") from None
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        made = any(one.state in MADE or one.state is State.WOULD for one in results)
        path = str(journal.path) if journal.path and results and journal.path.exists() else None
        if settings["show"]:
            show(self._display, result_lines(results, name, path if made else None, run.stopped), cluster)
        bad = [one for one in results if one.state not in WELL]
        answer = {
            **result,
            "changed": made or run.healed,
            "run": name if made and not check else None,
            "journal": path,
            "results": [one.shown() for one in results],
            "msg": _words(results, bad, check),
        }
        if self._task.diff and applicable(plan):
            answer["diff"] = diffs(plan)
        if bad:
            answer["failed"] = True
        return answer

    def _settings(self) -> dict[str, Any]:
        validated = ArgumentSpecValidator({**_SETTINGS, **{key: {"type": "raw"} for key in _DATA}}).validate(
            {key: value for key, value in self._task.args.items() if key not in _DATA}
        )
        if validated.error_messages:
            raise AnsibleActionFail(f"kubeops.webhook_doctor.apply_plan: {'; '.join(validated.error_messages)}.")
        return dict(validated.validated_parameters)


def _words(results: list[Any], bad: list[Any], check: bool) -> str:
    if not results:
        return "Nothing to change."
    good = len(results) - len(bad)
    if bad:
        return f"{len(bad)} of {len(results)} changes did not go well: " + "; ".join(
            f"{one.item['id']}: {one.state.value}{f' ({one.because[0]})' if one.because else ''}" for one in bad[:5]
        )
    return f"The API server would accept {good} of {len(results)} changes." if check else f"{good} of {len(results)} changes were made."
