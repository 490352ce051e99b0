# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a planner wants to be done about findings, before it is asked who owns the object. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

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
    values:   the same for the charts that are known; a planner gives them where it knows the chart.
    reversible: False where rollback cannot bring back what was (then `irreversible` says why).
    uncontested: nobody puts it back although somebody may own the object: a restart, a finished record. Then nobody is asked who owns it.
    patience: seconds that it may take until it shows.
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
    values: tuple[Values, ...] = ()
    manual: tuple[str, ...] = ()
    irreversible: str | None = None
    temporary: bool = False
    rollout: bool = False
    uncontested: bool = False
    patience: int = 60
    notes: tuple[str, ...] = field(default=())

    @property
    def id(self) -> str:
        """The same in every run that plans it: `webhook_timeouts/ValidatingWebhookConfiguration/policy`."""
        return "/".join(part for part in (self.remedy, self.target.key, self.part) if part)
