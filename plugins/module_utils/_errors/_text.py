# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user pastes -> the text that the API server wrote. PRIVATE to the collection.

Takes away colours, the frames and line wraps of Terraform, and the escaping of JSON and logfmt log lines, at any depth of nesting.
Every quantifier is bounded: the time is linear in the length.
"""

from __future__ import annotations

import re

# A longer text is judged by its ends (a log's last lines are the newest).
LIMIT = 1 << 20

_COLOUR = re.compile(r"\x1b\[[0-9;:?]{0,32}[@-~]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)")
_FRAME = re.compile(r"(?m)^[ \t]{0,40}[│┃╷╵╭╰─|]+[ \t]?")
_ESCAPED_UNICODE = re.compile(r"\\{1,8}u00(22|26|27|3[cCeE])")
_ESCAPED_QUOTE = re.compile(r"\\{1,8}([\"'])")
_ESCAPED_BREAK = re.compile(r"\\{1,8}[nr]")
_ESCAPED_TAB = re.compile(r"\\{1,8}t")
_SPACE = re.compile(r"\s+")


def plain(text: str) -> str:
    """`text` in one layer: no colours, frames or escapes; runs of blanks are one blank, or one newline if they held one."""
    if len(text) > LIMIT:
        text = text[: LIMIT // 2] + "\n" + text[-LIMIT // 2 :]
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    text = _FRAME.sub("", text)
    if "\\" in text:
        text = _ESCAPED_UNICODE.sub(lambda match: chr(int(match[1], 16)), text)
        text = _ESCAPED_QUOTE.sub(r"\1", text)
        text = _ESCAPED_BREAK.sub("\n", text)
        text = _ESCAPED_TAB.sub(" ", text)
    return _SPACE.sub(_one_blank, text).strip()


def _one_blank(match: re.Match[str]) -> str:
    return "\n" if "\n" in match[0] else " "
