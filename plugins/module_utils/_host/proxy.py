# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy that a process was told of. PRIVATE to the collection."""

from __future__ import annotations

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import environment
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._secrets import redacted

_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def proxy(host: Host, pid: int | None) -> dict[str, str | None]:
    """The variables as Go reads them, upper case first and empty ones not at all, without user and password."""
    variables = (environment(host, pid) if pid else None) or {}
    found = {name: variables.get(name) or variables.get(name.lower()) or None for name in _VARIABLES}
    return {name: value if value is None or name == "NO_PROXY" else redacted(value) for name, value in found.items()}
