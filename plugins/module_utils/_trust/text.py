# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Go's way of writing and reading strings, times and addresses, where an error text or a verdict depends on it. PRIVATE to the collection."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.der import GENERALIZED_TIME, UTC_TIME, Malformed, element

_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"'}
_TIME = re.compile(rb"(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:Z|([+-])(\d\d)(\d\d))")
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_400_YEARS = 146097
_EPOCH = date(1970, 1, 1).toordinal()


def quote(text: str | bytes) -> str:
    """Go's %q. Source: strconv.Quote."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    return '"' + "".join(char if char.isprintable() and char not in '"\\' else _escape(char) for char in text) + '"'


def _escape(char: str) -> str:
    point = ord(char)
    if char in _ESCAPES:
        return _ESCAPES[char]
    if 0xDC80 <= point <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{point - 0xDC00:02x}"
    if point < 0x80:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def lower(text: str) -> str:
    """Lower case of ASCII letters alone: DNS knows no other."""
    return text.translate(_ASCII_LOWER)


def parse_ip(text: str) -> bytes | None:
    """4 or 16 bytes (4 also for an IPv4-mapped address), None if Go's net.ParseIP would refuse the text."""
    if "%" in text:  # no zones
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return unmapped(address.packed)


def unmapped(packed: bytes) -> bytes:
    """4 bytes for an IPv4 address in 16, else the bytes as they are. Source: net.IP.To4."""
    return packed[12:] if len(packed) == 16 and packed.startswith(b"\0" * 10 + b"\xff\xff") else packed


def ip_text(packed: bytes) -> str:
    """Source: net.IP.String."""
    packed = unmapped(packed)
    return str(IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed))


def parse_time(data: bytes, pos: int, end: int, any_zone: bool = False) -> tuple[tuple[int, str], int]:
    """((seconds since 1970, Go's RFC 3339 text), end of the element). Raises Malformed.

    Not a datetime, because Go also takes year 0, seconds-less UTCTime and offsets from UTC (kept in the text); `any_zone`: of any hours.
    Source: cryptobyte ReadASN1UTCTime, ReadASN1GeneralizedTime.
    """
    tag, start, stop = element(data, pos, end)
    first = data[pos] if pos < end else -1
    if first not in (UTC_TIME, GENERALIZED_TIME):
        raise Malformed("x509: unsupported time format")
    error = "x509: malformed UTCTime" if first == UTC_TIME else "x509: malformed GeneralizedTime"
    match = _TIME.fullmatch(data[start:stop]) if tag == first else None
    if match is None:
        raise Malformed(error)
    years, sign = match[1], match[7]
    year, month, day, hour, minute, second = (int(part or b"0") for part in match.groups()[:6])
    if len(years) != (2 if first == UTC_TIME else 4) or (first == GENERALIZED_TIME and match[6] is None):
        raise Malformed(error)
    if first == UTC_TIME:
        year += 1900 if year >= 50 else 2000
    east = int(match[8]) * 60 + int(match[9]) if sign else 0
    if hour > 23 or (int(match[8] or b"0") > 24 and not any_zone) or max(minute, second, int(match[9] or b"0")) > 59 or (sign and not east):
        raise Malformed(error)
    try:
        days = date(year or 400, month, day).toordinal() - (0 if year else _400_YEARS)
    except ValueError:
        raise Malformed(error) from None
    east = -east if sign == b"-" else east
    offset = f"{sign.decode()}{match[8].decode()}:{match[9].decode()}" if sign else "Z"
    text = f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{offset}"
    return ((days - _EPOCH) * 86400 + hour * 3600 + minute * 60 + second - east * 60, text), stop


def utc(seconds: float, fallback: str = "") -> str:
    """ISO 8601 with Z, whole seconds; `fallback` for what a calendar of the years 1 to 9999 cannot hold."""
    try:
        return (datetime(1970, 1, 1) + timedelta(seconds=int(seconds // 1))).isoformat() + "Z"
    except OverflowError:
        return fallback
