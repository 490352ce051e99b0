# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loopback certificate of each API server instance, as far as it can be seen from here. Pure. PRIVATE to the collection.

Sources: k8s.io/client-go util/cert/cert.go (notBefore is the start minus an hour, the number in the subject is the start, taken between the making of two
keys), k8s.io/apiserver pkg/server/options/serving_with_loopback.go (the check of 1.36 counts from the start: it goes red an hour after the end).
How long it lives is read from the certificate and never computed from the version: 365 days up to 1.32, 1,096 from 1.33 on, and vendors differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.loopback import SERVER_NAME, SUBJECT, probe_name, refusal
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.trust_plan import question, question_of

from .observed import Certificate, Probe, Trust
from .text import dial, listing

# notBefore is an hour before the start, so that a clock that is a little late does not refuse it.
BEFORE_START = timedelta(hours=1)
# Between notBefore and the number in the subject lie two keys of 2048 bits: seconds, on a busy machine some more.
_SKEW = timedelta(seconds=60)
# Instances whose certificates end so close together were started together.
_TOGETHER = timedelta(days=1)
_CHECKED_SINCE = 36
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)(?:\.\d+)?s)?")
_DRAIN_SECONDS = 60


@dataclass(frozen=True)
class Loopback:
    """One instance. leaf: its certificate; None where `reason` says why it cannot be seen from here."""

    name: str
    address: str | None
    node: str | None
    leaf: Certificate | None
    reason: str | None
    livez_check: bool | None
    liveness_probe: bool | None
    stop_seconds: int

    @property
    def expired(self) -> bool:
        return self.leaf is not None and self.leaf.days_left is not None and self.leaf.days_left < 0

    @property
    def started(self) -> datetime | None:
        """When the process was started, from the number in the subject."""
        found = SUBJECT.match(self.leaf.common_name) if self.leaf else None
        return datetime.fromtimestamp(int(found[1]), timezone.utc) if found and len(found[1]) < 12 else None

    @property
    def clock_jump(self) -> timedelta | None:
        """How far notBefore and start disagree where they should not: the clock of the machine was set meanwhile."""
        if self.leaf is None or self.leaf.not_before is None or self.started is None:
            return None
        off = self.started - (self.leaf.not_before + BEFORE_START)
        return off if not -timedelta(seconds=1) <= off <= _SKEW else None

    def lines(self, at: datetime) -> Iterator[str]:
        """As evidence: how old the process is, how long the certificate was made for, and what restarts it."""
        life = self.leaf.lifetime_days if self.leaf else None
        if self.started and life:
            age = (at - self.started).total_seconds() / 86400
            yield f"the process was started on {_day(self.started)}, {age:.0f} days ago; the certificate was made for {life:.0f} days (read from it)"
        if self.clock_jump:
            yield (
                f"its beginning and the start time in its subject disagree by {abs(self.clock_jump.total_seconds()):.0f} s: "
                "the clock of that machine was set while the process started"
            )
        if self.leaf and self.leaf.not_after:
            yield self.livez_line(self.leaf.not_after)

    def livez_line(self, end: datetime) -> str:
        if self.livez_check is False:
            return "this version has no liveness check for it: /healthz and /livez stay green, and nothing restarts the process"
        red = f"livez check loopback-serving-certificate goes red at {_time(end + BEFORE_START)}, an hour after the end"
        if self.livez_check is None:
            return f"the version is not known; from 1.36 on the {red}"
        if self.liveness_probe is False:
            return f"its {red}, but its pod has no liveness probe, so nothing acts on it"
        return f"its {red}; a liveness probe then restarts the process, and every instance of the same age at the same time"

    def shown(self) -> dict[str, Any]:
        """An item of `summary.loopback`."""
        leaf = self.leaf
        return {
            "instance": self.name,
            "address": self.address,
            "node": self.node,
            "not_after": _time(leaf.not_after) if leaf and leaf.not_after else None,
            "days_left": round(leaf.days_left, 1) if leaf and leaf.days_left is not None else None,
            "lifetime_days": round(leaf.lifetime_days) if leaf and leaf.lifetime_days else None,
            "started": _time(self.started) if self.started else None,
            "livez_check": self.livez_check,
            "reason": self.reason,
        }


def read_loopbacks(facts: Mapping[str, Any], probes: Iterable[Probe], trusts: Iterable[Trust]) -> tuple[Loopback, ...]:
    """Every known instance, in the order of the facts."""
    by_name = {probe.name: probe for probe in probes if not probe.callouts and probe.vantage == "direct"}
    by_question = {digest: trust for trust in trusts if (digest := question_of(trust.name))}
    minor = (facts.get("version") or {}).get("minor")
    found = []
    for one in facts["control_plane"]["instances"]:
        where = dial(one["address"], one["port"]) if one["address"] and one["port"] else None
        probe = by_name.get(probe_name(one["address"], one["port"])) if where else None
        leaf, reason = _seen(facts, one, probe, by_question)
        found.append(
            Loopback(
                name=str(one["name"] or where or "an API server"),
                address=where,
                node=one.get("node"),
                leaf=leaf,
                reason=reason,
                livez_check=None if minor is None else minor >= _CHECKED_SINCE,
                liveness_probe=one.get("liveness_probe"),
                stop_seconds=_DRAIN_SECONDS + _seconds((one.get("flags") or {}).get("shutdown-delay-duration")),
            )
        )
    return tuple(found)


def _seen(
    facts: Mapping[str, Any], instance: Mapping[str, Any], probe: Probe | None, by_question: Mapping[str, Trust]
) -> tuple[Certificate | None, str | None]:
    """(certificate, None), or (None, why it cannot be seen from here)."""
    refused = refusal(facts, instance)
    if refused:
        return None, refused
    if probe is None:
        return None, "files hold no certificates of running processes" if facts["source"]["kind"] != "api" else "it was not asked (vantage direct)"
    if not probe.chain:
        said = (probe.cause or "no answer").replace("_", " ")
        return (
            None,
            f"it does not answer this host ({said}): run the diagnosis on a host that reaches the API servers' own addresses, such as a control-plane node",
        )
    trust = by_question.get(question("", probe.chain, SERVER_NAME))
    if trust is None or trust.leaf is None:
        return None, "its certificate was not read (see verdicts)"
    if not SUBJECT.match(trust.leaf.common_name):
        return None, f"what answers there serves another certificate for that name ({trust.leaf.subject}): a load balancer or proxy stands in between"
    return trust.leaf, None


def nowhere(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The only item of `summary.loopback` where no instance is known: that is no silence either."""
    source = facts["source"]
    reason = (
        "which API servers there are is not known (EndpointSlice default/kubernetes was not read), and behind the address of a load balancer the certificate "
        "of an instance cannot be seen"
    )
    name = str(source.get("server") or source["cluster"])
    return Loopback(name, None, None, None, reason, None, None, _DRAIN_SECONDS).shown()


def together(loopbacks: Sequence[Loopback]) -> tuple[Loopback, ...]:
    """The instances whose certificates end within the same day as the first one's, if there are several."""
    known = sorted(((one.leaf.not_after, one.name, one) for one in loopbacks if one.leaf and one.leaf.not_after), key=lambda item: item[:2])
    alike = tuple(one for end, dummy, one in known if end - known[0][0] <= _TOGETHER)
    return alike if len(alike) > 1 else ()


def names(loopbacks: Iterable[Loopback]) -> str:
    return listing([one.name for one in loopbacks], 5)


def _seconds(duration: str | None) -> int:
    """Go's duration, in whole seconds; 0 where it is not understood."""
    found = _DURATION.fullmatch(duration or "")
    return sum(int(part or 0) * factor for part, factor in zip(found.groups(), (3600, 60, 1))) if found else 0


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")
