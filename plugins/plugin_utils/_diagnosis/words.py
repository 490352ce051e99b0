# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations in words, as evidence says them. PRIVATE to the collection.

Each line says what was seen and from where, so that somebody else can look there again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .counters import lines
from .observed import Certificate, Probe
from .text import clean, dial, listing

if TYPE_CHECKING:
    from .case import Case

_CAUSES = {
    "connection_refused": "the connection is refused",
    "connect_timeout": "no answer to TCP connect",
    "no_route": "no route to the address",
    "address_not_allowed": "the address is not allowed",
    "dns_failure": "the name does not resolve",
    "deadline_exceeded": "no answer in time",
    "tls_timeout": "the TLS handshake gets no answer",
    "tls_not_spoken": "what answers speaks no TLS",
    "tls_alert": "the TLS handshake is refused",
    "client_certificate_required": "it asks for a client certificate",
    "connection_closed": "the connection is closed",
    "http_status": "the answer is an HTTP error",
    "not_an_admission_server": "the answer is no review",
    "invalid_response": "the answer is not valid",
    "conversion_failed": "the converted objects are wrong",
}


def describe(probe: Probe) -> str:
    """One probe, in words."""
    outcome = _passed(probe) if probe.ok else _failed(probe)
    if probe.vantage == "apiserver":
        at = f" {probe.instance}" if probe.instance else ""
        how = f" ({_request(probe.request)})" if probe.request else ""
        return f"the API server{at}{how} {'calls it: ' + outcome if probe.ok else 'says: ' + clean(probe.error or probe.cause)}"
    where = {
        "service_proxy": "through the API server's service proxy",
        "port_forward": f"through port-forward to {probe.target or 'a pod'}",
        "direct": f"from this host to {probe.target or probe.peer or 'the address'}",
    }[probe.vantage]
    return f"{where}: {outcome}"


def _request(request: Mapping[str, Any]) -> str:
    name = "/".join(str(part) for part in (request.get("namespace"), request.get("name")) if part)
    return f"dry-run {str(request.get('verb') or 'request').lower()} of {request.get('resource')} {name}".strip()


def _passed(probe: Probe) -> str:
    what = f"HTTP {probe.status}" if probe.status else "it answers"
    return f"{what} after {probe.answer_ms:.0f} ms" if probe.answer_ms else what


def _failed(probe: Probe) -> str:
    words = _CAUSES.get(probe.cause or "", (probe.cause or "it fails").replace("_", " "))
    if probe.cause == "http_status" and probe.status:
        words = f"HTTP {probe.status}"
    waited = f" after {probe.waited_ms:.0f} ms" if probe.waited_ms and probe.cause in ("deadline_exceeded", "connect_timeout", "tls_timeout") else ""
    said = clean(probe.error or "", 200)
    # `HTTP 404 (HTTP 404 Not Found)` says it twice.
    return f"{words}{waited}" if not said or said.startswith(words) else f"{words}{waited} ({said})"


def endpoints_line(case: Case) -> str | None:
    """What the EndpointSlices hold."""
    endpoints = case.backend.get("endpoints")
    if endpoints is None:
        return None
    name = f"{case.wanted.get('namespace')}/{case.wanted.get('name')}"
    if not endpoints:
        return f"the EndpointSlices of Service {name} hold no address"
    ready = sum(bool(endpoint["ready"]) for endpoint in endpoints)
    shown = listing([dial(one["address"], one["port"]) if one["port"] else f"{one['address']} without the port" for one in endpoints])
    return f"the EndpointSlices of Service {name}: {ready} of {len(endpoints)} addresses ready ({shown})"


def pods_line(case: Case) -> str | None:
    """How the selected pods are."""
    pods = case.backend.get("pods")
    selector = (case.service or {}).get("selector")
    if pods is None:
        return None
    if not pods:
        wanted = ",".join(f"{key}={value}" for key, value in sorted((selector or {}).items()))
        return f"no pod in namespace {case.wanted.get('namespace')} has the labels {wanted}" if wanted else None
    return "pods behind it: " + listing([f"{pod['name']} {_pod(pod)}" for pod in pods], 4)


def _pod(pod: Mapping[str, Any]) -> str:
    if pod["terminating"]:
        return "(terminating)"
    if pod["ready"]:
        return "(ready)"
    # `waiting` and `terminated` are reasons such as CrashLoopBackOff, or objects that hold one.
    reasons = [_reason(container.get(key)) for container in pod.get("containers") or () for key in ("waiting", "terminated")]
    said = next((reason for reason in reasons if reason), None)
    return f"({pod['phase']}, not ready{': ' + said if said else ''})"


def _reason(state: object) -> str | None:
    if isinstance(state, Mapping):
        return str(state["reason"]) if state.get("reason") else None
    return str(state) if state else None


def certificate_line(certificate: Certificate, what: str) -> str:
    """`the served certificate: CN=a, issued by b, for a.b.svc, valid until ...`."""
    names = f", for {listing(list(certificate.names), 4)}" if certificate.names else ", without any subject alternative name" if certificate.index == 0 else ""
    issuer = certificate.issuer or "an unnamed issuer"
    return (
        f"{what}: {certificate.subject or 'no subject'}, issued by {issuer}{names if certificate.source == 'chain' else ''}, valid until {certificate.until()}"
    )


def seen_before(case: Case) -> Iterable[str]:
    """What Events and conditions say of it, the last two, and what the API servers have counted."""
    latest = sorted(case.texts, key=lambda text: (text.last is not None, str(text.last), text.words))
    return [*(text.line() for text in latest[-2:]), *lines(case.counters)]
