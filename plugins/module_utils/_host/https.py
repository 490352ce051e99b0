# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to one server, by HTTP/1.1 over TLS (or without), with nothing but the standard library. PRIVATE to the collection."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline, OutOfTime
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.dial import Stream, dial, join_host_port
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.http1 import NotHttp, Reader, Truncated
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import ProbeFailed, Trace
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.tls import TlsStream, client_context

TIMEOUT = 5.0  # seconds for one exchange


class Answer(NamedTuple):
    status: int
    body: bytes


class NoAnswer(Exception):
    """No HTTP answer came; the text says how far it got. `reached`: a connection was made, so somebody is there."""

    def __init__(self, text: str, reached: bool) -> None:
        super().__init__(text)
        self.reached = reached


def anonymous() -> ssl.SSLContext:
    """A context that says nothing of itself and believes everything: for what is no secret and asked on the machine itself."""
    return client_context()


def ask(
    host: str,
    port: int,
    path: str,
    context: ssl.SSLContext | None,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """GET, or POST of a JSON `body`. Without `context` there is no TLS. No name is sent along (SNI), so the server's own certificate comes. Raises NoAnswer."""
    deadline = Deadline.after(timeout)
    try:
        raw = dial(host, port, deadline, Trace())
        try:
            stream: Stream = raw
            if context:
                secured = TlsStream(raw, context, "", has_certificate=True)
                secured.handshake(deadline)
                stream = secured
            stream.send(_request(host, port, path, body, headers or {}), deadline)
            reader = Reader(stream, deadline)
            head = reader.head()
            return Answer(head.status, reader.body(head))
        finally:
            raw.close()
    except ProbeFailed as error:
        raise NoAnswer(error.error, reached=error.phase not in ("resolve", "connect")) from error
    except OutOfTime:
        raise NoAnswer(f"no complete answer within {timeout:g} s", reached=False) from None
    except (NotHttp, Truncated) as error:
        raise NoAnswer(str(error), reached=True) from error
    except ssl.SSLError as error:
        raise NoAnswer(f"tls: {(error.reason or str(error)).lower().replace('_', ' ')}", reached=True) from error
    except OSError as error:
        raise NoAnswer((error.strerror or str(error)).lower(), reached=True) from error


def _request(host: str, port: int, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", f"Host: {join_host_port(host, port)}", "User-Agent: webhook-doctor", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")
