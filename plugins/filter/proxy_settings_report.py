# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.proxy_settings_report`: who on a machine is told of which proxy, and what NO_PROXY lacks there.

Its documentation is proxy_settings_report.yml.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.proxy_settings_report"


def proxy_settings_report(settings: Any, needs: Any = None, facts: Any = None, **options: Any) -> dict[str, Any]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.host_proxy_question import reported

    try:
        return reported(settings, needs, facts, options)
    except (InvalidObservation, ValueError) as error:
        raise AnsibleFilterError(f"{_NAME}: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"proxy_settings_report": proxy_settings_report}
