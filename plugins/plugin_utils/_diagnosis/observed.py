# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probe results and trust verdicts as the rules read them. PRIVATE to the collection.

Thin, typed views of the shapes in docs/architecture.md; nothing is judged here except whether an observation says anything at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.trust_plan import chain_of

from .checked import moment

# Causes that tell something about the prober or its rights, not about the back end.
_ABOUT_THE_PROBER = frozenset({"forbidden", "autopilot_denied", "policy_denied", "dry_run_unsupported", "request_timeout", "not_ready"})
# A refusal on purpose: the webhook was reached and answered.
_ANSWERED = frozenset({"denied"})
PHASES = ("resolve", "connect", "tls", "http", "review")
# The planned name of a probe begins with its vantage and its target: `direct 10.0.0.1:9443 ...`, `port_forward ns/pod:9443 ...`.
_TARGET = re.compile(r"^(?:direct|port_forward) (\S+) ")


@dataclass(frozen=True)
class Probe:
    """One probe result. `says` is false where the vantage could tell nothing; `why_not` then has the reason."""

    name: str
    vantage: str
    callouts: tuple[str, ...]
    ok: bool
    says: bool
    why_not: str | None
    phase: str | None
    cause: str | None
    error: str | None
    instance: str | None
    request: Mapping[str, Any] | None
    peer: str | None
    target: str | None
    chain: tuple[str, ...]
    tls_version: str | None
    status: int | None
    body: str | None
    elapsed_ms: Mapping[str, float | None]
    check: Mapping[str, Any] | None = None  # what an application's own check found, see docs/architecture.md

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Probe:
        cause = result.get("cause")
        ok = bool(result.get("ok")) or cause in _ANSWERED
        provable = result.get("provable") is not False
        hidden_by = result.get("hidden_by")
        outsider = result["vantage"] != "apiserver"
        silent = not provable or bool(hidden_by) or cause in _ABOUT_THE_PROBER or (outsider and not ok and cause in (None, "unknown"))
        reason = f"hidden by {hidden_by}, which failed first" if hidden_by else result.get("reason") or result.get("error")
        instance = result.get("instance")
        planned = _TARGET.match(str(result["name"]))
        return cls(
            name=str(result["name"]),
            vantage=str(result["vantage"]),
            callouts=tuple(result["callouts"]),
            ok=ok,
            says=ok or not silent,
            why_not=str(reason) if silent and not ok and reason else None,
            phase=result.get("phase"),
            cause=None if ok else cause or "unknown",
            error=result.get("error"),
            instance=f"{instance['address']}:{instance['port']}" if instance else None,
            request=result.get("request"),
            peer=(result.get("peer") or {}).get("address"),
            target=planned.group(1) if planned else None,
            chain=tuple(chain_of(result)),
            tls_version=(result.get("tls") or {}).get("version"),
            status=(result.get("http") or {}).get("status"),
            body=(result.get("http") or {}).get("body"),
            elapsed_ms=result.get("elapsed_ms") or {},
            check=result.get("check"),
        )

    @property
    def depth(self) -> int:
        """How far it got: the index of its phase, one more where it got through; -1 where that is not known."""
        if self.ok:
            return len(PHASES)
        return PHASES.index(self.phase) if self.phase in PHASES else -1

    @property
    def waited_ms(self) -> float:
        """The whole time of the call, 0 where it was not measured."""
        return float(self.elapsed_ms.get("total") or 0)

    @property
    def answer_ms(self) -> float:
        """How long the back end took to answer, 0 where it was not measured. What it takes to get there is not the back end's time."""
        request = self.elapsed_ms.get("http") if self.vantage in ("direct", "port_forward") else None
        return float(request) if request is not None else self.waited_ms


@dataclass(frozen=True)
class Certificate:
    """One certificate of a verdict. days_left is at the time of the judgement, None where the date could not be read."""

    source: str
    index: int
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime | None
    not_after: datetime | None
    days_left: float | None
    sha256: str | None

    @classmethod
    def of(cls, item: Mapping[str, Any], at: datetime) -> Certificate:
        begin, end = _date(item.get("not_before")), _date(item.get("not_after"))
        return cls(
            source=str(item["source"]),
            index=int(item["index"]),
            subject=str(item.get("subject") or ""),
            issuer=str(item.get("issuer") or ""),
            names=(*(item.get("dns_names") or ()), *(item.get("ip_addresses") or ())),
            not_before=begin,
            not_after=end,
            days_left=(end - at).total_seconds() / 86400 if end else None,
            sha256=item.get("sha256"),
        )

    @property
    def common_name(self) -> str:
        """CN of the subject, the whole subject where it has none. Accepts RFC 4514 (`CN=a,O=b`) and OpenSSL's (`/O=b/CN=a`, `CN = a`)."""
        match = re.search(r"(?:^|[,/+]\s*)CN\s*=\s*((?:\\.|[^,/+\\])+)", self.subject)
        return match.group(1).strip() if match else self.subject

    @property
    def lifetime_days(self) -> float | None:
        return (self.not_after - self.not_before).total_seconds() / 86400 if self.not_after and self.not_before else None

    def until(self) -> str:
        return self.not_after.strftime("%Y-%m-%dT%H:%M:%SZ") if self.not_after else "a date that could not be read"


def _date(text: object) -> datetime | None:
    return moment(str(text)) if text else None


@dataclass(frozen=True)
class Trust:
    """One verdict of cabundle_verify. `trusted` is None where no chain was given. `source`: id of the ca_source that the CA is of, None where it is the
    call-outs' own caBundle."""

    name: str
    callouts: tuple[str, ...]
    source: str | None
    trusted: bool | None
    cause: str | None
    error: str | None
    bundle: tuple[Certificate, ...]
    chain: tuple[Certificate, ...]
    anchor: Mapping[str, Any] | None
    problems: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, verdict: Mapping[str, Any], at: datetime) -> Trust:
        certificates = [Certificate.of(item, at) for item in verdict.get("certificates") or ()]
        return cls(
            name=str(verdict["name"]),
            callouts=tuple(verdict.get("callouts") or ()),
            source=verdict.get("source"),
            trusted=verdict.get("trusted"),
            cause=verdict.get("cause"),
            error=verdict.get("error"),
            bundle=tuple(item for item in certificates if item.source == "bundle"),
            chain=tuple(item for item in certificates if item.source == "chain"),
            anchor=verdict.get("anchor"),
            problems=tuple(verdict.get("problems") or ()),
        )

    @property
    def leaf(self) -> Certificate | None:
        return self.chain[0] if self.chain else None
