# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate is to wait for: which call-outs, and what counts for those that no dry run can prove. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._diagnosis.selection import picked

if TYPE_CHECKING:
    from .._diagnosis.case import Case

PROVEN, REACHABLE = "proven", "reachable"
# What call-outs are read from, as the coverage of the facts names it.
_LISTS = frozenset(("validatingwebhookconfigurations", "mutatingwebhookconfigurations", "customresourcedefinitions", "apiservices"))
_EXAMPLE = "[?object=='cert-manager-webhook'] or [?starts_with(backend, 'service/policy/')]"


@dataclass(frozen=True)
class Wish:
    """select: JMESPath over `shown`, empty for all. expect: names (or Kind/name) of objects that must have call-outs; theirs are selected, too.

    fail_open: whether a call-out that no dry run can prove has to be reachable (other vantages speak for it), or is refused (`proven`).
    """

    select: str = ""
    expect: tuple[str, ...] = ()
    fail_open: str = REACHABLE

    def chosen(self, cases: Sequence[Case]) -> list[Case]:
        """The call-outs to wait for. Raises InvalidObservation for an expression that is none."""
        if not self.select:
            return list(cases)
        ids = {item["id"] for item in picked([shown(case.callout) for case in cases], self.select, "id", "call-outs", _EXAMPLE)}
        return [case for case in cases if case.id in ids or any(is_named(case.callout, name) for name in self.expect)]

    def absent(self, callouts: Iterable[Mapping[str, Any]]) -> list[str]:
        """What is expected and has no call-out."""
        known = list(callouts)
        return [name for name in dict.fromkeys(self.expect) if not any(is_named(callout, name) for callout in known)]


def shown(callout: Mapping[str, Any]) -> dict[str, Any]:
    """A call-out as a selection sees it: {id, kind, object, webhook, backend}, all strings (webhook: null for conversion and apiservice)."""
    return {
        "id": callout["id"],
        "kind": callout["kind"],
        "object": callout["object"]["name"],
        "webhook": callout["webhook"],
        "backend": callout["backend"],
    }


def is_named(callout: Mapping[str, Any], name: str) -> bool:
    """`cert-manager-webhook`, or with its kind, as two configurations may share a name: `MutatingWebhookConfiguration/cert-manager-webhook`."""
    kind, slash, rest = name.rpartition("/")
    owner = callout["object"]
    return bool(owner["name"] == rest and (not slash or owner["kind"].lower() == kind.lower()))


def unreadable(facts: Mapping[str, Any]) -> list[str]:
    """Which lists of call-outs could not be read, and why: nobody can say then that nothing is missing."""
    return [f"{gap['what']} could not be read ({gap['reason']}): {gap['message']}" for gap in facts["coverage"] if gap["what"] in _LISTS]
