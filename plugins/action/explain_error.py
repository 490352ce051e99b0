# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `kubeops.webhook_doctor.explain_error`. Its documentation is plugins/modules/explain_error.py."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.kubeops.webhook_doctor.plugins.filter.classify_error import classify_error
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.catalogue.index import CATALOGUE
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.display import show
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.explanation import explanation_lines
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.model import PAGES

_ARGUMENTS: dict[str, dict[str, Any]] = {"text": {"type": "str", "required": True}, "show": {"type": "bool", "default": True}}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Classify, print, return the classification."""
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(_ARGUMENTS)
        text = arguments["text"]
        judged = classify_error(text)
        if arguments["show"]:
            entry = CATALOGUE.get(judged["code"] or "")
            page = f"{PAGES}/docs/findings/{entry.code}.md" if entry else None
            show(self._display, explanation_lines(text, judged, self._display.columns, page, entry.title if entry else None))
        return {**result, "changed": False, "explanation": judged}
