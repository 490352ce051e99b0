# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.classify_error`: an error text to its cause. Its documentation is classify_error.yml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def classify_error(text: str) -> dict[str, Any]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._classify import classify
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.advice import advise

    if not isinstance(text, str):
        raise AnsibleFilterError(
            f"kubeops.webhook_doctor.classify_error: got a {type(text).__name__}. Expected: the error text as a string; for a list of texts, "
            "map('kubeops.webhook_doctor.classify_error')."
        )
    judged = classify(text)
    others = judged.pop("others")
    return {**judged, "advice": advise(judged), "others": [{**other, "advice": advise(other)} for other in others]}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"classify_error": classify_error}
