# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands behind `Post "<url>": ` or behind an envelope -> cause, phase and finding code. PRIVATE to the collection.

The tables are data, the leftmost match wins: Go writes an error outside in, so what stands first is what happened, and what follows
in brackets only comments on it (`signed by unknown authority (possibly because of "...")`).
Sources: Go 1.14 to 1.26 net, net/http, crypto/tls, crypto/x509; k8s.io/apiserver pkg/util/proxy, pkg/util/webhook, pkg/admission/plugin/webhook,
pkg/server/egressselector; k8s.io/apimachinery pkg/api/errors NewGenericServerResponse; apiextensions-apiserver pkg/apiserver/conversion;
kube-aggregator remote_available_controller; apiserver-network-proxy konnectivity-client.
Every quantifier is bounded or works on a class that cannot match its neighbour: hostile text costs linear time.
"""

from __future__ import annotations

import re
from re import Match, Pattern
from typing import NamedTuple, Optional


class Found(NamedTuple):
    start: int
    cause: str
    phase: str | None
    code: str | None

    @property
    def judgement(self) -> tuple[str, str | None, str | None]:
        return self.cause, self.phase, self.code


Row = tuple[str, str, Optional[str], Optional[str]]

# (regular expression, cause, phase, code). Phase null: the text does not tell.
TRANSPORT: tuple[Row, ...] = (
    # resolve: before any packet
    (r'(?:the )?[Ss]ervice ["\']?[^\s"\']{1,253}["\']? not found', "service_not_found", "resolve", "WD101"),
    (r"no service port \S{1,64} found for service", "service_port_not_found", "resolve", "WD102"),
    (r"no endpoints available for service", "no_ready_endpoints", "resolve", "WD103"),
    (r'unsupported service type "?\w', "service_type_unsupported", "resolve", "WD106"),
    (r"cannot route to service with ClusterIP", "service_type_unsupported", "resolve", "WD107"),
    # an egress selector or a proxy stands in between: before the dial texts that these quote
    (r"proxy error from \S{1,300} while dialing", "egress_proxy", "connect", "WD221"),
    (r"(?:reading HTTP response from|writing HTTP request to) ?(?:CONNECT to)? ?\S{0,300} ?via proxy", "egress_proxy", "connect", "WD221"),
    (r"(?:failed to )?dial(?:ing)? proxy \S{1,300}", "egress_proxy", "connect", "WD221"),
    (r"read unix |write unix |dial unix |/tunnel-uds/|konnectivity", "egress_proxy", "connect", "WD221"),
    (r"[Nn]o agent available", "egress_proxy", "connect", "WD221"),
    (r"dial timeout, (?:context|backstop)|timed out waiting for backend dial|tunnel closed|dial closed", "egress_proxy", "connect", "WD221"),
    (r"proxyconnect tcp:|socks connect|Proxy Authentication Required", "proxied", "connect", "WD220"),
    (r"lookup \S{1,300}?(?: on \S{1,100})?:|no such host|server misbehaving", "dns_failure", "resolve", "WD204"),
    # connect
    (r"Address is not allowed", "address_not_allowed", "connect", "WD205"),
    (r"read tcp \S{1,200} (?:read: )?i/o timeout", "deadline_exceeded", None, "WD212"),
    (r"i/o timeout|connect(?:ion|: operation)? timed out", "connect_timeout", "connect", "WD210"),
    (r"(?:net/http: )?request canceled while waiting for connection", "connect_timeout", "connect", "WD210"),
    (r"connection refused", "connection_refused", "connect", "WD201"),
    (r"no route to host|network is unreachable|host is down|host is unreachable", "no_route", "connect", "WD211"),
    # TLS
    (r"(?:net/http: )?TLS handshake timeout", "tls_timeout", "tls", "WD321"),
    (r"(?:tls: )?(?:first record does not look like a TLS handshake|oversized record received)", "tls_not_spoken", "tls", "WD320"),
    (r"server gave HTTP response to HTTPS client", "tls_not_spoken", "tls", "WD320"),
    (
        r"(?:remote error: )?tls: (?:protocol version not supported|server selected unsupported protocol version|no supported versions)",
        "tls_alert",
        "tls",
        "WD322",
    ),
    (
        r"remote error: tls: (?:certificate required|bad certificate|unknown certificate authority|unknown certificate\b)",
        "client_certificate_required",
        "tls",
        "WD323",
    ),
    (r"remote error: tls: ", "tls_alert", "tls", "WD324"),
    (r"(?:x509: )?(?:certificate relies on legacy Common Name field|certificate is not valid for any names)", "no_san", "tls", "WD310"),
    (
        r"(?:x509: )?(?:certificate is valid for |cannot validate certificate for \S{1,300} because it doesn't contain any IP SANs)",
        "name_mismatch",
        "tls",
        "WD309",
    ),
    (r"(?:x509: )?certificate has expired or is not yet valid:? current time \S{1,40} is before", "certificate_not_yet_valid", "tls", "WD308"),
    (r"(?:x509: )?(?:certificate has expired|certificate is not yet valid)", "certificate_expired", "tls", "WD307"),
    (r"(?:x509: )?(?:certificate signed by unknown authority|certificate is not trusted)", "unknown_authority", "tls", "WD301"),
    (r"(?:x509: )?failed to load system roots", "unknown_authority", "tls", "WD303"),
    (r"tls: failed to parse certificate|x509: ", "certificate_invalid", "tls", "WD312"),
    (r"tls: (?!failed to verify)\w", "tls_alert", "tls", "WD324"),
    # the answer
    (r"net/http: request canceled|Client\.Timeout or context cancellation while reading body", "deadline_exceeded", "http", "WD501"),
    (r"(?:un|Un)?expected error when reading response body", "invalid_response", "http", "WD412"),
    (r"stream error when reading response body", "connection_closed", "http", "WD413"),
    (r"(?:net/http: )?(?:HTTP/1\.x transport )?(?:connection broken: )?malformed (?:HTTP|MIME header)", "not_an_admission_server", "http", "WD410"),
    (r"stopped after \d{1,3} redirects|failed to parse Location header", "http_status", "http", "WD406"),
    (r"connect: connection reset by peer", "connection_closed", "connect", "WD206"),
    # (The last is crypto/tls's own word for a connection that its reading half has closed in the meantime.)
    (r"connection reset by peer|broken pipe|use of closed network connection", "connection_closed", None, "WD206"),
    (r"(?:http2: )?client connection lost|(?:http: )?server closed idle connection|connection broken|unexpected EOF", "connection_closed", "http", "WD413"),
    # Go writes the same where the handshake ends in the middle.
    (r"\bEOF\b", "connection_closed", None, "WD413"),
    # the clock of the whole call, last: it says least
    (r"context deadline exceeded|operation was canceled|Client\.Timeout exceeded", "deadline_exceeded", None, "WD212"),
    (r"context canceled", "request_timeout", None, None),
)

# What the back end (or client-go's reading of it) answered: anchored at the start of the reason, a webhook may quote anything inside its own words.
ANSWER: tuple[Row, ...] = (
    (r"the server could not find the requested resource", "http_status", "http", "WD401"),
    (r"the server has asked for the client to provide credentials", "http_status", "http", "WD402"),
    (r"the server has received too many requests", "http_status", "http", "WD403"),
    (r"the server is currently unable to handle the request", "http_status", "http", "WD404"),
    (r"the server was unable to return a response in the time allotted", "http_status", "http", "WD404"),
    (r"an error on the server \(", "http_status", "http", "WD404"),
    (r"the server responded with the status code 5\d\d", "http_status", "http", "WD404"),
    (r"the server responded with the status code 3\d\d", "http_status", "http", "WD406"),
    (r"the server responded with the status code \d{3}", "http_status", "http", "WD405"),
    (r"the server rejected our request|the server does not allow this method|the server reported a conflict", "http_status", "http", "WD405"),
    (r"the server was unable to respond with a content type|the body of the request was in an unknown format", "http_status", "http", "WD405"),
    (r"(?:could not get REST client: )?(?:unable to load root certificates|unable to parse bytes as PEM block)", "ca_bundle_invalid", "tls", "WD304"),
    (r"(?:could not get REST client: )?(?:no valid certificate authority data seen|failed to parse certificate)", "ca_bundle_invalid", "tls", "WD304"),
    (r"couldn't get version/kind; json parse error: unexpected end of JSON input", "invalid_response", "review", "WD412"),
    (r"unexpected end of JSON input|unexpected EOF", "invalid_response", "review", "WD412"),
    (r"couldn't get version/kind|[Oo]bject 'Kind' is missing|invalid character|no kind \"|no kind ", "not_an_admission_server", "review", "WD410"),
    (r"converting \(|json: cannot unmarshal|yaml: |error unmarshaling|illegal base64|unable to decode", "not_an_admission_server", "review", "WD410"),
    (
        r"received (?:invalid webhook response|undecodable patch)|unsupported patch type|(?:[Ww]ebhook )?response was absent",
        "invalid_response",
        "review",
        "WD411",
    ),
    (
        r"expected response\.uid|expected webhook response of|webhook returned |validating webhook may not|unexpected response type",
        "invalid_response",
        "review",
        "WD411",
    ),
    (
        r"webhook does not accept known AdmissionReview versions|Webhook SideEffects is nil|could not create admission objects",
        "invalid_response",
        "review",
        "WD411",
    ),
    (r"webhook configuration must have either service or URL|Unparsable URL", "unknown", "resolve", "WD903"),
    (r"Timeout: request did not complete|request did not complete within", "request_timeout", None, None),
)

# Behind `Post "<url>": ` the reason phrase of a forward proxy's answer to CONNECT: whatever the proxy's author chose. What marks it is the shape:
# words without a colon, and none of Go's own texts (those were looked for before).
REASON_PHRASE = re.compile(
    r"(?!(?:dial|read|write|lookup|remote|context|service|proxy error|proxyconnect|reading|tls|x509|https?|net)\b)"
    r"(\d{3} [A-Za-z][\w -]{1,60}|[A-Za-z][\w ./()'-]{1,78}\w)(?=$|[\n\"',;\]\\})`]|\.? \(|\.$)"
)


def _union(table: tuple[Row, ...]) -> Pattern[str]:
    return re.compile("|".join(f"(?P<_{index}>{row[0]})" for index, row in enumerate(table)))


_TRANSPORT = _union(TRANSPORT)
_ANSWER = _union(ANSWER)


def transport_cause(text: str) -> Found | None:
    """The leftmost transport text in `text`, null where there is none."""
    return _found(TRANSPORT, _TRANSPORT.search(text))


def answer_cause(text: str) -> Found | None:
    """The answer that `text` begins with, null where it begins with none."""
    return _found(ANSWER, _ANSWER.match(text))


def _found(table: tuple[Row, ...], match: Match[str] | None) -> Found | None:
    if not match or not match.lastgroup:
        return None
    return Found(match.start(), *table[int(match.lastgroup[1:])][1:])
