# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.merged_no_proxy`: a NO_PROXY that covers what is needed. Its documentation is merged_no_proxy.yml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.merged_no_proxy"


def merged_no_proxy(environment: Any, needs: Any = None, facts: Any = None, **options: Any) -> str:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.no_proxy_question import Question

    try:
        return Question.of(environment, needs, facts, options).merged()
    except (InvalidObservation, ValueError) as error:
        raise AnsibleFilterError(f"{_NAME}: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"merged_no_proxy": merged_no_proxy}
