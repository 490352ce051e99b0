# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.probe_plan`: facts to probe specifications. Its documentation is probe_plan.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError


def probe_plan(facts: Mapping[str, Any], vantages: Sequence[str] | None = None) -> list[dict[str, Any]]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.probe_plan import plan_probes
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation, checked_facts

    try:
        return plan_probes(checked_facts(facts), vantages)
    except (InvalidObservation, ValueError) as error:
        raise AnsibleFilterError(f"kubeops.webhook_doctor.probe_plan: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"probe_plan": probe_plan}
