# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Did a change help? Decided from the findings before and after. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Effect(str, Enum):
    """MENDED: what it was made for is not found any more. NOT_MENDED: it still is. WORSE: call-outs fail that did not. UNPROVEN: nothing can tell."""

    MENDED = "mended"
    NOT_MENDED = "not mended"
    WORSE = "worse"
    UNPROVEN = "unproven"


@dataclass(frozen=True)
class Look:
    """effect, and why, line by line."""

    effect: Effect
    because: tuple[str, ...] = ()


def look(item: Mapping[str, Any], before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Look:
    """before, after: findings about the whole cluster, and about at least the call-outs of the item.

    Worse is a failure (an error, or a warning with a cause, where it fails open) of a call-out of the item that had none before.
    """
    mine = set(item["verify"]["callouts"])
    failed = {callout for finding in before if _fails(finding) for callout in finding["affects"]}
    fresh = [finding for finding in after if _fails(finding) and mine & (set(finding["affects"]) - failed)]
    if fresh:
        return Look(Effect.WORSE, tuple(dict.fromkeys(_words(finding) for finding in fresh)))
    wanted = set(item["verify"]["fingerprints"])
    if not wanted:
        return Look(Effect.UNPROVEN)
    left = [finding for finding in after if finding["fingerprint"] in wanted and _concerns(finding, mine)]
    if left:
        return Look(Effect.NOT_MENDED, tuple(_words(finding) for finding in left))
    # The call-outs may fail in another way now than before: further along, but not there yet.
    still = [
        finding
        for finding in after
        if _fails(finding) and mine & set(finding["affects"]) and finding["fingerprint"] not in {one["fingerprint"] for one in before}
    ]
    return Look(Effect.NOT_MENDED, tuple(_words(finding) for finding in still)) if still else Look(Effect.MENDED)


def affected(items: Iterable[Mapping[str, Any]]) -> list[str]:
    """The call-outs that have to be called to see what these items did."""
    return sorted({callout for item in items for callout in item["verify"]["callouts"]})


def _concerns(finding: Mapping[str, Any], callouts: Collection[str]) -> bool:
    """One finding may be about call-outs of several objects, which other items mend."""
    return not callouts or not finding["affects"] or bool(set(finding["affects"]) & set(callouts))


def _fails(finding: Mapping[str, Any]) -> bool:
    """Calls fail now: a finding about what is to come has no cause."""
    return finding["severity"] in ("error", "warning") and finding["cause"] is not None


def _words(finding: Mapping[str, Any]) -> str:
    subject = finding["subject"]
    name = f"{subject['namespace']}/{subject['name']}" if subject["namespace"] else subject["name"]
    return f"{finding['code']} {finding['title']} ({subject['kind']} {name})" + (f": {finding['evidence'][0]}" if finding["evidence"] else "")
