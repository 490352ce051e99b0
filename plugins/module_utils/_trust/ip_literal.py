# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An address between the brackets of a URI, with a zone or without, and Go's words for one that is none. PRIVATE to the collection.

Source: net/netip ParseAddr, parseIPv6, parseIPv4Fields.
"""

from __future__ import annotations

import re

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.text import quote

_FIRST = re.compile(r"[.:%]")
_GROUP = re.compile(r"[0-9A-Fa-f]*")


class NotAnAddress(ValueError):
    """What is wrong, and with which rest of the text."""

    def __init__(self, wrong: str, rest: str = "") -> None:
        super().__init__(wrong + (f" (at {quote(rest)})" if rest else ""))


def check_address(text: str) -> None:
    """Raises ValueError with Go's words. An IPv4 address is one, too."""
    try:
        kind = _FIRST.search(text)
        if kind is None:
            raise NotAnAddress("unable to parse IP")
        if kind[0] == "%":
            raise NotAnAddress("missing IPv6 address")
        if kind[0] == ".":
            _check_ipv4(text)
        else:
            _check_ipv6(text)
    except NotAnAddress as error:
        raise ValueError(f"ParseAddr({quote(text)}): {error}") from None


def _check_ipv4(text: str) -> None:
    value, dots, digits = 0, 0, 0
    for at, char in enumerate(text):
        if char in "0123456789":
            if digits == 1 and value == 0:
                raise NotAnAddress("IPv4 field has octet with leading zero")
            value, digits = value * 10 + int(char), digits + 1
            if value > 255:
                raise NotAnAddress("IPv4 field has value >255")
        elif char != ".":
            raise NotAnAddress("unexpected character", text[at:])
        elif at in (0, len(text) - 1) or text[at - 1] == ".":
            raise NotAnAddress("IPv4 field must have at least one digit", text[at:])
        elif dots == 3:
            raise NotAnAddress("IPv4 address too long")
        else:
            value, digits, dots = 0, 0, dots + 1
    if dots < 3:
        raise NotAnAddress("IPv4 address too short")


def _check_ipv6(text: str) -> None:
    rest, percent, zone = text.partition("%")
    if percent and not zone:
        raise NotAnAddress("zone must be a non-empty string")
    octets, gap = 0, rest.startswith("::")
    if gap:
        rest = rest[2:]
        if not rest:
            return
    while octets < 16:
        group = _GROUP.match(rest)
        digits = group.end() if group else 0
        if digits > 4:
            raise NotAnAddress("each group must have 4 or less digits", rest)
        if not digits:
            raise NotAnAddress("each colon-separated field must have at least one digit", rest)
        if rest[digits : digits + 1] == ".":
            if not gap and octets != 12:
                raise NotAnAddress("embedded IPv4 address must replace the final 2 fields of the address", rest)
            if octets > 12:
                raise NotAnAddress("too many hex fields to fit an embedded IPv4 at the end of the address", rest)
            _check_ipv4(rest)
            rest, octets = "", octets + 4
            break
        rest, octets = rest[digits:], octets + 2
        if not rest:
            break
        if rest[0] != ":":
            raise NotAnAddress("unexpected character, want colon", rest)
        if len(rest) == 1:
            raise NotAnAddress("colon must be followed by more characters", rest)
        rest = rest[1:]
        if rest[0] == ":":
            if gap:
                raise NotAnAddress("multiple :: in address", rest)
            gap, rest = True, rest[1:]
            if not rest:
                break
    if rest:
        raise NotAnAddress("trailing garbage after address", rest)
    if octets < 16 and not gap:
        raise NotAnAddress("address string too short")
    if octets == 16 and gap:
        raise NotAnAddress("the :: must expand to at least one field of zeros")
