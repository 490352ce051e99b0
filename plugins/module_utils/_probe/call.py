# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The call itself over an open stream: TLS, POST of a review, judgement; the same for every vantage that has a stream. PRIVATE to the collection."""

from __future__ import annotations

import math
import ssl
from typing import Callable
from urllib.parse import quote, urljoin, urlsplit

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline, OutOfTime
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.dial import Stream, join_host_port
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.endpoint import Endpoint
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.http1 import Head, NotHttp, Reader, Truncated
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import ProbeFailed, Trace
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.review import Review, admission_review, conversion_review, encode
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.tls import TlsStream, client_context
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.verdict import judge_admission, judge_conversion, judge_status

_MOST_REDIRECTS = 10  # as Go's http.Client
_FOLLOWED = (307, 308)  # POSTed again with the body; after 301, 302 and 303 Go sends a GET without one, which no webhook answers
_PATH_SAFE = "/%:@!$&'()*+,;=~"

Opener = Callable[[Deadline, Trace], Stream]


def call(endpoint: Endpoint, open_stream: Opener, deadline: Deadline, trace: Trace) -> str | None:
    """Make one call. Returns a remark on the answer, usually None. Raises ProbeFailed, and what `open_stream` raises."""
    review = make_review(endpoint)
    path = endpoint.path
    for _redirect in range(_MOST_REDIRECTS + 1):
        stream = open_stream(deadline, trace)
        try:
            secured = _handshake(endpoint, stream, deadline, trace)
            if review is None:
                return None
            head, body = _exchange(endpoint, secured, path, encode(review), deadline, trace)
        finally:
            stream.close()
        if head.status not in _FOLLOWED:
            return judge(endpoint, review, head.status, head.reason, body, head.headers.get("location"), trace)
        path = _redirected(endpoint, path, head)
    raise ProbeFailed("http", "http_status", f"stopped after {_MOST_REDIRECTS} redirects", permanent=True)


def make_review(endpoint: Endpoint) -> Review | None:
    callout = endpoint.callout
    if endpoint.review == "admission":
        return admission_review(callout.get("rules") or (), callout.get("review_versions") or ())
    if endpoint.review == "conversion":
        return conversion_review(callout.get("conversion"), callout.get("review_versions") or ())
    return None


def judge(endpoint: Endpoint, review: Review, status: int, reason: str, body: bytes, location: str | None, trace: Trace) -> str | None:
    """Judge the webhook's own answer. Returns a remark. Raises ProbeFailed."""
    if location and 301 <= status <= 308:
        raise ProbeFailed("http", "http_status", f'HTTP {status} {reason} to "{location[:300]}"', permanent=True)
    judge_status(status, reason)
    trace.phase = "review"
    if endpoint.review == "admission":
        judge_admission(body, review, endpoint.mutating)
        return None
    refusal = judge_conversion(body, review)
    return refusal and f"the webhook lives, but refused to convert a made-up object: {refusal}"


def query_timeout(endpoint: Endpoint) -> str:
    """What the API server tells a webhook: the seconds that it will wait, rounded up."""
    return f"{math.ceil(endpoint.timeout)}s"


def quoted_path(path: str) -> str:
    return quote(path, safe=_PATH_SAFE)


def _handshake(endpoint: Endpoint, stream: Stream, deadline: Deadline, trace: Trace) -> TlsStream:
    context = client_context(endpoint.client_cert, endpoint.client_key)
    secured = TlsStream(stream, context, endpoint.server_name, has_certificate=bool(endpoint.client_cert))
    with trace.measure("tls"):
        secured.handshake(deadline)
    trace.tls = secured.described()
    return secured


def _exchange(endpoint: Endpoint, stream: TlsStream, path: str, body: bytes, deadline: Deadline, trace: Trace) -> tuple[Head, bytes]:
    host = join_host_port(endpoint.server_name or endpoint.host, endpoint.host_port)
    request = (
        f"POST {quoted_path(path)}?timeout={query_timeout(endpoint)} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: webhook-doctor\r\n"
        f"Accept: application/json, */*\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with trace.measure("http"):
        try:
            return _answer(stream, request.encode("ascii", "replace") + body, deadline, trace)
        except OutOfTime:
            raise ProbeFailed("http", "deadline_exceeded", f"no complete answer within {endpoint.timeout:g} s", permanent=True) from None
        except NotHttp as error:
            raise ProbeFailed("http", "not_an_admission_server", str(error), permanent=True) from error
        except Truncated as error:
            if error.begun:
                text = f"unexpected error when reading response body. Original error: {error}"
                raise ProbeFailed("http", "invalid_response", text, permanent=True) from error
            raise ProbeFailed("http", "connection_closed", str(error)) from error
        except ssl.SSLError as error:
            raise stream.failure(error) from error
        except OSError as error:
            raise ProbeFailed("http", "connection_closed", f"read: {(error.strerror or str(error)).lower()}") from error


def _answer(stream: TlsStream, request: bytes, deadline: Deadline, trace: Trace) -> tuple[Head, bytes]:
    send_error: OSError | None = None
    try:
        stream.send(request, deadline)
    except ssl.SSLError:
        raise
    except OSError as error:
        send_error = error  # a server may refuse (by an alert, by a status) before it has read everything, and its reason still be on the way
    reader = Reader(stream, deadline)
    try:
        head = reader.head()
    except (OSError, Truncated) as error:
        if send_error and not isinstance(error, ssl.SSLError):
            raise send_error from error
        raise
    trace.answered(head.status, b"")
    try:
        body = reader.body(head)
    except (NotHttp, Truncated, OutOfTime) as error:
        body = reader.so_far()
        if isinstance(error, OutOfTime) or 200 <= head.status <= 206:
            trace.answered(head.status, body)
            raise
    trace.answered(head.status, body)
    return head, body


def _redirected(endpoint: Endpoint, path: str, head: Head) -> str:
    """The path to POST to next. Raises ProbeFailed where the redirect leads to another server: the probe calls nobody it was not asked to."""
    here = f"https://{join_host_port(endpoint.server_name or endpoint.host, endpoint.host_port)}"
    location = head.headers.get("location")
    try:
        target = urlsplit(urljoin(here + path, location)) if location else None
    except ValueError:  # the server's own words need not be a URL
        target = None
    if target is None or f"{target.scheme}://{target.netloc}" not in (here, here[: -len(":443")] if here.endswith(":443") else here):
        raise ProbeFailed("http", "http_status", f'HTTP {head.status} {head.reason} to "{(location or "")[:300]}"', permanent=True)
    return target.path or "/"
