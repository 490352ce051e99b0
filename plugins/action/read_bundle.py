# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `kubeops.webhook_doctor.read_bundle`. Its documentation is plugins/modules/read_bundle.py."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.bundle import BadBundle, bundle_file, read_bundle

_ARGUMENTS = {"src": {"type": "list", "elements": "path", "default": []}}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Look at what was given, on the controller, and read it if it is a bundle."""
        result = super().run(tmp, task_vars)
        started = time.time()
        _validation, arguments = self.validate_argument_spec(_ARGUMENTS)
        sources = [Path(source).absolute() for source in arguments["src"]]
        try:
            files = [file for file in (bundle_file(source) for source in sources) if file]
            if files and len(sources) > 1:
                raise BadBundle(
                    f"{files[0]} is a bundle, and {len(sources)} sources were given. A bundle stands alone: give one bundle, or files that kubectl wrote."
                )
            bundle = read_bundle(files[0]) if files else None
        except BadBundle as error:
            raise AnsibleActionFail(str(error)) from None  # Ansible would append what it came from
        return {
            **result,
            "changed": False,
            "started": started,
            "found": bundle is not None,
            "sources": [str(source) for source in sources],
            "path": str(files[0]) if files else None,
            "bundle": bundle,
        }
