# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.remediation_plan`: findings to an ordered plan. Its documentation is remediation_plan.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.remediation_plan"


def remediation_plan(
    findings: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
    probes: Sequence[Mapping[str, Any]] = (),
    verdicts: Sequence[Mapping[str, Any]] = (),
    objects: Sequence[Mapping[str, Any]] = (),
    remedies: Sequence[str] = (),
    options: Mapping[str, Mapping[str, Any]] | None = None,
    max_risk: str = "low",
    owned: str = "values",
    allow_fail_open: bool = False,
    select: str | None = None,
) -> list[dict[str, Any]]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.prepare import settled
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation, plain
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.suppression import select_by
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.asked import answers_of, checked_findings, joined
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.patching import MissingLibrary
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.plan import Settings, plan_of, reads_of
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.request import InvalidOption

    try:
        found = checked_findings(findings)
        chosen = select_by(found, select) if select else found
        cluster = joined(facts, probes, verdicts)
        settings = Settings.of(remedies, max_risk, owned, allow_fail_open)
        wanted = reads_of(chosen, cluster, plain(options or {}), settings)
        answers = {one: replace(answer, objects=tuple(settled(item) for item in answer.objects)) for one, answer in answers_of(wanted, objects).items()}
        return plan_of(chosen, cluster, answers, plain(options or {}), settings)
    except (InvalidObservation, InvalidOption, MissingLibrary) as error:
        raise AnsibleFilterError(f"{_NAME}: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"remediation_plan": remediation_plan}
