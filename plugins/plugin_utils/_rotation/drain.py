# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long API servers may take to end, as the module api_server_restart gives them time: by their own flags. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.grace import grace

from .instance import Instance


def drain(instances: Iterable[Instance]) -> int:
    """Seconds that the slowest of them may take; where no flags are known, those of one that has none."""
    return max((grace(one.part("process").get("arguments") or {}) for one in instances), default=grace({}))
