# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that others wrote, made fit to show."""

from __future__ import annotations

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.text import counted, days, listed, moment, one_line, shown, without_secrets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, ümläut, 日本語, ✔", "plain text, ümläut, 日本語, ✔"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("windows\r\nold mac\rend", "windows\nold mac\nend"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),
        ("bell\x07 nul\x00 del\x7f", "bell\\x07 nul\\x00 del\\x7f"),
        ("abc\u202egpj.exe", "abc\\u202egpj.exe"),
        ("isolate\u2066x\u2069", "isolate\\u2066x\\u2069"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("lone \ud800", "lone \\ud800"),
        (None, "None"),
    ],
)
def test_what_is_not_plainly_visible_is_shown_as_its_code(text: object, expected: str) -> None:
    assert shown(text) == expected
    shown(text).encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("http://user:pa55@proxy.example:3128", "http://(removed)@proxy.example:3128"),
        ("HTTP://user:pa55@proxy.example:3128", "HTTP://(removed)@proxy.example:3128"),
        ("http://user:p@55@proxy.example:3128, mail user@example.org", "http://(removed)@proxy.example:3128, mail user@example.org"),
        ("http://proxy.example:3128/ user@example.org", "http://proxy.example:3128/ user@example.org"),
        ("mail user@example.org at http://example.org/@x", "mail user@example.org at http://example.org/@x"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"),
        ("a-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----b", "a(a private key was removed here)b"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB, cut off", "(a private key was removed here)"),
        ('{"a": "-----BEGIN EC PRIVATE KEY-----\\nMIIB", "b": 1}', '{"a": "(a private key was removed here)", "b": 1}'),
    ],
)
def test_secrets_go(text: str, expected: str) -> None:
    assert without_secrets(text) == expected


def test_one_line_is_bounded_and_says_what_is_missing() -> None:
    assert one_line(" a\n\n b\t c ") == "a b c"
    assert one_line("x" * 50, 10) == "xxxxxxxxxx… (40 more characters)"


def test_phrases() -> None:
    assert [counted(number, "error") for number in (0, 1, 2)] == ["0 errors", "1 error", "2 errors"]
    assert counted(2, "entry", "entries") == "2 entries"
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
    assert [days(number) for number in (81.4, 1.5, -3.2, -0.5)] == ["81 days", "36 hours", "expired 3 days ago", "expired 12 hours ago"]
    assert moment("2026-08-21T14:03:09Z") == "2026-08-21 14:03 UTC"
    assert moment("2026-08-21T14:03:09.123Z") == "2026-08-21 14:03 UTC"
    assert moment("yesterday") == "yesterday"
    assert moment(None) is None
