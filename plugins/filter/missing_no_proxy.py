# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.missing_no_proxy`: what NO_PROXY does not cover. Its documentation is missing_no_proxy.yml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.missing_no_proxy"


def missing_no_proxy(environment: Any, needs: Any = None, facts: Any = None, **options: Any) -> list[dict[str, Any]]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.no_proxy_question import Question

    try:
        return Question.of(environment, needs, facts, options).missing()
    except (InvalidObservation, ValueError) as error:
        raise AnsibleFilterError(f"{_NAME}: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"missing_no_proxy": missing_no_proxy}
