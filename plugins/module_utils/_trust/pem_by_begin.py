# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PEM as encoding/pem reads it until Go 1.23: a block begins at the first BEGIN. PRIVATE to the collection.

Go's own decoder is quadratic for hostile text, this one is not: the next END is looked for once, however many BEGINs are before it, and base64 is read
only up to the first character that is none, which is never behind the next BEGIN. Source: encoding/pem Decode (1.23).
"""

from __future__ import annotations

import re

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.pem import BEGIN, DASHES, END, Block, base64_body, line_at

_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/ \t\r\n]*(?:=[ \t\r\n]*){0,2}")


def decode(data: bytes, position: int) -> Block | None:
    """The next block at or after `position`, or None."""
    rest, known_end = position, position - 1
    while True:
        begin = rest if data.startswith(BEGIN, rest) else data.find(b"\n" + BEGIN, rest) + 1
        if begin < 1 and not data.startswith(BEGIN, rest):
            return None
        kind, rest = line_at(data, begin + len(BEGIN))
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
        if not headers and data.startswith(END[1:], rest):
            end, trailer = rest, rest + len(END) - 1
        else:
            if known_end < rest:
                known_end = data.find(END, rest)
                if known_end < 0:
                    known_end = len(data)
            if known_end == len(data):
                continue
            end, trailer = known_end, known_end + len(END)
        closing = trailer + len(kind) + len(DASHES)
        if data[trailer:closing] != kind + DASHES or line_at(data, closing)[0]:
            continue
        text = _BASE64_TEXT.match(data, rest, end)
        body = base64_body(data[rest:end]) if text and text.end() == end else None
        if body is None:
            continue
        return Block(kind.decode("utf-8", "replace"), headers, body, begin, line_at(data, trailer)[1])
