# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `kubeops.webhook_doctor.write_report`. Its documentation is plugins/modules/write_report.py."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.baseline import BadBaseline, read_baseline
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.bundle import bundle_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.display import one_of_many, show
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.files import NotWritten, write_all
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.headline import headline
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.model import view_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.output import NAMES, contents_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.shapes import BUNDLE, FINDINGS, SUPPRESSED, Mismatch, check
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.terminal import Line, summary_lines
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.version import collection_version

# The data is not put through Ansible's validation, which copies it several times: it can be tens of megabytes. `shapes.check` looks at it instead.
_DATA = ("facts", "probes", "verdicts", "findings", "suppressed")
_SETTINGS: dict[str, dict[str, Any]] = {
    "dest": {"type": "path", "default": "webhook-doctor"},
    "show": {"type": "bool", "default": True},
    "started": {"type": "float"},
    "took_seconds": {"type": "float"},
    "example": {"type": "bool", "default": False},
    "observed_by": {"type": "str"},
    "baseline": {"type": "path"},
}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Render, write (not in check mode), print."""
        result = super().run(tmp, task_vars)
        settings, cluster = self._settings(), one_of_many(task_vars)
        data: dict[str, Any] = {key: self._task.args.get(key) or [] for key in _DATA}
        took = settings["took_seconds"]
        if took is None and settings["started"] is not None:
            took = round(time.time() - settings["started"], 2)
        bundle = bundle_of(
            settings["observed_by"] or collection_version(), data["facts"], data["probes"], data["verdicts"], took_seconds=took, example=settings["example"]
        )
        self._check(bundle, data)
        try:
            baseline = read_baseline(Path(settings["baseline"])) if settings["baseline"] else None
        except BadBaseline as error:
            raise AnsibleActionFail(str(error)) from None  # Ansible would append what it came from
        view = view_of(bundle, data["findings"], data["suppressed"], collection_version(), baseline)
        files = {kind: str(Path(settings["dest"]) / name) for kind, name in NAMES.items()}
        try:
            changed = not self._task.check_mode and write_all(Path(settings["dest"]), contents_of(view, bundle, data["findings"]))
        except NotWritten as error:
            self._show(settings, summary_lines(view, self._display.columns, {}), cluster)
            raise AnsibleActionFail(str(error)) from None  # Ansible would append what it came from
        lines = summary_lines(view, self._display.columns, {} if self._task.check_mode else files)
        if self._task.check_mode:
            lines += [Line("Check mode: no report was written."), Line("")]
        self._show(settings, lines, cluster)
        return {**result, "changed": changed, "files": files, "summary": view.summary, "msg": headline(view.summary)}

    def _settings(self) -> dict[str, Any]:
        validated = ArgumentSpecValidator({**_SETTINGS, **{key: {"type": "raw"} for key in _DATA}}).validate(
            {key: value for key, value in self._task.args.items() if key not in _DATA}
        )
        if validated.error_messages:
            raise AnsibleActionFail(f"kubeops.webhook_doctor.write_report: {'; '.join(validated.error_messages)}.")
        return dict(validated.validated_parameters)

    def _check(self, bundle: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        try:
            check(bundle, BUNDLE)
            check(data["findings"], FINDINGS, "findings")
            check(data["suppressed"], SUPPRESSED, "suppressed")
        except Mismatch as error:
            raise AnsibleActionFail(
                f"kubeops.webhook_doctor.write_report: {error}. Expected: facts of webhook_facts, results of endpoint_check and cabundle_verify, "
                "and what the findings filter returns."
            ) from None

    def _show(self, settings: Mapping[str, Any], lines: list[Line], cluster: str | None) -> None:
        if settings["show"]:
            show(self._display, lines, cluster)
