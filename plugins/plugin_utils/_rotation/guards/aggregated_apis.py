# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guard `aggregated_apis`: no aggregated API has become unavailable since the beginning. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from ..._diagnosis.text import listing
from ..api import Api
from ..situation import Situation
from .guard import Guard

NAME = "aggregated_apis"


def unavailable(api: Api) -> frozenset[str]:
    """The names of the APIServices whose condition Available is False."""
    found = set()
    for item in api.objects("APIService"):
        for condition in (item.get("status") or {}).get("conditions") or ():
            if condition.get("type") == "Available" and condition.get("status") == "False":
                found.add(str(item["metadata"]["name"]))
    return frozenset(found)


def aggregated_apis(situation: Situation) -> Iterator[Guard]:
    error = situation.api.error("APIService")
    if error:
        yield Guard(NAME, None, f"APIServices could not be read: {error}")
        return
    now = unavailable(situation.api)
    if situation.baseline is None:
        if now:
            yield Guard(NAME, False, f"unavailable already: {listing(sorted(now))}; that is the baseline, no other may become so", warning=True)
        else:
            yield Guard(NAME, True, "all are available; that is the baseline")
        return
    lost = sorted(now - situation.baseline)
    if lost:
        yield Guard(NAME, False, f"unavailable since the beginning of this run: {listing(lost)}; kubectl get apiservice shows why")
    else:
        yield Guard(NAME, True, "as at the beginning")
