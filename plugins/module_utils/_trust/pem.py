# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PEM as Go's encoding/pem reads it: which blocks there are, and what is lost between them. PRIVATE to the collection."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Callable, NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import NEWEST, Rules

BEGIN, END, DASHES = b"-----BEGIN ", b"\n-----END ", b"-----"
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")


class Block(NamedTuple):
    kind: str  # "CERTIFICATE"
    headers: bool  # has "Name: value" lines
    body: bytes
    begin: int  # offsets of the block in the text
    end: int


def blocks(data: bytes, rules: Rules = NEWEST) -> Iterator[Block]:
    """The blocks that repeated pem.Decode returns: what does not decode is skipped without a word, as there."""
    decode = _decode if rules.pem_by_end else _older_decode()
    position = 0
    while position < len(data):
        block = decode(data, position)
        if block is None:
            return
        yield block
        position = block.end


def _older_decode() -> Callable[[bytes, int], Block | None]:
    # Loaded (and compiled, on every task) only for an older API server.
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.pem_by_begin import decode

    return decode


def line_at(data: bytes, start: int) -> tuple[bytes, int]:
    """The line at `start` without trailing blanks, and where the next one begins."""
    end = data.find(b"\n", start)
    if end < 0:
        return data[start:].rstrip(b" \t"), len(data)
    text = data[start:end]
    return (text[:-1] if text.endswith(b"\r") else text).rstrip(b" \t"), end + 1


def base64_body(text: bytes) -> bytes | None:
    """What base64 in lines stands for, None where Go would not decode it."""
    text = text.translate(None, b" \t\r\n")
    return None if len(text) % 4 or not _BASE64.fullmatch(text) else binascii.a2b_base64(text)


def _decode(data: bytes, position: int) -> Block | None:
    """The next block at or after `position`, or None. Linear: every failed attempt goes on behind the END that it saw."""
    rest, skip = position, 0
    while 0 <= skip <= len(data) - rest:
        rest += skip
        end = data.find(END, rest)
        if end < 0:
            return None
        trailer = end + len(END)
        begin = data.rfind(BEGIN, rest, end)
        if begin < 0 or (begin > rest and data[begin - 1 : begin] != b"\n"):
            skip = trailer - rest
            continue
        rest = begin + len(BEGIN)
        kind, rest = line_at(data, rest)
        skip = trailer - rest
        if not kind.endswith(DASHES):
            continue
        kind = kind[: -len(DASHES)]
        headers = False
        while True:
            if rest >= len(data):
                return None
            line, following = line_at(data, rest)
            if b":" not in line:
                break
            headers, rest = True, following
        skip = trailer - rest
        if headers and end < rest:
            continue
        closing = trailer + len(kind) + len(DASHES)
        if data[trailer:closing] != kind + DASHES or line_at(data, closing)[0]:
            continue
        body = base64_body(data[rest:end]) if end > rest else b""
        if body is None:
            continue
        return Block(kind.decode("utf-8", "replace"), headers, body, begin, line_at(data, end + 1)[1])
    return None
