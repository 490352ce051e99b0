# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of variables: EnvironmentFile= of systemd, /etc/environment. Pure. PRIVATE to the collection.

Syntax: systemd.exec(5) EnvironmentFile=, src/basic/env-file.c. No specifiers there, so that a percent sign is one.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")
# What a backslash makes plain between double quotes.
_ESCAPED = '"\\`$'
# The marks of what role no_proxy writes (blockinfile).
BEGIN = "# BEGIN kubeops.webhook_doctor no_proxy"
END = "# END kubeops.webhook_doctor no_proxy"


def variables(text: str) -> list[tuple[str, str]]:
    """(name, value) in their order; the last one of a name counts."""
    found = []
    position = 0
    while position < len(text):
        end = _end_of_line(text, position)
        line = text[position:end].strip()
        match = None if line.startswith(("#", ";")) else _NAME.match(text, position + len(text[position:end]) - len(text[position:end].lstrip()))
        if match:
            value, end = _value(text, match.end())
            found.append((match[1], value))
        position = end + 1
    return found


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _value(text: str, position: int) -> tuple[str, int]:
    """(the value that begins here, where its line ends)."""
    value, kept, quote = "", 0, ""
    while position < len(text):
        character = text[position]
        if quote:
            if character == quote:
                quote, kept = "", len(value)
            elif character == "\\" and quote == '"' and position + 1 < len(text) and text[position + 1] in _ESCAPED + "\n":
                position += 1
                value += "" if text[position] == "\n" else text[position]
            else:
                value += character
        elif character == "\n":
            break
        elif character in "\"'" and not value.strip():
            quote, value = character, ""
        elif character == "\\" and position + 1 < len(text):
            position += 1
            value += "" if text[position] == "\n" else text[position]
        elif value or not character.isspace():
            value += character
        position += 1
    return (value[:kept] + value[kept:].rstrip()) if kept else value.rstrip(), position


def parts(text: str) -> tuple[str, str, str]:
    """What stands before our marks, between, and after them."""
    before, dummy, rest = text.partition(f"{BEGIN}\n")
    ours, dummy, after = rest.partition(END)
    return before, ours, after


def block(text: str) -> str:
    """What stands between our marks."""
    return parts(text)[1]
