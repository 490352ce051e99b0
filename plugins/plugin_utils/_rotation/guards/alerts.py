# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guard `alerts`: Prometheus tells of no trouble. Whatever keeps it from telling counts as trouble. Pure. PRIVATE to the collection.

As kured does it (pkg/blockers/prometheus.go): the query is ALERTS{alertstate="firing"}, an error blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._diagnosis.text import clean, listing
from ..situation import Situation
from .guard import Guard

NAME = "alerts"


def alerts(situation: Situation) -> Iterator[Guard]:
    options = situation.options
    if not options.alerts:
        yield Guard(NAME, True, "Prometheus is not asked (control_plane_rollout_prometheus_url)")
        return
    firing = _firing(situation.alerts)
    if isinstance(firing, str):
        yield Guard(NAME, None, f"Prometheus did not tell which alerts fire: {firing}")
        return
    names = sorted({name for name in firing if not (options.ignore_alerts and options.ignore_alerts.search(name))})
    if names:
        yield Guard(NAME, False, f"firing: {listing(names)}; mend that first, or name it in control_plane_rollout_ignore_alerts")
    else:
        ignored = f", but for {listing(sorted(set(firing)))}, which is ignored" if firing else ""
        yield Guard(NAME, True, f"none fires{ignored}")


def _firing(answer: Mapping[str, Any] | None) -> Sequence[str] | str:
    """The names of the alerts, or why they are not known."""
    if answer is None:
        return "it was not asked"
    body = answer.get("json")
    if answer.get("failed") or answer.get("unreachable") or answer.get("status") != 200:
        return clean(answer.get("msg") or f"HTTP {answer.get('status')}", 300)
    if not isinstance(body, Mapping) or body.get("status") != "success":
        return clean((body or {}).get("error") if isinstance(body, Mapping) else "its answer is no JSON of the query API", 300)
    data = body.get("data")
    if not isinstance(data, Mapping) or data.get("resultType") != "vector" or not isinstance(data.get("result"), Sequence):
        return "its answer is no vector"
    return [str((item.get("metric") or {}).get("alertname") or "an alert without a name") for item in data["result"]]
