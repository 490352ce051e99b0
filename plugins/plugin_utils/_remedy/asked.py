# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters of planning are given, checked once at the door. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._diagnosis.checked import InvalidObservation, checked_facts, checked_list, plain
from .._diagnosis.cluster import Cluster
from .planner import Wanted
from .request import Answer


def checked_findings(findings: Any) -> list[dict[str, Any]]:
    """Raises InvalidObservation."""
    if not isinstance(findings, Sequence) or isinstance(findings, str):
        raise InvalidObservation(f"the findings are a {type(findings).__name__}. Expected: the list that kubeops.webhook_doctor.findings returns.")
    for index, finding in enumerate(findings):
        if not isinstance(finding, Mapping) or not {"code", "affects", "remedy", "fingerprint"} <= set(finding):
            raise InvalidObservation(f"findings[{index}] is no finding. Expected: an item of what kubeops.webhook_doctor.findings returns.")
    return plain(list(findings))


def joined(facts: Any, probes: Any, verdicts: Any) -> Cluster:
    """Raises InvalidObservation."""
    return Cluster.of(
        plain(checked_facts(facts)),
        plain(checked_list(probes, "probes", "endpoint_check")),
        plain(checked_list(verdicts, "verdicts", "cabundle_verify")),
    )


def answers_of(wanted: Iterable[Wanted], results: Any) -> dict[Wanted, Answer]:
    """What read_objects returned, by what was asked. Raises InvalidObservation where it answers something else."""
    if not isinstance(results, Sequence) or isinstance(results, str):
        raise InvalidObservation(f"objects is a {type(results).__name__}. Expected: the list `results` of kubeops.webhook_doctor.read_objects.")
    given = {_key(result): result for result in plain(list(results)) if isinstance(result, Mapping) and "kind" in result}
    answers: dict[Wanted, Answer] = {}
    for one in wanted:
        result = given.get(_key(one.shown()))
        if result is None:
            raise InvalidObservation(
                f"objects lack {one.kind} {one.shown().get('name') or one.shown().get('label_selector') or ''}. "
                "Expected: the `results` of kubeops.webhook_doctor.read_objects for what remediation_reads returned for the same findings and options."
            )
        if not isinstance(result.get("objects"), list):
            raise InvalidObservation(f"objects have no list `objects` for {one.kind}. Expected: the `results` of kubeops.webhook_doctor.read_objects.")
        answers[one] = Answer(tuple(result["objects"]), result.get("error"))
    return answers


def _key(shown: Mapping[str, Any]) -> tuple[str, ...]:
    named = tuple(str(shown.get(name) or "") for name in ("api_version", "kind", "namespace", "name", "label_selector", "fields"))
    return (*named, *(shown.get("public_keys") or ()))
