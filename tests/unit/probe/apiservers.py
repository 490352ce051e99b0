# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A little HTTP server in the place of an API server: its service proxy and its port-forward really reach a back end."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import select
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.servers import Behaviour, Server, http, read_request, serving

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3
DATA, ERROR = 0, 1


@contextlib.contextmanager
def api_server(behave: Behaviour) -> Iterator[tuple[Server, Api]]:
    with serving(behave) as server:
        yield server, Api(Settings(server=f"http://127.0.0.1:{server.port}", cluster="test"))


def answering(make: Callable[[str, dict[str, Any] | None], bytes], lines: list[str] | None = None) -> Behaviour:
    """Answers each request with what `make` returns for its request line and body."""

    def behave(connection: socket.socket) -> None:
        line, body = read_request(connection)
        if lines is not None:
            lines.append(line)
        connection.sendall(make(line, body))

    return behave


def status(code: int, reason: str, message: str, kind: str | None = None, line: str = "Error") -> bytes:
    """A metav1.Status as the API server writes it."""
    details = {"kind": kind} if kind else {}
    answer = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "details": details, "code": code}
    return http(json.dumps(answer), f"{code} {line}")


class WebSocket:
    """The server's side of a WebSocket (RFC 6455): binary messages, whole."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        self.line, *fields = head.decode().split("\r\n")
        self.fields = {name.lower(): value for name, _colon, value in (field.partition(": ") for field in fields if field)}

    def accept(self) -> None:
        proof = base64.b64encode(hashlib.sha1(self.fields["sec-websocket-key"].encode() + _MAGIC).digest()).decode()
        protocol = self.fields["sec-websocket-protocol"]
        lines = (
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {proof}",
            f"Sec-WebSocket-Protocol: {protocol}",
        )
        self.connection.sendall("\r\n".join((*lines, "", "")).encode())

    def send(self, channel: int, data: bytes) -> None:
        message = bytes((channel,)) + data
        length = bytes((len(message),)) if len(message) < 126 else b"\x7e" + struct.pack(">H", len(message))
        self.connection.sendall(b"\x82" + length + message)

    def receive(self) -> bytes:
        """One message, b"" once the client closes."""
        head = self._exactly(2)
        length = head[1] & 0x7F
        if length == 126:
            length = struct.unpack(">H", self._exactly(2))[0]
        mask = self._exactly(4)
        data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self._exactly(length)))
        return b"" if head[0] & 0x0F == 8 else data

    def close(self) -> None:
        """Says goodbye, and listens until the client has: closing a socket with unread bytes resets the connection, and what was sent is lost."""
        self.connection.sendall(b"\x88\x02\x03\xe8")
        self.connection.settimeout(2)
        with contextlib.suppress(OSError):
            while self.connection.recv(4096):
                pass

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            if not more:
                raise ConnectionError("closed")
            data += more
        return data


def forwarding(port: int, lines: list[str] | None = None, piece: int = 1000) -> Behaviour:
    """What the kubelet does with v4.channel.k8s.io: bytes between the data channel and 127.0.0.1:`port`, in pieces of `piece` bytes."""

    def behave(connection: socket.socket) -> None:
        web = WebSocket(connection)
        if lines is not None:
            lines.append(web.line)
        web.accept()
        announced = struct.pack("<H", int(web.line.split("ports=")[1].split(" ")[0]))
        web.send(DATA, announced)
        web.send(ERROR, announced)
        try:
            target = socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            # containerd's words, as the kubelet passes them on.
            inner = f"failed to connect to localhost:{port} inside namespace 8a, IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused"
            web.send(ERROR, f"error forwarding port {port} to pod 8a, uid : failed to execute portforward in network namespace x: {inner}".encode())
            web.close()
            return
        with target:
            while True:
                for ready in select.select([connection, target], [], [], 10)[0]:
                    if ready is connection:
                        message = web.receive()
                        if not message:
                            return
                        with contextlib.suppress(OSError):  # the pod has hung up; what it said before is still to be passed on
                            target.sendall(message[1:])
                        continue
                    data = target.recv(piece)
                    if not data:
                        web.close()
                        return
                    web.send(DATA, data)

    return behave
