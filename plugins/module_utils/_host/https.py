# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to one server, by HTTP/1.1, with nothing but the standard library. PRIVATE to the collection."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.connection import TIMEOUT, NoAnswer, connected
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.dial import join_host_port
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.http1 import NotHttp, Reader, Truncated
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.tls import client_context


class Answer(NamedTuple):
    status: int
    body: bytes


def anonymous() -> ssl.SSLContext:
    """A context that says nothing of itself and believes everything: for what is no secret and asked on the machine itself."""
    return client_context()


def get(host: str, port: int, path: str, context: ssl.SSLContext, headers: Mapping[str, str] | None = None) -> Answer:
    """Raises NoAnswer."""
    deadline = Deadline.after(TIMEOUT)
    with connected(host, port, context, deadline) as stream:
        stream.send(_request(host, port, path, headers or {}), deadline)
        reader = Reader(stream, deadline)
        try:
            head = reader.head()
            return Answer(head.status, reader.body(head))
        except (NotHttp, Truncated) as error:
            raise NoAnswer(str(error)) from error


def _request(host: str, port: int, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {join_host_port(host, port)}", "User-Agent: webhook-doctor", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
