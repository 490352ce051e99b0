# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.holder_died`: whether the holder of a lock is gone. Its documentation is holder_died.yml."""

from __future__ import annotations

from collections.abc import Callable


def holder_died(holder: str | None) -> bool:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.identity import died_here

    return died_here(str(holder or ""))


class FilterModule:
    def filters(self) -> dict[str, Callable[..., bool]]:
        return {"holder_died": holder_died}
