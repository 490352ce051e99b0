# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `kubeops.webhook_doctor.rollback_changes`. Its documentation is plugins/modules/rollback_changes.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import AUTH_ARGUMENT_SPEC
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.changing import Changer
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.executing import Executor, connection_of, insist_on_sender
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.identity import holder, new_run
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.journal import Journal, NotRead, NotWritten, read_journal
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.lines import undone_lines
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.modules_port import Looking, ModulesPort
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.port import Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.rollback import DONE, REFUSED, Rollback, Undone
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.run import Locked, hold
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.patching import MissingLibrary
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.display import one_of_many, show
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.text import counted

_SETTINGS: dict[str, dict[str, Any]] = {
    **AUTH_ARGUMENT_SPEC,
    "run": {"type": "str"},
    "journal": {"type": "path"},
    "journal_dir": {"type": "path", "default": "webhook-doctor/journal"},
    "lock_namespace": {"type": "str", "default": "kube-system"},
    "show": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Find what was changed, take it back (in check mode: as dry runs), tell what was refused."""
        result = super().run(tmp, task_vars)
        settings = self._settings()
        check, cluster = bool(self._task.check_mode), one_of_many(task_vars)
        port = ModulesPort(
            Executor(self, task_vars), connection_of(self._task.args), self._display, Looking(), settings["lock_namespace"], not settings["show"], cluster
        )
        insist_on_sender(self)
        run = new_run()
        journal = Journal(None if check else Path(settings["journal_dir"]) / f"rollback-{run}.jsonl")
        try:
            steps = list(read_journal(Path(settings["journal"]))) if settings["journal"] else []
            undone = self._undo(port, Rollback(port, Changer(port, journal, run), settings["lock_namespace"], settings["run"], check), steps, run, check)
        except (Locked, Unreachable, NotRead, NotWritten, MissingLibrary) as error:
            raise AnsibleActionFail(str(error)) from None  # Ansible would append what it came from
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        if settings["show"]:
            show(self._display, undone_lines(undone, check), cluster)
        refused = [one for one in undone if one.state == REFUSED]
        answer = {
            **result,
            "changed": any(one.state == DONE for one in undone),
            "undone": [one.shown() for one in undone],
            "msg": _told(sum(one.state == DONE for one in undone), len(refused), check),
        }
        if refused:
            answer["failed"] = True
        return answer

    def _undo(self, port: ModulesPort, rollback: Rollback, steps: list[dict[str, Any]], run: str, check: bool) -> list[Undone]:
        if check:
            return rollback.take_back(steps)
        with hold(port, holder(run)):
            return rollback.take_back(steps)

    def _settings(self) -> dict[str, Any]:
        validated = ArgumentSpecValidator(_SETTINGS).validate(dict(self._task.args))
        if validated.error_messages:
            raise AnsibleActionFail(f"kubeops.webhook_doctor.rollback_changes: {'; '.join(validated.error_messages)}.")
        return dict(validated.validated_parameters)


def _told(done: int, refused: int, check: bool) -> str:
    verb = "would be" if check else "was" if done == 1 else "were"
    return f"{counted(done, 'change')} {verb} taken back{f', {refused} could not be' if refused else ''}."
