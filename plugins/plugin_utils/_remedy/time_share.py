# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the mutating webhooks of one request share the time that the API server has for it. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping

from .._diagnosis.rules.timeouts import DEFAULT, LIMIT

WRITE_LIMIT = LIMIT


def share(limits: Mapping[str, int], least: Mapping[str, int]) -> dict[str, int] | None:
    """Seconds of each webhook, so that all together fit: nobody has more than the default of 10 s, nor than some lower limit that is the same for all.

    limits: what each has now, which is never raised. least: what each needs; who needs more than the others keeps that. None where even the least is too much.
    """
    for most in range(DEFAULT, 0, -1):
        fair = {name: min(limit, max(most, least[name])) for name, limit in limits.items()}
        if sum(fair.values()) <= WRITE_LIMIT:
            return fair
    return None
