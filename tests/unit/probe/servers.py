# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers on loopback, one misbehaviour each. A behaviour is a function that gets the accepted socket."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Behaviour = Callable[[socket.socket], None]
PATIENCE = 20.0  # seconds after which a server gives up on a client


class Server:
    """Accepts until closed; every connection in a thread of its own. `requests`: what HTTP behaviours have read."""

    def __init__(self, behave: Behaviour, host: str = "127.0.0.1") -> None:
        self.requests: list[tuple[str, dict[str, Any] | None]] = []
        self.accepted = 0
        self._behave = behave
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, 0))
        self._listener.listen(256)
        self.host, self.port = self._listener.getsockname()[:2]
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _peer = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            connection.settimeout(PATIENCE)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._behave(connection)

    def close(self) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@contextlib.contextmanager
def serving(behave: Behaviour, host: str = "127.0.0.1") -> Iterator[Server]:
    server = Server(behave, host)
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def dead_port(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that is taken, so that nobody else gets it, and on which nothing listens."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.bind((host, 0))
        yield int(sock.getsockname()[1])


def tls(pem: Path, behave: Behaviour, configure: Callable[[ssl.SSLContext], None] | None = None) -> Behaviour:
    """`behave` behind a TLS handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(pem)
    if configure:
        configure(context)

    def secured(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            behave(wrapped)

    return secured


def read_request(connection: socket.socket) -> tuple[str, dict[str, Any] | None]:
    """(request line, JSON body or None)."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("no request")
        data += more
    head, _blank, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    length = int(fields.get("content-length", 0))
    while len(body) < length:
        body += connection.recv(65536)
    return head.decode().split("\r\n")[0], json.loads(body) if body else None


def raw_answer(make: Callable[[dict[str, Any]], bytes], delay: float = 0.0) -> Behaviour:
    """Reads a request, then sends whatever `make` returns for its review, and closes."""

    def behave(connection: socket.socket) -> None:
        _line, review = read_request(connection)
        time.sleep(delay)
        connection.sendall(make(review or {}))
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()

    return behave


def http(body: bytes | str | dict[str, Any], status: str = "200 OK", fields: str = "") -> bytes:
    content = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{fields}Content-Length: {len(content)}\r\n\r\n".encode() + content


def admission(review: dict[str, Any], **response: Any) -> dict[str, Any]:
    """A right AdmissionReview for the request, with `response` on top; a value None takes a field away."""
    answer = {"uid": review["request"]["uid"], "allowed": True, **response}
    return {"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": {key: value for key, value in answer.items() if value is not None}}


def conversion(review: dict[str, Any], change: Callable[[dict[str, Any]], Any] = lambda obj: obj, **response: Any) -> dict[str, Any]:
    """A right ConversionReview; `change` is applied to every converted object."""
    request = review["request"]
    objects = [change({**obj, "apiVersion": request["desiredAPIVersion"], "metadata": dict(obj["metadata"])}) for obj in request["objects"]]
    answer = {"uid": request["uid"], "result": {"status": "Success"}, "convertedObjects": objects, **response}
    return {"apiVersion": review["apiVersion"], "kind": "ConversionReview", "response": answer}


def json_patch(*operations: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(list(operations)).encode()).decode()


def healthy(connection: socket.socket) -> None:
    raw_answer(lambda review: http(admission(review)))(connection)


def silent(connection: socket.socket) -> None:
    """Reads everything, says nothing."""
    while connection.recv(65536):
        pass


def flooding(prefix: bytes, piece: bytes) -> Behaviour:
    """After a request sends `prefix`, then `piece` without end."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(prefix)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            connection.sendall(piece)

    return behave


def dripping(data: bytes, pause: float = 0.05) -> Behaviour:
    """After a request sends `data` byte by byte, again and again."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for byte in data:
                connection.sendall(bytes((byte,)))
                time.sleep(pause)

    return behave
