# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.rotation_unavailable`: which aggregated APIs are unavailable. Its documentation is rotation_unavailable.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def rotation_unavailable(results: Sequence[Mapping[str, Any]]) -> list[str]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.api import Api
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.guards.aggregated_apis import unavailable

    return sorted(unavailable(Api.of(results)))


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rotation_unavailable": rotation_unavailable}
