# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The little of an X.509 certificate that a host has to know: its name and its dates. Standard library only. PRIVATE to the collection.

Certificates are judged on the controller; this tells whether a served one is a new one. Format: RFC 5280 4.1, in DER (X.690).
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import NamedTuple

_SEQUENCE, _SET, _OID, _UTC_TIME, _VERSION = 0x30, 0x31, 0x06, 0x17, 0xA0
_COMMON_NAME = bytes((0x55, 0x04, 0x03))  # 2.5.4.3


class NotACertificate(ValueError):
    """These bytes are no certificate."""


class Names(NamedTuple):
    """`common_name`: of the subject, None where it has none. Dates are seconds since 1970."""

    common_name: str | None
    not_before: float
    not_after: float


def names(der: bytes) -> Names:
    """Raises NotACertificate."""
    try:
        certificate = _Reader(_Reader(der).take(_SEQUENCE))
        body = _Reader(certificate.take(_SEQUENCE))
        if body.next_tag() == _VERSION:
            body.take(_VERSION)
        for _serial_algorithm_issuer in range(3):
            body.skip()
        validity = _Reader(body.take(_SEQUENCE))
        begin, end = _time(*validity.any()), _time(*validity.any())
        return Names(_common_name(body.take(_SEQUENCE)), begin, end)
    except (IndexError, UnicodeDecodeError, ValueError) as error:
        raise NotACertificate(f"not an X.509 certificate: {error}") from error


def _common_name(name: bytes) -> str | None:
    found = None
    sets = _Reader(name)
    while sets.more():
        attributes = _Reader(sets.take(_SET))
        while attributes.more():
            attribute = _Reader(attributes.take(_SEQUENCE))
            kind, (_tag, value) = attribute.take(_OID), attribute.any()
            if kind == _COMMON_NAME:
                found = value.decode("utf-8")
    return found


def _time(tag: int, value: bytes) -> float:
    """UTCTime has two digits for the year, 50 to 99 of which are of the 1900s; GeneralizedTime has four."""
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()


class _Reader:
    """Elements one after the other: tag, length, value. Raises IndexError, ValueError."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def more(self) -> bool:
        return self._at < len(self._data)

    def next_tag(self) -> int:
        return self._data[self._at]

    def any(self) -> tuple[int, bytes]:
        tag, length = self._data[self._at], self._data[self._at + 1]
        self._at += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(self._data[self._at : self._at + count], "big")
            self._at += count
        end = self._at + length
        if end > len(self._data):
            raise ValueError("it is cut off")
        value = self._data[self._at : end]
        self._at = end
        return tag, value

    def skip(self) -> None:
        self.any()

    def take(self, expected: int) -> bytes:
        tag, value = self.any()
        if tag != expected:
            raise ValueError(f"there is an element {tag:#x} where {expected:#x} is expected")
        return value
