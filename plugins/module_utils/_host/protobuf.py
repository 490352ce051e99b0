# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The little of Protocol Buffers that a message of a few texts and numbers needs. Pure. PRIVATE to the collection.

Format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Union

Value = Union[int, bytes]


class Malformed(ValueError):
    """This is no message."""


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """(number, value) of each field in its order: an int, or the bytes of a text or message. Raises Malformed."""
    at = 0
    while at < len(message):
        key, at = _number(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _number(message, at)
            yield key >> 3, value
            continue
        if kind == 2:
            length, at = _number(message, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise Malformed(f"wire type {kind}")
        if at + length > len(message):
            raise Malformed("it is cut off")
        yield key >> 3, message[at : at + length]
        at += length


def of_bytes(message: bytes, number: int) -> list[bytes]:
    """The values of a repeated field of texts or messages."""
    return [value for field, value in fields(message) if field == number and isinstance(value, bytes)]


def of_number(message: bytes, number: int) -> int:
    """The value of a number or a bool; 0 where it was left out."""
    return next((value for field, value in fields(message) if field == number and isinstance(value, int)), 0)


def _number(message: bytes, at: int) -> tuple[int, int]:
    """A varint, and what comes after it."""
    value = 0
    for position in range(10):
        if at + position >= len(message):
            break
        byte = message[at + position]
        value |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            return value, at + position + 1
    raise Malformed("a number does not end")
