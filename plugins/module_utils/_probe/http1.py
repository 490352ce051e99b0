# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP/1.1 exchange over a stream, bounded in bytes and time whatever the server sends. PRIVATE to the collection.

Go's client takes 10 MB of header and any length of body; a webhook needs some KB, so the limits here are lower and only
a hostile or a broken server meets them.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.dial import Stream

MAX_HEAD = 64 * 1024  # bytes of status line and header fields
MAX_BODY = 1024 * 1024
_MAX_INFORMATIONAL = 5  # 1xx answers before the real one, as Go's net/http
_CHUNK_LINE = 256
_READ = 32 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: (.*))?")
_BODILESS = (204, 304)


class NotHttp(Exception):
    """What came is not an HTTP answer, or does not end within the limits."""


class Truncated(Exception):
    """The connection ended before the answer's end. `begun`: some of the answer had come."""

    def __init__(self, begun: bool) -> None:
        super().__init__("unexpected EOF" if begun else "EOF")
        self.begun = begun


class Head(NamedTuple):
    status: int
    reason: str
    headers: Mapping[str, str]  # names in lower case; the last of repeated ones


class Reader:
    """Reads one answer of `stream`. All methods raise OutOfTime and OSError besides what they name."""

    def __init__(self, stream: Stream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline
        self._buffer = bytearray()
        self._begun = False

    def head(self) -> Head:
        """The answer's status and fields. Raises NotHttp, Truncated."""
        left = MAX_HEAD
        for _answer in range(_MAX_INFORMATIONAL + 1):
            line = self._status_line(left)
            match = _STATUS_LINE.fullmatch(line)
            if match is None:
                raise NotHttp(f"malformed HTTP response {_quoted(line)}")
            left -= len(line)
            headers: dict[str, str] = {}
            while True:
                field = self._line(left)
                left -= len(field) + 2
                if not field:
                    break
                name, colon, value = field.partition(b":")
                if not colon or name != name.strip():
                    raise NotHttp(f"malformed MIME header line: {_quoted(field)}")
                headers[name.decode("latin-1").lower()] = value.strip().decode("latin-1")
            status = int(match.group(1))
            if status >= 200 or status == 101:
                return Head(status, (match.group(2) or b"").decode("latin-1"), headers)
        raise NotHttp("net/http: too many 1xx informational responses")

    def body(self, head: Head) -> bytes:
        """The answer's body. Raises NotHttp where it is longer than MAX_BODY or wrongly framed, Truncated."""
        if head.status in _BODILESS or head.status == 101:
            return b""
        if "chunked" in head.headers.get("transfer-encoding", "").lower():
            return self._chunks()
        length = head.headers.get("content-length")
        if length is None:
            return self._rest()
        if not length.isascii() or not length.isdigit() or len(length) > 18:
            raise NotHttp(f"bad Content-Length {_quoted(length.encode('latin-1'))}")
        if int(length) > MAX_BODY:
            raise NotHttp(f"the answer announces {int(length)} bytes; no more than {MAX_BODY} are read")
        return self._exactly(int(length))

    def so_far(self) -> bytes:
        """What of the body came before it failed."""
        return bytes(self._buffer)

    def _status_line(self, limit: int) -> bytes:
        while len(self._buffer) < 5:
            if not b"HTTP/".startswith(self._buffer) or not self._more():
                break
        if self._buffer and not self._buffer.startswith(b"HTTP/"):
            raise NotHttp(f"malformed HTTP response {_quoted(bytes(self._buffer))}")
        return self._line(limit)

    def _line(self, limit: int) -> bytes:
        searched = 0
        while True:
            end = self._buffer.find(b"\n", searched)
            if end > limit or (end < 0 and len(self._buffer) > limit):
                raise NotHttp(f"the header does not end within {MAX_HEAD} bytes")
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                return line[:-1] if line.endswith(b"\r") else line
            searched = len(self._buffer)
            if not self._more():
                raise Truncated(self._begun)

    def _exactly(self, length: int) -> bytes:
        while len(self._buffer) < length:
            if not self._more():
                raise Truncated(True)
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken

    def _rest(self) -> bytes:
        while self._more():
            if len(self._buffer) > MAX_BODY:
                raise NotHttp(f"the answer is longer than {MAX_BODY} bytes")
        return bytes(self._buffer)

    def _chunks(self) -> bytes:
        content = bytearray()
        while True:
            line = self._line(_CHUNK_LINE)
            size = line.partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
                raise NotHttp(f"invalid byte in chunk length {_quoted(line)}")
            if int(size, 16) == 0:
                return bytes(content)  # trailers, if any, say nothing that matters here
            if len(content) + int(size, 16) > MAX_BODY:
                raise NotHttp(f"the answer is longer than {MAX_BODY} bytes")
            content += self._exactly(int(size, 16))
            if self._exactly(2) != b"\r\n":
                raise NotHttp("malformed chunked encoding")

    def _more(self) -> bool:
        try:
            data = self._stream.recv(_READ, self._deadline)
        except ssl.SSLEOFError as error:  # closed without close_notify: to Go an answer that ends so is cut off
            raise Truncated(self._begun) from error
        self._buffer += data
        self._begun = self._begun or bool(data)
        return bool(data)


def _quoted(data: bytes) -> str:
    return '"' + data[:80].decode("latin-1").encode("unicode_escape").decode("ascii") + '"'
