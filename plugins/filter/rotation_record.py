# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.rotation_record`: what is left in the cluster of a rotation. Its documentation is rotation_record.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any


def rotation_record(done: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]], lease: str, run: str) -> dict[str, str]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.api import Api, annotations_of
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.record import ANNOTATION, record

    before = next((annotations_of(item).get(ANNOTATION) for item in Api.of(results).objects("Lease") if item["metadata"]["name"] == lease), None)
    return {ANNOTATION: record(before, done, run, datetime.now(timezone.utc))} if done else {}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rotation_record": rotation_record}
