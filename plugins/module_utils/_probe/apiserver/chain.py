# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which other call-outs an admission request meets, and in what order. PRIVATE to the collection.

Order of kube-apiserver: mutating webhooks one after the other (by name of the configuration, then by place in it), validation of the
object, then all validating webhooks at once. Source: k8s.io/apiserver pkg/admission/configuration/mutating_webhook_manager.go,
pkg/admission/plugin/webhook/{mutating,validating}/dispatcher.go, pkg/endpoints/handlers/create.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import NO, Request, intercepts
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.once import Once

Callout = Mapping[str, Any]

_DRY_RUN_ALLOWED = ("None", "NoneOnDryRun")


class Chain:
    """All admission call-outs that are known. Of two with the same id the later one counts: rivals may be leaner than call-outs."""

    def __init__(self, callouts: Iterable[Callout]) -> None:
        self._callouts = list({callout["id"]: callout for callout in callouts if callout["kind"] in ("validating", "mutating")}.values())
        self._once = Once()

    def met_by(self, request: Request, besides: str) -> list[Callout]:
        """The call-outs that the request meets, or may meet, without the one whose id is `besides`."""
        shape = replace(request, namespace=None, namespace_labels=None, object_labels=None, name=None)
        # Rules first, once for each kind of request: with many configurations few are left to hold selectors against.
        named: Sequence[Callout] = self._once.get(shape, lambda: [callout for callout in self._callouts if intercepts(callout, shape) != NO])
        return [callout for callout in named if callout["id"] != besides and intercepts(callout, request) != NO]


def position(callout: Callout) -> tuple[int, str, int]:
    """Where a call-out stands in the order; validating ones, which run together, share one place."""
    if callout["kind"] == "validating":
        return 1, "", 0
    _kind, configuration, _entry = callout["id"].split("/", 2)
    return 0, configuration, callout.get("index") or 0


def can_hide(other: Callout, callout: Callout) -> bool:
    """Whether a failure or denial by `other` may leave us without an answer of `callout`: it stands before it, or beside it."""
    return position(other) <= position(callout)


def refuses_dry_run(callout: Callout) -> bool:
    """Whether the API server refuses every dry run that meets this call-out, whatever its failurePolicy."""
    return callout.get("side_effects") not in _DRY_RUN_ALLOWED
