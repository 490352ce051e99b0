# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a call-out may take, by where it stands: which profile applies to it, the range that it recommends, and why. Pure. PRIVATE to the collection.

There is no one right time-out: cert-manager sets 30 s on purpose, so that Go's own limits end first and the text names the phase; control planes want no more
than 15 s for what their own clients write, and hardly any time for leases.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cluster_needs import EVENTS, KUBE_SYSTEM_PODS, LEASE_PATIENCE, LEASES, NODES, REPAIR, START, TRAFFIC, WORKLOADS
from .needs import intercepted
from .severity import fails_open

if TYPE_CHECKING:
    from .case import Case

# Seconds after which Go ends the TLS handshake by itself (client-go transport/cache.go), and connecting or the whole call.
TLS_LIMIT, CALL_LIMIT = 10, 30
# Source: Gardener WebhookMaximumTimeoutSecondsNotProblematic; the clients of the control plane give up after 30 s.
CONTROL_PLANE_LIMIT = 15
_CERT_MANAGER = ("webhook.cert-manager.io",)


@dataclass(frozen=True)
class Profile:
    """Seconds from `low` to `high` are recommended, because of `why`."""

    name: str
    low: int
    high: int
    why: str


LEASE = Profile("leases", 1, LEASE_PATIENCE, "who holds a lease waits 5 s for a request, and loses it if renewals are late")
CONTROL_PLANE = Profile(
    "control plane",
    1,
    CONTROL_PLANE_LIMIT,
    "it is asked about what nodes, controllers and kube-system need; their clients give up after 30 s, so a call of more than 15 s leaves no time for "
    "another one",
)
CERT_MANAGER = Profile(
    "cert-manager", CALL_LIMIT, CALL_LIMIT, "cert-manager's chart sets 30 s since 1.14, so that the text of a failure names its phase instead of the deadline"
)
ONE_LOST_PACKET = Profile(
    "fail closed", 2, CALL_LIMIT, "a lost packet is sent again after 1 s (RFC 6298), so that with 1 s a single one refuses a request; failurePolicy is Fail"
)


def profiles(case: Case) -> tuple[Profile, ...]:
    """The profiles that apply to an admission webhook, the strictest first; none where any time-out is fine. Conversion and aggregation have fixed limits."""
    callout = case.callout
    if callout["kind"] not in ("validating", "mutating"):
        return ()
    found = []
    if intercepted(case, LEASES):
        found.append(LEASE)
    if intercepted(case, (*KUBE_SYSTEM_PODS, *WORKLOADS, *TRAFFIC, *NODES, *START, *REPAIR, *EVENTS)):
        found.append(CONTROL_PLANE)
    return (*found, *floors(case))


def floors(case: Case) -> tuple[Profile, ...]:
    """Those of the profiles that recommend a least time. They cost nothing to find."""
    callout = case.callout
    if callout["kind"] not in ("validating", "mutating"):
        return ()
    found = []
    if str(callout["webhook"]) in _CERT_MANAGER:
        found.append(CERT_MANAGER)
    if not fails_open(callout):
        found.append(ONE_LOST_PACKET)
    return tuple(found)


def hides_the_phase(case: Case) -> bool:
    """Whether its time ends before Go's own limits can name the phase in which a call hangs."""
    return case.callout["kind"] in ("validating", "mutating") and case.callout["timeout_seconds"] <= TLS_LIMIT


def longer(case: Case) -> dict[str, object]:
    """The value of the step that shows the phase, a JSON patch; {} where it would show nothing more. It names the entry, not only its place."""
    if not hides_the_phase(case):
        return {}
    path = f"/webhooks/{case.callout['index']}"
    patch = [
        {"op": "test", "path": f"{path}/name", "value": str(case.callout["webhook"])},
        {"op": "replace", "path": f"{path}/timeoutSeconds", "value": CALL_LIMIT},
    ]
    return {"longer": json.dumps(patch, separators=(",", ":"))}


def phase_hint(case: Case) -> list[str]:
    """For a call that hangs somewhere: what a longer time-out would show, as a line of evidence."""
    if not hides_the_phase(case):
        return []
    return [
        f"timeoutSeconds {case.callout['timeout_seconds']} ends before Go's own limits, which name the phase: with {CALL_LIMIT} the text says "
        f"`net/http: TLS handshake timeout` after {TLS_LIMIT} s if TLS hangs; if connecting does, it can say `request canceled while waiting for connection` "
        f"after {CALL_LIMIT} s"
    ]


def text_hint(case: Case) -> list[str]:
    """For an answer that other vantages saw come too late: why the API server's own text does not say so."""
    if not hides_the_phase(case):
        return []
    return [
        f"timeoutSeconds {case.callout['timeout_seconds']} ends before Go's own limits ({TLS_LIMIT} s for TLS, {CALL_LIMIT} s for the whole call), so the API "
        f"server's text names no phase; with {CALL_LIMIT} the phase shows"
    ]
