# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.rotation_verdicts`: whose loopback certificate is due. Its documentation is rotation_verdicts.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.rotation_verdicts"


def rotation_verdicts(
    results: Sequence[Mapping[str, Any]], days: float = 30, share: float = 0.1, cool_down_hours: float = 24, at: str | None = None
) -> list[dict[str, Any]]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation, moment, plain
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.asked import observed
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.options import InvalidOptions
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.verdict import judge, limits

    try:
        instances, wanted = observed(plain(results)), limits(days, share, cool_down_hours)
        now = moment(at) if at else datetime.now(timezone.utc)
    except (InvalidObservation, InvalidOptions) as error:
        raise AnsibleFilterError(f"{_NAME}: {error}") from error
    return [judge(instance, now, wanted).shown() for instance in instances]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rotation_verdicts": rotation_verdicts}
