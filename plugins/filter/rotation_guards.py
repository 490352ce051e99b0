# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.rotation_guards`: whether the next API server may be worked on. Its documentation is rotation_guards.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.rotation_guards"


def rotation_guards(
    seen: Mapping[str, Any], target: str | None = None, baseline: Sequence[str] | None = None, options: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation, plain
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.asked import situation_of
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.options import InvalidOptions
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.plan import again

    try:
        return again(situation_of(plain(seen), plain(options or {}), target or None, None if baseline is None else list(baseline)))
    except (InvalidObservation, InvalidOptions) as error:
        raise AnsibleFilterError(f"{_NAME}: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rotation_guards": rotation_guards}
