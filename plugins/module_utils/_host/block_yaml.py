# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The YAML that programs write (kubeconfigs, settings), read without PyYAML, which not every host has. PRIVATE to the collection.

Known: nested block mappings and sequences of plain and quoted scalars, comments, and JSON. Not known, and refused: flow collections that are not JSON,
anchors, tags, block scalars. Every scalar is a text.
"""

from __future__ import annotations

import json
import re
from typing import Any

_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"\[{&*!|>%@`-][^:#]*|-[^\s:#][^:#]*)\s*:(?:\s+(.*))?$""")


class NotUnderstood(ValueError):
    """This is not YAML, or more than is known here; the text says where."""


def load(text: str) -> Any:
    """What the document says. Raises NotUnderstood."""
    stripped = text.strip()
    if stripped.startswith(("{", "[")):
        try:
            return json.loads(stripped)
        except ValueError as error:
            raise NotUnderstood(str(error)) from error
    lines = [(number, len(line) - len(line.lstrip(" ")), line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [line for line in lines if line[2] and not line[2].startswith("#") and line[2] not in ("---", "...")]
    value, end = _block(lines, 0, lines[0][1]) if lines else (None, 0)
    if end != len(lines):
        raise NotUnderstood(f"line {lines[end][0]} is indented in a way that is not understood")
    return value


def _block(lines: list[tuple[int, int, str]], at: int, indent: int) -> tuple[Any, int]:
    """The mapping or sequence that begins at line `at` and is indented by `indent`, and the line after it."""
    return (_sequence if _is_item(lines[at][2]) else _mapping)(lines, at, indent)


def _is_item(line: str) -> bool:
    return line == "-" or line.startswith("- ")


def _mapping(lines: list[tuple[int, int, str]], at: int, indent: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while at < len(lines) and lines[at][1] == indent and not _is_item(lines[at][2]):
        number, _indent, line = lines[at]
        match = _KEY.match(line)
        if match is None:
            raise NotUnderstood(f"line {number} is not understood")
        key, rest = _scalar(match.group(1).strip(), number), _uncommented(match.group(2) or "")
        if rest:
            found[key], at = _scalar(rest, number), at + 1
            continue
        at += 1
        below = at < len(lines) and (lines[at][1] > indent or (lines[at][1] == indent and _is_item(lines[at][2])))
        found[key], at = _block(lines, at, lines[at][1]) if below else (None, at)
    return found, at


def _sequence(lines: list[tuple[int, int, str]], at: int, indent: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    while at < len(lines) and lines[at][1] == indent and _is_item(lines[at][2]):
        number, _indent, line = lines[at]
        rest = line[1:].lstrip(" ")
        if rest and (_KEY.match(rest) or _is_item(rest)):
            inner = indent + len(line) - len(rest)  # what follows the dash begins a block of its own
            lines[at] = (number, inner, rest)
            value, at = _block(lines, at, inner)
        elif rest:
            value, at = _scalar(_uncommented(rest), number), at + 1
        else:
            at += 1
            value, at = _block(lines, at, lines[at][1]) if at < len(lines) and lines[at][1] > indent else (None, at)
        found.append(value)
    return found, at


def _uncommented(text: str) -> str:
    if text.startswith(('"', "'")):
        return text.strip()
    return re.sub(r"(^|\s)#.*$", "", text).strip()


def _scalar(text: str, number: int) -> Any:
    if text.startswith('"'):
        try:
            return json.loads(re.sub(r'("(?:[^"\\]|\\.)*")\s*(#.*)?$', r"\1", text))
        except ValueError as error:
            raise NotUnderstood(f"line {number}: {error}") from error
    if text.startswith("'"):
        match = re.fullmatch(r"'((?:[^']|'')*)'\s*(#.*)?", text)
        if match is None:
            raise NotUnderstood(f"line {number}: a quote does not end")
        return match.group(1).replace("''", "'")
    if text in ("{}", "[]"):
        return {} if text == "{}" else []
    if text[0] in "[{&*!|>%@`":
        raise NotUnderstood(f"line {number}: {text[0]} is not understood here")
    return None if text in ("null", "~") else text
