# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.rotation_report`: a plan and what became of it. Its documentation is rotation_report.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.rotation_report"


def rotation_report(
    plan: Mapping[str, Any],
    done: Sequence[Mapping[str, Any]] = (),
    run: str = "",
    failure: Mapping[str, Any] | None = None,
    check: bool = False,
    at: str | None = None,
    spared: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation, moment, plain
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.report import report

    try:
        return report(plain(plan), plain(done), run, moment(at) if at else datetime.now(timezone.utc), plain(failure) or None, check, plain(spared))
    except (InvalidObservation, KeyError, TypeError) as error:
        raise AnsibleFilterError(f"{_NAME}: {error!r}. Expected: a plan of rotation_plan, and results of rotation_proof.") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rotation_report": rotation_report}
