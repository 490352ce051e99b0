# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters are given, checked once at the door. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from .._diagnosis.checked import InvalidObservation, checked_facts, moment
from .api import Api
from .instance import Instance, read_instances
from .options import Options
from .situation import Situation

_SEEN = ("hosts", "api", "diagnosis", "asked", "lock", "alerts")


def observed(results: Any) -> tuple[Instance, ...]:
    """The results of a loop of api_server_facts over hosts. Raises InvalidObservation."""
    if not isinstance(results, Sequence) or isinstance(results, str):
        raise InvalidObservation(f"the hosts are a {type(results).__name__}. Expected: the results of a loop of kubeops.webhook_doctor.api_server_facts.")
    for index, result in enumerate(results):
        if not isinstance(result, Mapping) or "item" not in result:
            raise InvalidObservation(f"hosts[{index}] has no item. Expected: a result of a loop over hosts, with its item.")
    return read_instances(results)


def situation_of(seen: Any, options: Mapping[str, Any], target: str | None = None, baseline: Sequence[str] | None = None) -> Situation:
    """seen: {hosts, api, diagnosis?, asked?: [from, to], lock?, alerts?, at?}. Raises InvalidObservation, InvalidOptions."""
    if not isinstance(seen, Mapping) or "hosts" not in seen or "api" not in seen:
        raise InvalidObservation(f"what was seen lacks hosts or api. Expected: a mapping with {', '.join(_SEEN)}.")
    now = moment(seen["at"]) if seen.get("at") else datetime.now(timezone.utc)
    asked = seen.get("asked")
    diagnosis = seen.get("diagnosis")
    if diagnosis:
        checked_facts(diagnosis.get("facts"))
    instances = observed(seen["hosts"])
    if target is not None and target not in {one.host for one in instances}:
        raise InvalidObservation(f"{target} is none of the hosts that were seen.")
    return Situation(
        instances=instances,
        api=Api.of(seen["api"]),
        now=now,
        asked=(moment(asked[0]), moment(asked[1])) if asked else (now, now),
        options=Options.of(options),
        target=target,
        diagnosis=diagnosis or None,
        baseline=None if baseline is None else frozenset(baseline),
        lock=seen.get("lock"),
        alerts=seen.get("alerts"),
    )
