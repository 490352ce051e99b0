# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DER as Go's golang.org/x/crypto/cryptobyte reads it: strict lengths, one-byte tags, minimal integers. PRIVATE to the collection.

Offsets into one `bytes` object are passed around instead of slices, so that nothing is copied.
"""

from __future__ import annotations

from functools import lru_cache

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
SEQUENCE, SET, UTC_TIME, GENERALIZED_TIME = 0x30, 0x31, 0x17, 0x18

Element = tuple[int, int, int]

_MALFORMED: Element = (-1, 0, 0)


class Malformed(ValueError):
    """The bytes are not what Go's parser accepts; the text is Go's."""


def element(data: bytes, pos: int, end: int) -> Element:
    """(tag, start, stop) of the contents of the element at `pos`; the tag is -1 where there is none that Go would read."""
    start = pos + 2
    if start > end:
        return _MALFORMED
    tag = data[pos]
    length = data[pos + 1]
    if tag & 0x1F == 0x1F:
        return _MALFORMED
    if length >= 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4 or start + octets > end:
            return _MALFORMED
        length = int.from_bytes(data[start : start + octets], "big")
        start += octets
        if length < 0x80 or not length >> 8 * (octets - 1):
            return _MALFORMED
    stop = start + length
    return (tag, start, stop) if stop <= end else _MALFORMED


def expect(tag: int, data: bytes, pos: int, end: int, error: str) -> tuple[int, int]:
    """(start, stop) of the contents of the element at `pos`, which must have that tag. Raises Malformed(error)."""
    found, start, stop = element(data, pos, end)
    if found != tag:
        raise Malformed(error)
    return start, stop


def integer(data: bytes, start: int, stop: int, error: str, bits: int = 0) -> int:
    """The INTEGER whose contents are data[start:stop]; `bits` limits it to a signed integer of that size. Raises Malformed(error)."""
    body = data[start:stop]
    if not body or (len(body) > 1 and body[0] == (0xFF if body[1] & 0x80 else 0)) or (bits and len(body) * 8 > bits):
        raise Malformed(error)
    return int.from_bytes(body, "big", signed=True)


def boolean(data: bytes, start: int, stop: int, error: str) -> bool:
    body = data[start:stop]
    if body not in (b"\x00", b"\xff"):
        raise Malformed(error)
    return body == b"\xff"


def bit_string(data: bytes, start: int, stop: int, error: str) -> tuple[bytes, int]:
    """(bytes, number of unused bits at their end). Raises Malformed(error)."""
    unused, body = (data[start], data[start + 1 : stop]) if stop > start else (8, b"")
    if unused > 7 or (unused and (not body or body[-1] & (1 << unused) - 1)):
        raise Malformed(error)
    return body, unused


def right_aligned(body: bytes, unused: int) -> bytes:
    """A bit string's bytes with its unused bits moved to the front, as Go hands signatures and keys on."""
    return (int.from_bytes(body, "big") >> unused).to_bytes(len(body), "big") if unused else body


@lru_cache(maxsize=4096)
def is_oid(body: bytes) -> bool:
    """Whether Go reads these contents as an OBJECT IDENTIFIER: every arc below 2^31, in as few octets as possible."""
    value, first = 0, True
    for octet in body:
        if (first and octet == 0x80) or value >= 1 << 24:
            return False
        value = value << 7 | octet & 0x7F
        first = not octet & 0x80
        if first:
            value = 0
    return first and bool(body)


def dotted(body: bytes) -> str:
    """The usual text of an OBJECT IDENTIFIER that is_oid."""
    arcs, value = [], 0
    for octet in body:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    root = min(arcs[0] // 40, 2)
    return ".".join(map(str, (root, arcs[0] - 40 * root, *arcs[1:])))
