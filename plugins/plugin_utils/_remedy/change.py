# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a planner wants to be done about findings, before it is asked who owns the object. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypedDict

from .edit import Edit
from .reference import Reference


class Risk(str, Enum):
    """What may go wrong if a change is made, in the words of `webhook_doctor_max_risk`.

    low:    the change takes effect at once, touches one setting, and is taken back as easily (a time-out, a caBundle that is proven to verify, an annotation).
    medium: something restarts, or traffic takes another way; rollback works (a Deployment rolls, a port changes, a policy admits the API server).
    high:   something is deleted, or guards less for a time (an orphaned configuration, a Secret that its owner makes anew, failurePolicy Ignore).
    """

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        return list(Risk).index(self)


@dataclass(frozen=True)
class Values:
    """The same change in the words of a Helm chart: {"webhook.timeoutSeconds": 30}. chart: its name, as in the label helm.sh/chart without the version."""

    chart: str
    values: Mapping[str, Any]
    note: str | None = None  # what a person has to know besides, such as from which version of the chart on


@dataclass(frozen=True)
class Change:
    """One change of one object, because of some findings.

    remedy:   the role, such as webhook_timeouts. codes, fingerprints: of the findings that it mends.
    action:   patch (by `edit`), create (of `created`), delete, or manual: nothing that can be done here; `manual` says what a person does.
    callouts: ids of the call-outs that prove it; they are called before and after. rollout: Deployments have to be rolled out before.
    targets:  of a delete of many objects of one kind as one change: all of them; `target` is the first.
    part:     tells apart several changes of one object by one remedy; part of the id.
    after_:   ids of changes that have to be made before this one (see `Change.id`).
    only_for: id of the change that this one is made for: if that is not made in this run (its object has an owner, say), this one is not either.
    values:   the same for the charts that are known; a planner gives them where it knows the chart.
    reversible: False where rollback cannot bring back what was (then `irreversible` says why).
    uncontested: nobody puts it back although somebody may own the object: a restart, a finished record. Then nobody is asked who owns it.
    patience: seconds that it may take until it shows.
    abandoned_by: kinds of owners (owner.py) whose marks the object still has, and which are proven to be gone: they will not put it back.
    """

    remedy: str
    codes: tuple[str, ...]
    fingerprints: tuple[str, ...]
    target: Reference
    action: str
    reason: str
    risk: Risk = Risk.LOW
    edit: Edit | None = None
    created: Mapping[str, Any] | None = None
    targets: tuple[Reference, ...] = ()
    callouts: tuple[str, ...] = ()
    part: str = ""
    after_: tuple[str, ...] = ()
    only_for: str | None = None
    values: tuple[Values, ...] = ()
    manual: tuple[str, ...] = ()
    irreversible: str | None = None
    temporary: bool = False
    rollout: bool = False
    uncontested: bool = False
    patience: int = 60
    notes: tuple[str, ...] = field(default=())
    abandoned_by: tuple[str, ...] = ()

    def joined(self, other: Change) -> Change:
        """The same change, because of what asked for it twice."""
        return replace(
            self,
            codes=_union(self.codes, other.codes),
            fingerprints=_union(self.fingerprints, other.fingerprints),
            callouts=_union(self.callouts, other.callouts),
            after_=_union(self.after_, other.after_),
            manual=tuple(dict.fromkeys((*self.manual, *other.manual))),
            reason=self.reason if other.reason in self.reason else f"{self.reason}; {other.reason}",
        )

    @property
    def id(self) -> str:
        """The same in every run that plans it: `webhook_timeouts/ValidatingWebhookConfiguration/policy`."""
        return "/".join(part for part in (self.remedy, self.target.key, self.part) if part)


def each_once(changes: Iterable[Change]) -> list[Change]:
    """Changes of the same id, which several findings ask for, as one."""
    found: dict[str, Change] = {}
    for change in changes:
        found[change.id] = found[change.id].joined(change) if change.id in found else change
    return list(found.values())


class Mending(TypedDict):
    codes: tuple[str, ...]
    fingerprints: tuple[str, ...]


def mending(findings: Iterable[Mapping[str, Any]]) -> Mending:
    """What a change says of the findings that it mends."""
    known = list(findings)
    return {"codes": _union(finding["code"] for finding in known), "fingerprints": _union(finding["fingerprint"] for finding in known)}


def _union(*words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({word for some in words for word in some}))
