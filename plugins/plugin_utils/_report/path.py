# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of one call, from the API server to the review, and where it breaks. PRIVATE to the collection.

The picture is derived from what was found (cause, phase, code) and filled with what was observed; it judges nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .text import counted, days

# state of a hop: `ok` the call gets past it; `broken` it fails here; `warning` it works, but (soon, or not everywhere); `unreached` the call never gets here;
# `unknown` nobody could tell.
STATE_WORDS = {"ok": "works", "broken": "fails here", "warning": "at risk", "unreached": "not reached", "unknown": "not known"}


@dataclass(frozen=True)
class Hop:
    """One station. key: api|proxy|service|endpoint|tls|review. detail: what stands there (names, addresses). note: what went wrong, in a few words."""

    key: str
    label: str
    detail: str | None
    state: str = "unknown"
    note: str | None = None


# Where a call with this cause stops, and how to say it in a few words. A cause without a place (deadline_exceeded, connection_closed, ...) goes by its phase.
_PLACES: dict[str, tuple[str | None, str]] = {
    "service_not_found": ("service", "does not exist"),
    "service_port_not_found": ("service", "no such port"),
    "service_type_unsupported": ("service", "type cannot be called"),
    "no_ready_endpoints": ("endpoint", "none ready"),
    "dns_failure": ("service", "does not resolve"),
    "connection_refused": ("endpoint", "connection refused"),
    "connect_timeout": ("endpoint", "no answer"),
    "no_route": ("endpoint", "no route"),
    "address_not_allowed": ("endpoint", "address not allowed"),
    "deadline_exceeded": (None, "too late"),
    "request_timeout": (None, "too late"),
    "tls_timeout": ("tls", "handshake stalls"),
    "tls_not_spoken": ("tls", "no TLS spoken"),
    "tls_alert": ("tls", "handshake refused"),
    "client_certificate_required": ("tls", "asks for a client certificate"),
    "unknown_authority": ("tls", "unknown authority"),
    "name_mismatch": ("tls", "another name"),
    "no_san": ("tls", "no name in it"),
    "certificate_expired": ("tls", "expired"),
    "certificate_not_yet_valid": ("tls", "not yet valid"),
    "certificate_invalid": ("tls", "not acceptable"),
    "ca_bundle_invalid": ("tls", "caBundle unusable"),
    "connection_closed": (None, "connection closed"),
    "http_status": ("review", "refused"),
    "not_an_admission_server": ("review", "not a review"),
    "invalid_response": ("review", "invalid answer"),
    "proxied": ("proxy", "in the way"),
    "egress_proxy": ("proxy", "does not get through"),
    "conversion_failed": ("review", "wrong objects"),
    "aggregated_api_unavailable": (None, "unavailable"),
    "loopback_certificate_expired": ("api", "loopback certificate"),
    "not_ready": ("endpoint", "not ready"),
    "unknown": (None, "fails"),
}
_PHASES = {"resolve": "service", "connect": "endpoint", "tls": "tls", "http": "review", "review": "review"}

# Findings whose cause is null, or says less than their code: (hop, state, note).
_CODES: dict[str, tuple[str, str, str]] = {
    "WD130": ("endpoint", "warning", "a single ready one"),
    "WD305": ("tls", "warning", "certificate expires soon"),
    "WD306": ("tls", "warning", "CA expires soon"),
    "WD502": ("review", "warning", "slow"),
}
_PARTIAL = frozenset({"WD230"})
_ONE_INSTANCE = frozenset({"WD610"})

_REVIEWS = {"validating": "Review", "mutating": "Review", "conversion": "Conversion", "apiservice": "API"}


def path_of(
    callout: Mapping[str, Any],
    backend: Mapping[str, Any] | None,
    instances: int,
    probes: Sequence[Mapping[str, Any]],
    verdict: Mapping[str, Any] | None,
    finding: Mapping[str, Any],
) -> tuple[Hop, ...]:
    """The hops of this call-out with the state that `finding` gives them; empty where the finding is about no place on the way.

    probes, verdict: those that speak for this call-out. instances: how many API servers there are (0: not known).
    """
    code, cause = finding["code"], finding["cause"]
    found = place_of(code, cause, finding["phase"])
    if found is None:
        return ()
    place, state, note = found
    hops = _hops(callout, backend, instances, probes, verdict, with_proxy=place == "proxy")
    if cause == "http_status":
        note = _http_status(probes) or note
    if code in _PARTIAL:
        note = f"some: {note}"
    hops = _marked(hops, place, state, note)
    if code in _ONE_INSTANCE:
        hops = tuple(replace(hop, state="warning", note="one of them only") if hop.key == "api" else hop for hop in hops)
    return hops


def place_of(code: str | None, cause: str | None, phase: str | None) -> tuple[str, str, str] | None:
    """Where this stops a call: (hop, state, note); the hop is "" where nothing tells. None where it stops no call."""
    if code in _CODES:
        return _CODES[code]
    if cause is None:
        return None
    place, note = _PLACES.get(cause, (None, "fails"))
    return place or _PHASES.get(phase or "", ""), "warning" if code in _PARTIAL else "broken", note


def bare_path(kind: str | None, url: bool, place: tuple[str, str, str]) -> tuple[Hop, ...]:
    """The path with nothing known but where it breaks (`place_of`). kind: of the call-out; url: it names a host instead of a Service."""
    hops = (
        Hop("api", "API server", None),
        *((Hop("proxy", "Proxy", None),) if place[0] == "proxy" else ()),
        Hop("service", "Host" if url else "Service", None),
        Hop("endpoint", "Endpoint", None),
        Hop("tls", "TLS", None),
        Hop("review", _REVIEWS.get(kind or "", "Review"), None),
    )
    return _marked(hops, *place)


def in_words(hops: Sequence[Hop]) -> str:
    """The picture for somebody who cannot see it: one sentence."""
    return "; ".join(f"{hop.label} {STATE_WORDS[hop.state]}{f' ({hop.note})' if hop.note else ''}" for hop in hops)


def _marked(hops: tuple[Hop, ...], place: str, state: str, note: str) -> tuple[Hop, ...]:
    keys = [hop.key for hop in hops]
    if place not in keys:  # a failure that nothing places
        return tuple(replace(hop, state="ok" if hop.key == "api" else "unknown") for hop in hops)
    at = keys.index(place)
    after = "unreached" if state == "broken" else "ok"
    return tuple(
        replace(hop, state=state, note=note) if number == at else replace(hop, state="ok") if number < at or after == "ok" else _unreached(hop)
        for number, hop in enumerate(hops)
    )


def _unreached(hop: Hop) -> Hop:
    """What stands there does not matter then; but whom the call was meant for does."""
    return replace(hop, state="unreached", detail=hop.detail if hop.key == "service" else None)


def _hops(
    callout: Mapping[str, Any],
    backend: Mapping[str, Any] | None,
    instances: int,
    probes: Sequence[Mapping[str, Any]],
    verdict: Mapping[str, Any] | None,
    *,
    with_proxy: bool,
) -> tuple[Hop, ...]:
    api = Hop("api", "API server", counted(instances, "instance") if instances > 1 else None)
    proxy = (Hop("proxy", "Proxy", None),) if with_proxy else ()
    return (api, *proxy, _target(callout), Hop("endpoint", "Endpoint", _endpoint(backend, probes)), _tls(callout, probes, verdict), _review(callout, probes))


def _target(callout: Mapping[str, Any]) -> Hop:
    service = callout["client"]["service"]
    if service:
        return Hop("service", "Service", f"{service['namespace']}/{service['name']}:{service['port']}")
    return Hop("service", "Host", callout["server_name"])


def _endpoint(backend: Mapping[str, Any] | None, probes: Sequence[Mapping[str, Any]]) -> str | None:
    reached = next((probe["peer"]["address"] for probe in probes if probe["vantage"] == "direct" and probe["peer"] and probe["peer"]["address"]), None)
    endpoints = backend["endpoints"] if backend else None
    if endpoints is None:
        return reached
    if not endpoints:
        return "none"
    ready = [endpoint for endpoint in endpoints if endpoint["ready"]]
    if len(endpoints) == 1:
        return reached or _dialled(endpoints[0])
    return f"{len(ready)} of {len(endpoints)} ready"


def _dialled(endpoint: Mapping[str, Any]) -> str:
    address = f"[{endpoint['address']}]" if ":" in endpoint["address"] else endpoint["address"]
    return address if endpoint["port"] is None else f"{address}:{endpoint['port']}"


def _tls(callout: Mapping[str, Any], probes: Sequence[Mapping[str, Any]], verdict: Mapping[str, Any] | None) -> Hop:
    leaf = next((certificate for certificate in (verdict or {}).get("certificates") or () if certificate["source"] == "chain"), None)
    if leaf and leaf["days_left"] is not None:
        left = leaf["days_left"]
        return Hop("tls", "TLS", f"{_names(leaf) or callout['server_name']}, {days(left)}{'' if left < 0 else ' left'}")
    version = next((probe["tls"]["version"] for probe in probes if probe["tls"]), None)
    return Hop("tls", "TLS", version or callout["server_name"])


def _names(leaf: Mapping[str, Any]) -> str | None:
    names = [*(leaf["dns_names"] or ()), *(leaf["ip_addresses"] or ())]
    if not names:
        return None
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _review(callout: Mapping[str, Any], probes: Sequence[Mapping[str, Any]]) -> Hop:
    service = callout["client"]["service"]
    path = service["path"] if service else None
    return Hop("review", _REVIEWS[callout["kind"]], path or _http_status(probes))


def _http_status(probes: Sequence[Mapping[str, Any]]) -> str | None:
    status = next((probe["http"]["status"] for probe in probes if probe["http"] and probe["http"]["status"]), None)
    return None if status is None else f"HTTP {status}"
