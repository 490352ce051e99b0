# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.proxy_units_plan`: what is to be written for the units of a machine. Its documentation is proxy_units_plan.yml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.proxy_units_plan"


def proxy_units_plan(settings: Any, units: Any, needs: Any = None, facts: Any = None, **options: Any) -> list[dict[str, Any]]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.host_proxy_question import planned_units

    try:
        return planned_units(settings, units, needs, facts, options)
    except (InvalidObservation, ValueError) as error:
        raise AnsibleFilterError(f"{_NAME}: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"proxy_units_plan": proxy_units_plan}
