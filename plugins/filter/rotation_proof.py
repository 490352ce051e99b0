# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.rotation_proof`: whether a new API server serves. Its documentation is rotation_proof.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.rotation_proof"


def rotation_proof(
    after: Mapping[str, Any], before: Mapping[str, Any], began: str | None = None, restarted: bool = True, at: str | None = None
) -> dict[str, Any]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation, moment, plain
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.asked import observed
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.proof import prove
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.times import iso

    try:
        old, new = observed(plain([before, after]))
        now = moment(at) if at else datetime.now(timezone.utc)
        seconds = (now - moment(began)).total_seconds() if began else None
    except InvalidObservation as error:
        raise AnsibleFilterError(f"{_NAME}: {error}") from error
    return {**prove(old, new, now, restarted).shown(), "seconds": seconds, "at": iso(now)}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rotation_proof": rotation_proof}
