# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `kubeops.webhook_doctor.write_rotation_report`. Its documentation is plugins/modules/write_rotation_report.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import plain
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.bundle import as_json
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.display import one_of_many, show
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.files import NotWritten, write_all
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.terminal import NARROWEST, WIDEST, Line
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.lines import guard_lines, plan_lines, report_lines, text_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.metrics import metrics
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.report import state_of

_READABLE = 0o644  # whoever scrapes it is another user
_SETTINGS: dict[str, dict[str, Any]] = {
    "plan": {"type": "dict", "required": True},
    "guards": {"type": "list", "elements": "dict"},
    "report": {"type": "dict"},
    "dest": {"type": "path"},
    "name": {"type": "str", "default": "rotation"},
    "metrics_path": {"type": "path"},
    "cluster": {"type": "str"},
    "show": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Show the plan, or guards, or (with a report) the report; write the report and its metrics (the report not in check mode)."""
        result = super().run(tmp, task_vars)
        settings = self._settings()
        plan, report = plain(settings["plan"]), plain(settings["report"])
        width = max(NARROWEST, min(self._display.columns, WIDEST))
        if report is None:
            guards = plain(settings["guards"])
            lines = plan_lines(plan, width) if guards is None else [*guard_lines(guards, width), Line("")]
            self._show(settings, lines, task_vars)
            return {**result, "changed": False, "files": {}, "msg": plan["says"]}
        files: dict[str, str] = {}
        changed = False
        try:
            if settings["dest"] and not self._task.check_mode:
                directory, name = Path(settings["dest"]), settings["name"]
                files = {kind: str(directory / f"{name}.{kind}") for kind in ("json", "txt")}
                changed = write_all(directory, {f"{name}.json": as_json(report).encode(), f"{name}.txt": text_of(report, plan).encode()})
            if settings["metrics_path"] and not self._task.check_mode:
                path, content = Path(settings["metrics_path"]), metrics(report, settings["cluster"]).encode()
                files["metrics"] = str(path)
                changed = write_all(path.parent, {path.name: content}, _READABLE, "apiserver_loopback_metrics_path") or changed
        except NotWritten as error:
            self._show(settings, report_lines(report, width, {}), task_vars)
            raise AnsibleActionFail(str(error)) from None  # Ansible would append what it came from
        self._show(settings, report_lines(report, width, files), task_vars)
        return {**result, "changed": changed, "files": files, "msg": report["says"], "state": state_of(report["outcome"], plan)}

    def _settings(self) -> dict[str, Any]:
        validated = ArgumentSpecValidator(_SETTINGS).validate(dict(self._task.args))
        if validated.error_messages:
            raise AnsibleActionFail(f"kubeops.webhook_doctor.write_rotation_report: {'; '.join(validated.error_messages)}.")
        return dict(validated.validated_parameters)

    def _show(self, settings: dict[str, Any], lines: list[Line], task_vars: dict[str, Any] | None) -> None:
        if settings["show"]:
            show(self._display, lines, one_of_many(task_vars))
