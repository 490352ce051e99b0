# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tunnel through a forward proxy by HTTP CONNECT, as Go's net/http makes it. PRIVATE to the collection."""

from __future__ import annotations

import base64
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline, OutOfTime
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.dial import Stream, dial, join_host_port
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.http1 import NotHttp, Reader, Truncated
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import ProbeFailed, Trace


class Proxy(NamedTuple):
    host: str
    port: int
    authorization: str | None  # the value of Proxy-Authorization; never in a text


def parse_proxy(url: str) -> Proxy:
    """The parts of `http://[user:password@]host[:port]`. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("not an http:// proxy")
    authorization = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        authorization = "Basic " + base64.b64encode(credentials).decode("ascii")
    return Proxy(parts.hostname, parts.port or 80, authorization)


def tunnel(proxy: Proxy, host: str, port: int, deadline: Deadline, trace: Trace) -> Stream:
    """A stream to `host`:`port` through the proxy. Raises ProbeFailed: whatever keeps a proxy from passing the call is `proxied`."""
    target, via = join_host_port(host, port), join_host_port(proxy.host, proxy.port)
    try:
        stream = dial(proxy.host, proxy.port, deadline, trace)
    except ProbeFailed as failure:
        raise ProbeFailed("connect", "proxied", f"proxyconnect tcp: {failure.error}", failure.permanent) from failure
    try:
        with trace.measure("connect"):
            _connect(stream, target, via, proxy, deadline)
    except ProbeFailed:
        stream.close()
        raise
    return stream


def _connect(stream: Stream, target: str, via: str, proxy: Proxy, deadline: Deadline) -> None:
    request = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: webhook-doctor\r\n"
    if proxy.authorization:
        request += f"Proxy-Authorization: {proxy.authorization}\r\n"
    try:
        stream.send(request.encode("ascii", "replace") + b"\r\n", deadline)
        head = Reader(stream, deadline).head()
    except OutOfTime:
        raise ProbeFailed("connect", "proxied", f"the proxy {via} did not answer CONNECT {target} in time", permanent=True) from None
    except (NotHttp, Truncated, OSError) as error:
        raise ProbeFailed("connect", "proxied", f"the proxy {via} did not answer CONNECT {target}: {error}") from error
    if head.status != 200:
        raise ProbeFailed("connect", "proxied", f"the proxy {via} answered CONNECT {target}: {head.status} {head.reason}".rstrip(), permanent=True)
