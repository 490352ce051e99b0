# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.rotation_record`: what is left in the cluster of a rotation. Its documentation is rotation_record.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.rotation_record"


def rotation_record(
    done: Sequence[Mapping[str, Any]],
    results: Sequence[Mapping[str, Any]],
    lease: str,
    run: str,
    looks: Sequence[Mapping[str, Any]] = (),
    begins: str = "",
    at: str | None = None,
) -> dict[str, str]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation, moment, plain
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.api import Api, annotations_of
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.asked import observed
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.record import ANNOTATION, record

    api = Api.of(results)
    if api.error("Lease"):
        return {}  # what is there is not known, and nothing of it is to be lost
    before = next((annotations_of(item).get(ANNOTATION) for item in api.objects("Lease") if item["metadata"]["name"] == lease), None)
    try:
        seen = observed(plain(looks))
        now = moment(at) if at else datetime.now(timezone.utc)
    except InvalidObservation as error:
        raise AnsibleFilterError(f"{_NAME}: {error}") from error
    after = record(before, done, run, now, seen, next((one for one in seen if one.host == begins), None))
    return {} if after == (before or "{}") else {ANNOTATION: after}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rotation_record": rotation_record}
