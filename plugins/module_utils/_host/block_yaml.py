# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The YAML that programs write (kubeconfigs, settings), read without PyYAML, which not every host has. PRIVATE to the collection.

Known: nested block mappings and sequences of plain and quoted scalars, also such as are folded over several lines, comments, and JSON. Not known, and
refused: flow collections that are not JSON, anchors, tags, block scalars. Every scalar is a text.
"""

from __future__ import annotations

import json
import re
from typing import Any

_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"\[{&*!|>%@`-][^:#]*|-[^\s:#][^:#]*)\s*:(?:\s+(.*))?$""")
# A quoted scalar, to its end.
_ENDED = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*(#.*)?""")
_SPECIAL = "[{&*!|>%@`"


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
        key, rest = _scalar(match.group(1).strip(), number), match.group(2) or ""
        if _uncommented(rest):
            text, at = _unfolded(lines, at, indent, rest)
            found[key] = _scalar(text, number)
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
        elif _uncommented(rest):
            text, at = _unfolded(lines, at, indent, rest)
            value = _scalar(text, number)
        else:
            at += 1
            value, at = _block(lines, at, lines[at][1]) if at < len(lines) and lines[at][1] > indent else (None, at)
        found.append(value)
    return found, at


def _unfolded(lines: list[tuple[int, int, str]], at: int, indent: int, begin: str) -> tuple[str, int]:
    """The scalar that begins in line `at` with `begin`, with the lines that go on with it (they are indented more), and the line after it."""
    text = _uncommented(begin)
    goes_on = not _ENDED.fullmatch(text) if text[0] in "\"'" else text == begin.strip() and text[0] not in _SPECIAL
    at += 1
    while goes_on and at < len(lines) and lines[at][1] > indent:
        number, _indent, line = lines[at]
        if number != lines[at - 1][0] + 1:
            raise NotUnderstood(f"line {number}: an empty line or a comment within a text is not understood")
        if text[0] in "\"'":
            text = _joined(text, line)
            goes_on = not _ENDED.fullmatch(text)
        else:
            part = _uncommented(line)
            if re.search(r":(\s|$)", part):
                raise NotUnderstood(f"line {number} is indented in a way that is not understood")
            text, goes_on = f"{text} {part}", part == line
        at += 1
    return text, at


def _joined(text: str, line: str) -> str:
    """A quoted text and its next line. Between double quotes a backslash keeps the blank that follows it, and at the end of a line it takes the fold's away."""
    if text.startswith("'"):
        return f"{text} {line}"
    fold = " "
    if re.search(r"(?<!\\)(?:\\\\)*\\$", text):
        text, fold = text[:-1], ""
    return text + fold + (line[1:] if line.startswith("\\ ") else line)


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
    if text[0] in _SPECIAL:
        raise NotUnderstood(f"line {number}: {text[0]} is not understood here")
    return None if text in ("null", "~") else text
