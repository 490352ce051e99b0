# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.run_identity`: by what name a run holds a lock. Its documentation is run_identity.yml."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import parent_process


def run_identity(run: str) -> dict[str, str]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.identity import holder, new_run

    name = run or new_run()
    # The worker that makes a task ends with it; what lives as long as the run is the process that has started it.
    parent = parent_process()
    return {"run": name, "holder": holder(name, parent.pid if parent else None)}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, str]]]:
        return {"run_identity": run_identity}
