# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.trust_plan`: facts and probes to questions of trust. Its documentation is trust_plan.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError


def trust_plan(facts: Mapping[str, Any], probes: Sequence[Mapping[str, Any]] = (), at: str | None = None) -> list[dict[str, Any]]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.trust_plan import plan_trust
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation, checked_facts, checked_list

    try:
        return plan_trust(checked_facts(facts), checked_list(probes, "probes", "endpoint_check"), at)
    except InvalidObservation as error:
        raise AnsibleFilterError(f"kubeops.webhook_doctor.trust_plan: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"trust_plan": trust_plan}
