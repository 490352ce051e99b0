# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error text means, for somebody who has nothing else. PRIVATE to the collection.

The classification (filter `classify_error`) in, lines for the terminal out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .path import Hop, bare_path, place_of
from .terminal import NARROWEST, WIDEST, Line, wrapped
from .text import counted, one_line, shorten

_INDENT = 14
MOST_OTHERS = 5
_LONGEST = 600
_WHO = {
    "admission": "admission webhook",
    "conversion": "conversion webhook",
    "apiservice": "aggregated API",
    "policy": "policy of the API server",
    "apiserver": "the API server itself",
    "etcd": "etcd",
    "client": "a client's own connection to the API server",
}
_MARKS = {"ok": "ok", "broken": "FAILS", "warning": "at risk", "unreached": "not reached", "unknown": "?"}


def explanation_lines(text: str, judged: Mapping[str, Any], width: int, page: str | None, title: str | None) -> list[Line]:
    """The whole explanation. page: where the finding's page is; title: the finding's, both None without a code."""
    width = max(NARROWEST, min(width, WIDEST))
    lines = [Line(""), *_field("text", shorten(one_line(text), 300), width, "faint"), Line("")]
    lines += _one(judged, width, title)
    if page:
        lines += _field("more", one_line(page), width, "faint")
    others = judged["others"]
    for other in others[:MOST_OTHERS]:
        lines += [
            Line(""),
            *_field("also in it", _cause(other, None), width),
            *_details(other, width),
            *_field("means", one_line(other["advice"], 2000), width),
        ]
    if len(others) > MOST_OTHERS:
        lines += [Line(""), Line(f"and {counted(len(others) - MOST_OTHERS, 'more failure')} in this text")]
    return [*lines, Line("")]


def _one(judged: Mapping[str, Any], width: int, title: str | None) -> Iterator[Line]:
    tone = "good" if judged["healthy"] else "info" if judged["cause"] == "unknown" else "error"
    yield from _field("cause", _cause(judged, title), width, tone)
    yield from _details(judged, width)
    if not judged["healthy"] and judged["kind"] in ("admission", "conversion", "apiservice"):
        place = place_of(judged["code"], judged["cause"], judged["phase"])
        if place and place[0]:
            service, url = judged["service"], judged["url"]
            yield from _field("stopped at", " > ".join(_hop(hop) for hop in bare_path(judged["kind"], bool(url) and not service, place)), width)
    yield from _field("means", one_line(judged["advice"], 2000), width)
    message = (judged["names"] or {}).get("message")
    if message:
        yield from _field("it says", one_line(message, _LONGEST), width)


def _cause(judged: Mapping[str, Any], title: str | None) -> str:
    word = judged["cause"] if judged["code"] is None else f"{judged['cause']} ({judged['code']})"
    if title:
        return f"{word}: {title}"
    return f"{word}: no failure of a call; something was refused on purpose" if judged["healthy"] else word


def _details(judged: Mapping[str, Any], width: int) -> Iterator[Line]:
    who = _WHO.get(judged["kind"] or "")
    name = judged["webhook"]
    if who or name:
        yield from _field("who", " ".join(part for part in (who, one_line(name, 200) if name else None) if part), width)
    service = judged["service"]
    if service:
        port = f":{service['port']}" if service["port"] else ""
        namespace = f"{service['namespace']}/" if service["namespace"] else ""
        yield from _field("Service", one_line(f"{namespace}{service['name']}{port}", 400), width)
    elif judged["url"]:
        yield from _field("URL", one_line(judged["url"], 400), width)
    if judged["dialed"]:
        yield from _field("dialled", one_line(judged["dialed"], 100), width)
    if judged["timeout_seconds"]:
        yield from _field("time-out", f"{judged['timeout_seconds']} s", width)


def _hop(hop: Hop) -> str:
    return f"{hop.label} {_MARKS[hop.state]}{f' ({hop.note})' if hop.note else ''}"


def _field(label: str, text: str, width: int, tone: str | None = None) -> list[Line]:
    return list(wrapped(text, width, first=f"{label + ':':<{_INDENT}}", hang=_INDENT, tone=tone))
