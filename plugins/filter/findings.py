# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.findings`: what was observed to what it means. Its documentation is findings.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError


def findings(
    facts: Mapping[str, Any],
    probes: Sequence[Mapping[str, Any]] = (),
    verdicts: Sequence[Mapping[str, Any]] = (),
    at: str | None = None,
    suppress: Sequence[Mapping[str, Any]] = (),
    select: str | None = None,
    suppressed: bool = False,
    warn_days: float | None = None,
) -> list[dict[str, Any]]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import (
        InvalidObservation,
        checked_facts,
        checked_list,
        moment,
        plain,
    )
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import WARN_DAYS
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.suppression import select_by, split

    try:
        known = plain(checked_facts(facts))
        called = plain(checked_list(probes, "probes", "endpoint_check"))
        verified = plain(checked_list(verdicts, "verdicts", "cabundle_verify"))
        days = WARN_DAYS if warn_days is None else float(warn_days)
        found = diagnose(known, called, verified, at, days)
        shown, hidden = split(found, suppress or (), moment(at or known["source"]["observed_at"]))
        chosen = hidden if suppressed else shown
        return select_by(chosen, select) if select else chosen
    except InvalidObservation as error:
        raise AnsibleFilterError(f"kubeops.webhook_doctor.findings: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"findings": findings}
