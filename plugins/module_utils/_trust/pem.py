# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PEM as Go's encoding/pem reads it: which blocks there are, and what is lost between them. PRIVATE to the collection."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

_BEGIN, _END, _DASHES = b"-----BEGIN ", b"\n-----END ", b"-----"
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")


class Block(NamedTuple):
    kind: str  # "CERTIFICATE"
    headers: bool  # has "Name: value" lines
    body: bytes
    begin: int  # offsets of the block in the text
    end: int


def blocks(data: bytes) -> Iterator[Block]:
    """The blocks that repeated pem.Decode returns: what does not decode is skipped without a word, as there."""
    position = 0
    while position < len(data):
        block = _decode(data, position)
        if block is None:
            return
        yield block
        position = block.end


def _line(data: bytes, start: int, stop: int | None = None) -> tuple[bytes, int]:
    """The line at `start` without trailing blanks, and where the next one begins."""
    end = data.find(b"\n", start)
    if end < 0:
        return data[start:].rstrip(b" \t"), len(data)
    text = data[start:end]
    return (text[:-1] if text.endswith(b"\r") else text).rstrip(b" \t"), end + 1


def _decode(data: bytes, position: int) -> Block | None:
    """The next block at or after `position`, or None. Linear: every failed attempt goes on behind the END that it saw."""
    rest, skip = position, 0
    while 0 <= skip <= len(data) - rest:
        rest += skip
        end = data.find(_END, rest)
        if end < 0:
            return None
        trailer = end + len(_END)
        begin = data.rfind(_BEGIN, rest, end)
        if begin < 0 or (begin > rest and data[begin - 1 : begin] != b"\n"):
            skip = trailer - rest
            continue
        rest = begin + len(_BEGIN)
        kind, rest = _line(data, rest)
        skip = trailer - rest
        if not kind.endswith(_DASHES):
            continue
        kind = kind[: -len(_DASHES)]
        headers = False
        while True:
            if rest >= len(data):
                return None
            line, following = _line(data, rest)
            if b":" not in line:
                break
            headers, rest = True, following
        skip = trailer - rest
        if headers and end < rest:
            continue
        closing = trailer + len(kind) + len(_DASHES)
        if data[trailer:closing] != kind + _DASHES or _line(data, closing)[0]:
            continue
        body = b""
        if end > rest:
            text = data[rest:end].translate(None, b" \t\r\n")
            if len(text) % 4 or not _BASE64.fullmatch(text):
                continue
            body = binascii.a2b_base64(text)
        return Block(kind.decode("utf-8", "replace"), headers, body, begin, _line(data, end + 1)[1])
    return None
