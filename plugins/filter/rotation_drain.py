# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.rotation_drain`: how long API servers may take to end. Its documentation is rotation_drain.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError


def rotation_drain(results: Sequence[Mapping[str, Any]]) -> int:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation, plain
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.asked import observed
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.drain import drain

    try:
        return drain(observed(plain(results)))
    except InvalidObservation as error:
        raise AnsibleFilterError(f"kubeops.webhook_doctor.rotation_drain: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rotation_drain": rotation_drain}
