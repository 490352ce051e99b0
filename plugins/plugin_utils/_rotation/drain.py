# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long API servers may take to end, as the module api_server_restart gives them time: by their own flags. Pure. PRIVATE to the collection.

Source: k8s.io/apiserver pkg/server/genericapiserver.go (RunWithContext).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.times import go_seconds

from .instance import Instance

_REQUEST_TIMEOUT = 60.0  # the default of --request-timeout
_RESERVE = 15.0  # for hooks, the audit log and the runtime
_DELAYS = ("shutdown-delay-duration", "shutdown-watch-termination-grace-period")


def drain(instances: Iterable[Instance]) -> int:
    """Seconds that the slowest of them may take; where no flags are known, those of one that has none."""
    return max((_seconds(one.part("process").get("arguments") or {}) for one in instances), default=_seconds({}))


def _seconds(flags: Mapping[str, str]) -> int:
    request = go_seconds(flags.get("request-timeout"))
    return round(sum(go_seconds(flags.get(name)) or 0.0 for name in _DELAYS) + (_REQUEST_TIMEOUT if request is None else request) + _RESERVE)
