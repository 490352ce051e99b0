# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables in the words of systemd: drop-ins, and lines of environment files. Pure. PRIVATE to the collection.

Syntax: systemd.exec(5). In a drop-in a percent sign begins a specifier, so that it is doubled; in an environment file it does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLAIN = re.compile(r"[A-Za-z0-9_.,:/@%+=~*\[\]-]*")
_HEAD = "# Written by role kubeops.webhook_doctor.no_proxy; state absent removes it.\n"


class Unwritable(ValueError):
    """A value that no line can hold; the text names the variable, never the value."""


def drop_in(variables: Mapping[str, str]) -> str:
    """Raises Unwritable."""
    return f"{_HEAD}[Service]\n" + "".join(f"{_in_unit(name, _checked(name, value))}\n" for name, value in variables.items())


def environment_lines(variables: Mapping[str, str]) -> str:
    """Raises Unwritable."""
    return "\n".join(_in_file(name, _checked(name, value)) for name, value in variables.items())


def _in_unit(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'Environment="{name}={quoted}"'


def _in_file(name: str, value: str) -> str:
    return f"{name}={value}" if _PLAIN.fullmatch(value) else name + '="' + re.sub(r'(["\\`$])', r"\\\1", value) + '"'


def _checked(name: str, value: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise Unwritable(f"{name} holds a control character, which no line can hold.")
    return value
