# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that wants to be more than text, planted wherever somebody else can write."""

from __future__ import annotations

from typing import Any

HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)> ' onmouseover='alert(1)",
    "\x1b]0;owned\x07\x1b[2J\x9b31mred",
    "abc\u202egpj.exe\u2066",
    "# heading\n- item\n| a | b |\n```sh\nrm -rf /\n```",
    "[click](javascript:alert(1)) ![x](https://evil.example/p.png) @everyone #1 **bold** `code` ``two``",
    "{{ lookup('pipe', 'id') }} {% raw %} ${x} $(id)",
    "</pre></li></ol></style><style>*{display:none}</style><!--",
    "long " + "x" * 20_000,
    "\ud800 lone \x00 nul",
)

# What the API server, a certificate or a back end may have in it. Ids tie things together and words of the contract are chosen by this collection.
_WRITABLE = frozenset(
    {
        "name",
        "namespace",
        "webhook",
        "url",
        "server_name",
        "path",
        "error",
        "reason",
        "cluster",
        "server",
        "git_version",
        "node",
        "pod",
        "what",
        "message",
        "consequence",
        "subject",
        "address",
        "title",
        "impact",
        "until",
        "NO_PROXY",
        "HTTPS_PROXY",
        "collection_version",
        "version",
    }
)


def infected(value: Any, hostile: str, key: str | None = None, *, but: frozenset[str] = frozenset()) -> Any:
    """The same with `hostile` appended to every text that somebody else may write, except those of the keys `but`."""
    if isinstance(value, dict):
        return {inner: infected(item, hostile, inner, but=but) for inner, item in value.items()}
    if isinstance(value, list):
        return [infected(item, hostile, key, but=but) for item in value]
    if isinstance(value, str) and key not in but and (key in _WRITABLE or key in ("evidence", "manual", "dns_names")):
        return value + hostile
    return value
