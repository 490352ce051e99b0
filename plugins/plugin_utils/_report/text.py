# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that others wrote, made safe to show, and small phrases. PRIVATE to the collection.

Names, error texts and certificates come from whoever can write to the cluster or answer a connection. What could act on a terminal or turn a line around
(control characters, escape sequences, bidirectional overrides, invisible characters) is shown as its code, so that it is neither obeyed nor lost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._secrets import without_secrets

# C0 without newline and tab, DEL, C1; invisible and direction-changing characters; line separators; the byte order mark; tags; lone surrogates (not encodable).
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_SPACE = re.compile(r"\s+")
_CRLF = re.compile(r"\r\n?")


def _code(match: re.Match[str]) -> str:
    point = ord(match.group())
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def shown(text: object) -> str:
    r"""`text` fit to be shown: what is not plainly visible is written as its code (`\x1b`, `\u202e`), secrets are gone. Newlines and tabs stay."""
    return without_secrets(_UNSAFE.sub(_code, _CRLF.sub("\n", str(text))))


def one_line(text: object, longest: int = 2000) -> str:
    """`text`, shown, on one line, at most `longest` characters."""
    return shorten(_SPACE.sub(" ", shown(text)).strip(), longest)


def shorten(text: str, longest: int) -> str:
    """`text`, or its beginning and how much is missing."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text) - longest} more characters)"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 error`, `31 call-outs`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(items: Sequence[str], at_most: int) -> str:
    """`a, b, c and 27 more`."""
    shown = ", ".join(items[:at_most])
    return shown if len(items) <= at_most else f"{shown} and {len(items) - at_most} more"


def moment(time: str | None) -> str | None:
    """`2026-08-21T14:03:09Z` as `2026-08-21 14:03 UTC`; what is no such time is given back as it is."""
    if time is None:
        return None
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z", time)
    return f"{found.group(1)} {found.group(2)} UTC" if found else time


def days(number: float) -> str:
    """Days until an end: `23 days`, `5 hours`, `expired 3 days ago`."""
    if number < 0:
        return f"expired {days(-number)} ago"
    if number < 2:
        return counted(int(number * 24), "hour")
    return counted(int(number), "day")
