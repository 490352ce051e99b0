# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long an API server may take to end, by its own flags. Pure. PRIVATE to the collection.

Source: k8s.io/apiserver pkg/server/genericapiserver.go (RunWithContext): it waits, then lets requests end for as long as --request-timeout, then watches.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.times import go_seconds

_REQUEST_TIMEOUT = 60.0  # the default
_RESERVE = 15.0  # for hooks, the audit log and the runtime
_DELAYS = ("shutdown-delay-duration", "shutdown-watch-termination-grace-period")


def grace(flags: Mapping[str, str]) -> int:
    """Seconds. Where no flags are known: of one that has none."""
    request = go_seconds(flags.get("request-timeout"))
    return round(sum(go_seconds(flags.get(name)) or 0.0 for name in _DELAYS) + (_REQUEST_TIMEOUT if request is None else request) + _RESERVE)
