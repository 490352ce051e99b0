# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One setting of a YAML file at its top level, such as /etc/crictl.yaml or the kubelet's. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re


def setting(text: str | None, name: str) -> str | None:
    """The scalar under `name`, None where it is not there or empty. Lists and mappings are none."""
    found = re.search(rf"^['\"]?{re.escape(name)}['\"]?:[ \t]+([^\s#].*?)[ \t]*(?:[ \t]#.*)?$", text or "", re.MULTILINE)
    value = found.group(1).strip("\"'") if found else ""
    return value or None
