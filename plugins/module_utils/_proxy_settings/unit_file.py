# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit files of systemd, as far as they set variables. Pure. PRIVATE to the collection.

Syntax: systemd.syntax(7), systemd.exec(5) Environment=, EnvironmentFile=, UnsetEnvironment=; src/basic/extract-word.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " ", "\\": "\\", '"': '"', "'": "'"}


def settings(text: str, section: str) -> Iterator[tuple[str, str]]:
    """(key, value) in their order; lines that end with a backslash go on."""
    within, pending = False, ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith(("#", ";")) or (not stripped and not pending):
            continue
        pending += line.lstrip() if not pending else line
        if pending.endswith("\\"):
            pending = f"{pending[:-1]} "
            continue
        whole, pending = pending.strip(), ""
        if whole.startswith("["):
            within = whole == f"[{section}]"
        elif within and "=" in whole:
            key, dummy, value = whole.partition("=")
            yield key.strip(), value.strip()


def words(value: str) -> list[str]:
    """Split as extract_first_word does it with EXTRACT_UNQUOTE and EXTRACT_CUNESCAPE: quotes may stand anywhere in a word."""
    found: list[str] = []
    word, quote, begun = "", "", False
    characters = iter(value)
    for character in characters:
        if character == "\\":
            word, begun = word + _unescaped(characters), True
        elif quote:
            if character == quote:
                quote = ""
            else:
                word += character
        elif character in "\"'":
            quote, begun = character, True
        elif character.isspace():
            if begun:
                found.append(word)
            word, begun = "", False
        else:
            word, begun = word + character, True
    return [*found, word] if begun else found


def _unescaped(characters: Iterator[str]) -> str:
    follows = next(characters, "")
    if follows in "xuU01234567" and follows:
        length = {"x": 2, "u": 4, "U": 8}.get(follows)
        digits = "".join(next(characters, "") for dummy in range(length or 2))
        try:
            return chr(int(digits, 16) if length else int(follows + digits, 8))
        except ValueError:
            return f"\\{follows}{digits}"
    return _ESCAPES.get(follows, f"\\{follows}")


def assignments(value: str) -> list[tuple[str, str]]:
    """(name, value) of an Environment= line, the values with their specifiers."""
    found = []
    for word in words(value):
        name, equals, rest = word.partition("=")
        if equals and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            found.append((name, rest))
    return found


# systemd 252, systemd.unit(5).
_LETTERS = frozenset("aAbBCdDEfgGhHiIjJlLmMnNopPqsStTuUvVwWyY")


def misread(unknown: Sequence[str]) -> list[str]:
    """Of the specifiers that `resolved` does not know those that systemd does not know either, for which it ignores the whole assignment. Measured: 252."""
    return [specifier for specifier in unknown if specifier[1] not in _LETTERS]


def resolved(value: str, specifiers: Mapping[str, str]) -> tuple[str, list[str]]:
    """(the value without its specifiers, those that are not known and therefore left). specifiers: letter -> what it stands for. systemd.unit(5)"""
    known = {"%": "%", **specifiers}
    unknown = [f"%{letter}" for letter in dict.fromkeys(re.findall(r"%([A-Za-z0-9%])", value)) if letter not in known]
    return re.sub(r"%([A-Za-z0-9%])", lambda match: known.get(match[1], match[0]), value), unknown
