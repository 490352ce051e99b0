# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One gRPC call with one small answer, over HTTP/2, with nothing but the standard library. PRIVATE to the collection.

Of headers only what is sent is needed, so none is decoded: a call that fails has no message. Formats: RFC 9113 (frames), RFC 7541 (headers, all sent as
literals), https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
"""

from __future__ import annotations

import ssl
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.connection import TIMEOUT, NoAnswer, connected
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.dial import Stream, join_host_port

PROTOCOL = "h2"  # for ALPN
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM, _ACK, _END_HEADERS, _PADDED = 0x1, 0x1, 0x4, 0x8
_STREAM = 1
_MOST = 64 * 1024  # bytes: the window that a receiver has without asking for more
_READ = 32 * 1024


class _Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes


def call(host: str, port: int, method: str, message: bytes, context: ssl.SSLContext | None) -> bytes:
    """The message that `method` (/package.Service/Method) answers with. Raises NoAnswer."""
    deadline = Deadline.after(TIMEOUT)
    with connected(host, port, context, deadline) as stream:
        headers = _headers(method, join_host_port(host, port), secure=context is not None)
        request = _frame(_HEADERS, _END_HEADERS, _STREAM, headers) + _frame(_DATA, _END_STREAM, _STREAM, b"\0" + len(message).to_bytes(4, "big") + message)
        stream.send(_PREFACE + _frame(_SETTINGS, 0, 0, b"") + request, deadline)
        return _message(_answer(stream, deadline))


def _answer(stream: Stream, deadline: Deadline) -> bytes:
    """The data of the stream until its end."""
    buffer, data = bytearray(), bytearray()
    while True:
        frame = _next(stream, buffer, deadline)
        if frame.kind in (_SETTINGS, _PING) and not frame.flags & _ACK:
            stream.send(_frame(frame.kind, _ACK, 0, frame.payload if frame.kind == _PING else b""), deadline)
        elif frame.kind == _GOAWAY:
            raise NoAnswer("the server ends the connection (GOAWAY)")
        elif frame.stream == _STREAM and frame.kind == _RESET:
            raise NoAnswer("the server gave the call up (RST_STREAM)")
        elif frame.stream == _STREAM and frame.kind in (_DATA, _HEADERS):
            if frame.kind == _DATA:
                data += _unpadded(frame)
            if frame.flags & _END_STREAM:
                return bytes(data)


def _next(stream: Stream, buffer: bytearray, deadline: Deadline) -> _Frame:
    while True:
        length = int.from_bytes(buffer[:3], "big") if len(buffer) >= 9 else 0
        if length > _MOST or len(buffer) > 2 * _MOST:
            raise NoAnswer("this is not HTTP/2")
        if len(buffer) >= 9 + length:
            frame = _Frame(buffer[3], buffer[4], int.from_bytes(buffer[5:9], "big") & 0x7FFFFFFF, bytes(buffer[9 : 9 + length]))
            del buffer[: 9 + length]
            return frame
        more = stream.recv(_READ, deadline)
        if not more:
            raise NoAnswer("EOF")
        buffer += more


def _unpadded(frame: _Frame) -> bytes:
    if not frame.flags & _PADDED or not frame.payload:
        return frame.payload
    return frame.payload[1 : len(frame.payload) - frame.payload[0]]


def _message(data: bytes) -> bytes:
    """The one message in it. There is none where the call failed: then the trailers say why, which are not read."""
    if not data:
        raise NoAnswer("the server refused the call")
    length = int.from_bytes(data[1:5], "big")
    if data[0] or len(data) != 5 + length:
        raise NoAnswer("this is no gRPC message")
    return data[5:]


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _headers(method: str, authority: str, secure: bool) -> bytes:
    """The request's headers. The first bytes are numbers of the static table of RFC 7541, appendix A."""
    return b"".join(
        (
            b"\x83",  # :method: POST
            b"\x87" if secure else b"\x86",  # :scheme
            b"\x04" + _text(method),  # :path
            b"\x01" + _text(authority),  # :authority
            b"\x0f\x10" + _text("application/grpc"),  # content-type
            b"\x00" + _text("te") + _text("trailers"),
        )
    )


def _text(value: str) -> bytes:
    """A literal that is not compressed; the lengths that occur here need one byte."""
    raw = value.encode("ascii")
    if len(raw) >= 0x7F:
        raise NoAnswer(f"{value[:40]}... is too long to be sent")
    return bytes((len(raw),)) + raw
