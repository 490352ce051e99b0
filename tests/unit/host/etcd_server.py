# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of an etcd that speak gRPC over HTTP/2 and TLS with client certificates, frame by frame, so that each frame can be another one than expected."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.kubeops.webhook_doctor.tests.unit.host.certificates import Authority
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.servers import Server

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
OK = b"\x88"  # :status: 200
ANSWER: bytes = b"\x0a\x02\x08\x01"  # a message with some header
FIRST_ID = 2**63  # ids are 64 bits, most of them with the highest one set


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def message(content: bytes) -> bytes:
    return b"\0" + len(content).to_bytes(4, "big") + content


def field(number: int, value: int | bytes) -> bytes:
    """A field of Protocol Buffers."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    head = b""
    while value > 0x7F:
        head, value = head + bytes((value & 0x7F | 0x80,)), value >> 7
    return head + bytes((value,))


def member(name: str, urls: tuple[str, ...], learner: bool = False, id: int = 0) -> bytes:
    """A Member of etcdserverpb. Zeros are left out, as everywhere in proto3."""
    texts = ((2, name), (3, "https://192.0.2.1:2380"), *((4, url) for url in urls))
    parts = [field(number, text.encode()) for number, text in texts if text]
    return (field(1, id) if id else b"") + b"".join(parts) + (field(5, 1) if learner else b"")


def status(leader: int = 7, *errors: str, id: int = 0) -> bytes:
    """A StatusResponse; `id`: of the member that answers."""
    header = ANSWER + (field(2, id) if id else b"")
    return field(1, header) + field(2, b"3.6.4") + (field(4, leader) if leader else b"") + b"".join(field(8, error.encode()) for error in errors)


def answered(content: bytes) -> bytes:
    """The frames of a call that succeeds."""
    return frame(HEADERS, 4, 1, OK) + frame(DATA, 0, 1, message(content)) + frame(HEADERS, 5, 1, b"\x40")


REFUSED = frame(HEADERS, 5, 1, OK)  # trailers and nothing else


class Etcd:
    """One member. `answers`: the last part of a method's name -> the bytes that are sent after a request. `calls`: the methods that were asked."""

    def __init__(self, folder: Path, authority: Authority, tls: bool = True) -> None:
        self.answers: dict[str, bytes] = {"Status": answered(status()), "Range": answered(ANSWER)}
        self.calls: list[str] = []
        self.acknowledged: list[int] = []
        self._context = _context(folder, authority) if tls else None
        self._server = Server(self._serve)
        self.port = self._server.port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.close = self._server.close

    def _serve(self, connection: socket.socket) -> None:
        if self._context is None:
            self._speak(connection)
            return
        with self._context.wrap_socket(connection, server_side=True) as secured:
            if secured.selected_alpn_protocol() == "h2":
                self._speak(secured)

    def _speak(self, connection: socket.socket) -> None:
        reading = connection.makefile("rb")
        if reading.read(len(PREFACE)) != PREFACE:
            return
        connection.sendall(frame(SETTINGS, 0, 0))
        while True:
            head = reading.read(9)
            if len(head) < 9:
                return
            payload = reading.read(int.from_bytes(head[:3], "big"))
            if head[3] in (SETTINGS, PING) and head[4] & 1:
                self.acknowledged.append(head[3])
            if head[3] == HEADERS:
                method = next(name for name in ("MemberList", "Status", "Range") if f"/{name}".encode() in payload)
                self.calls.append(method)
            if head[3] == DATA and head[4] & 1:
                connection.sendall(self.answers.get(self.calls[-1], REFUSED))


@contextlib.contextmanager
def etcds(folder: Path, authority: Authority, count: int, **options: Any) -> Iterator[list[Etcd]]:
    """So many healthy members, which know one another."""
    found = [Etcd(folder / str(number), authority, **options) for number in range(count)]
    listed = b"".join(field(2, member(f"etcd-{number}", (one.url,), id=FIRST_ID + number)) for number, one in enumerate(found, 1))
    for number, one in enumerate(found, 1):
        one.answers["MemberList"] = answered(field(1, ANSWER) + listed)
        one.answers["Status"] = answered(status(id=FIRST_ID + number))
    try:
        yield found
    finally:
        for one in found:
            one.close()


def _context(folder: Path, authority: Authority) -> ssl.SSLContext:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "serving.pem").write_bytes(b"".join(authority.issue("etcd")))
    (folder / "ca.pem").write_bytes(authority.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "serving.pem")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    return context
