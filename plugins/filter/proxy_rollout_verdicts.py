# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.proxy_rollout_verdicts`: which servers are due for their plans.

Its documentation is proxy_rollout_verdicts.yml.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def proxy_rollout_verdicts(plans: Mapping[str, Any]) -> list[dict[str, Any]]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._no_proxy.host.verdicts import verdicts

    if not isinstance(plans, Mapping):
        raise AnsibleFilterError(
            "kubeops.webhook_doctor.proxy_rollout_verdicts: expected a mapping of hosts to what proxy_units_plan or proxy_manifests_plan returned."
        )
    return verdicts(plans)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"proxy_rollout_verdicts": proxy_rollout_verdicts}
