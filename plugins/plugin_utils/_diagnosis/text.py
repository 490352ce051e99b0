# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from the cluster made safe to print and to paste. PRIVATE to the collection.

Names, error texts and certificates come from whoever can write to the cluster or answer a connection. They are shown, never interpreted: control
characters go (a terminal would obey them), length is bounded, and what stands in a command line is quoted for a POSIX shell.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from string import Formatter

LONGEST = 600
_SPACE = re.compile(r"\s+")
# C0, DEL, C1, line and paragraph separators, and the characters that turn the direction of text around.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: object, longest: int = LONGEST) -> str:
    """`text` on one line, without control characters, at most `longest` characters (an ellipsis says where it was cut)."""
    line = _UNPRINTABLE.sub("", _SPACE.sub(" ", str(text))).strip()
    return line if len(line) <= longest else line[: longest - 1] + "…"


def placeholders(template: str) -> list[str]:
    """The names in braces of a step, in order."""
    return [name for literal, name, spec, conversion in Formatter().parse(template) if name]


def fill(template: str, values: Mapping[str, object]) -> str | None:
    """A step with its values, or None where one is missing.

    A step that starts with `# ` is a sentence for a person (so that all steps together can be pasted into a shell), any other is a command: its
    values are quoted. A list becomes several words.
    """
    names = placeholders(template)
    if any(values.get(name) in (None, "") for name in names):
        return None
    quote = _words if template.startswith("# ") else _quoted
    return template.format(**{name: quote(values[name]) for name in names})


def _quoted(value: object) -> str:
    return " ".join(shlex.quote(clean(one)) for one in value) if isinstance(value, (list, tuple)) else shlex.quote(clean(value))


def _words(value: object) -> str:
    return listing([clean(one) for one in value]) if isinstance(value, (list, tuple)) else clean(value)


def listing(items: list[str], at_most: int = 5) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(items[:at_most])
    return shown if len(items) <= at_most else f"{shown} and {len(items) - at_most} more"


def dial(address: str, port: object) -> str:
    """`address:port` as a person types it: IPv6 in brackets."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
