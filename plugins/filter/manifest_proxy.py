# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.manifest_proxy`: a static pod's manifest with other proxy variables. Its documentation is manifest_proxy.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.manifest_proxy"


def manifest_proxy(content: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import plain
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._no_proxy.host.manifest_text import NotEdited, edited

    if not isinstance(content, str) or not isinstance(variables, Mapping):
        raise AnsibleFilterError(f"{_NAME}: expected the text of a manifest, and variables as a mapping of names to values, or to null to take them out.")
    try:
        found = edited(str(content), plain(variables))
    except NotEdited as error:
        raise AnsibleFilterError(f"{_NAME}: {error}") from error
    return {"content": found.content, "changes": list(found.changes)}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"manifest_proxy": manifest_proxy}
