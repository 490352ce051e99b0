# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names to addresses to a TCP connection, each within a deadline; failures in the words of Go's net package. PRIVATE to the collection."""

from __future__ import annotations

import errno
import os
import queue
import socket
import threading
from typing import Any, Protocol

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline, OutOfTime
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import ProbeFailed, Trace

_MOST_ADDRESSES = 8  # of one name; more would leave each of them too little time
_LEAST_SHARE = 2.0  # seconds for one of several addresses, as Go's net.Dialer


class Stream(Protocol):
    """A byte stream to the far side. recv returns b"" at its end; both raise OutOfTime and OSError."""

    def send(self, data: bytes, deadline: Deadline) -> None: ...

    def recv(self, size: int, deadline: Deadline) -> bytes: ...

    def close(self) -> None: ...


class SocketStream:
    """A TCP connection as a Stream."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, data: bytes, deadline: Deadline) -> None:
        self._sock.settimeout(deadline.left())
        try:
            self._sock.sendall(data)
        except socket.timeout as error:
            raise OutOfTime from error

    def recv(self, size: int, deadline: Deadline) -> bytes:
        self._sock.settimeout(deadline.left())
        try:
            return self._sock.recv(size)
        except socket.timeout as error:
            raise OutOfTime from error

    def close(self) -> None:
        self._sock.close()


def dial(host: str, port: int, deadline: Deadline, trace: Trace) -> SocketStream:
    """A connection to the first address of `host` that accepts. Raises ProbeFailed (resolve, connect)."""
    with trace.measure("resolve"):
        addresses = resolve(host, port, deadline)
    with trace.measure("connect"):
        return _connect_first(addresses, deadline, trace)


def resolve(host: str, port: int, deadline: Deadline) -> list[tuple[Any, Any]]:
    """(family, sockaddr) of `host`, a name or an IP address. Raises ProbeFailed with dns_failure.

    The resolver knows no deadline: it is asked in a thread of its own, which is left behind if it does not answer in time.
    """
    try:
        return _lookup(host, port, socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        pass  # a name
    answers: queue.Queue[Any] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(_lookup(host, port, 0))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except (queue.Empty, OutOfTime):
        raise ProbeFailed("resolve", "dns_failure", f"lookup {host}: i/o timeout", permanent=True) from None
    if isinstance(answer, socket.gaierror) and answer.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None)):
        raise ProbeFailed("resolve", "dns_failure", f"lookup {host}: no such host")
    if isinstance(answer, Exception):
        raise ProbeFailed("resolve", "dns_failure", f"lookup {host}: {getattr(answer, 'strerror', None) or answer}")
    return answer


def _lookup(host: str, port: int, flags: int) -> list[tuple[Any, Any]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, sockaddr) for family, _type, _proto, _name, sockaddr in found]


def _connect_first(addresses: list[tuple[Any, Any]], deadline: Deadline, trace: Trace) -> SocketStream:
    failures: list[tuple[str | None, ProbeFailed]] = []
    addresses = addresses[:_MOST_ADDRESSES]
    for position, (family, sockaddr) in enumerate(addresses):
        trace.peer = display(sockaddr)
        try:
            return _connect(family, sockaddr, deadline, len(addresses) - position)
        except ProbeFailed as failure:
            failures.append((trace.peer, failure))
    trace.peer, first = failures[0]  # Go too reports what the first address said
    raise first


def _connect(family: Any, sockaddr: Any, deadline: Deadline, sharers: int) -> SocketStream:
    """A connection to one address, in its share of the time that is left."""
    try:
        share = deadline.sooner(max(deadline.left() / sharers, _LEAST_SHARE))
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OutOfTime:
        raise connect_failure(socket.timeout(), display(sockaddr)) from None
    except OSError as error:
        raise connect_failure(error, display(sockaddr)) from error
    try:
        sock.settimeout(share.left())
        sock.connect(sockaddr)
    except OSError as error:
        sock.close()
        raise connect_failure(error, display(sockaddr)) from error
    return SocketStream(sock)


def connect_failure(error: OSError, address: str) -> ProbeFailed:
    """The failure that an error of connect(2) stands for."""
    if isinstance(error, socket.timeout):
        return ProbeFailed("connect", "connect_timeout", f"dial tcp {address}: i/o timeout", permanent=True)
    cause = _CAUSES.get(error.errno or 0, "unknown")
    words = os.strerror(error.errno).lower() if error.errno else str(error)
    return ProbeFailed("connect", cause, f"dial tcp {address}: connect: {words}")


def display(sockaddr: Any) -> str:
    """`192.0.2.1:443`, `[2001:db8::1]:443`."""
    return join_host_port(sockaddr[0], sockaddr[1])


def join_host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_CAUSES = {
    errno.ECONNREFUSED: "connection_refused",
    errno.ETIMEDOUT: "connect_timeout",
    errno.EHOSTUNREACH: "no_route",
    errno.ENETUNREACH: "no_route",
    errno.EHOSTDOWN: "no_route",
    errno.EADDRNOTAVAIL: "no_route",
    errno.EAFNOSUPPORT: "no_route",
    errno.ECONNRESET: "connection_closed",
}
