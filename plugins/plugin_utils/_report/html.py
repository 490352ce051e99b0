# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.html: one file, no script, nothing loaded from elsewhere. PRIVATE to the collection.

The page is report.html.j2 with report.css in it. Every value is made fit to show (text.shown) and escaped by the template engine; the page's own policy lets
nothing run and nothing load, and allows only its own style sheet, by its hash.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from .headline import headline, nothing_found, platform, routing, since_baseline, version
from .model import LIVEZ, STATE_NAMES, VANTAGE_NAMES, Callout, View, grouped
from .path import in_words
from .text import counted, days, listed, moment, shorten, shown

# Pictures of one finding, and findings of one code at a glance, before the rest is put away.
MOST_PICTURES, MOST_MEMBERS = 3, 40
_SEVERITY_WORDS = {"error": "Error", "warning": "Warning", "info": "Note"}


def render_html(view: View) -> str:
    """The whole page."""
    template, style = _page()
    summary = view.summary
    return template.render(
        view=view,
        summary=summary,
        style=Markup(style),
        style_hash=Markup(b64encode(sha256(style.encode()).digest()).decode()),
        headline=headline(summary),
        nothing_found=nothing_found(summary),
        kubernetes=version(summary),
        since=since_baseline(summary),
        platform=platform(summary),
        routing=routing(summary),
        through=", ".join(VANTAGE_NAMES[vantage] for vantage in summary["seen_through"]),
        tiles=_tiles(summary),
        severity_words=_SEVERITY_WORDS,
        state_names=STATE_NAMES,
        groups=grouped(enumerate(view.findings, 1)),
        most_members=MOST_MEMBERS,
        most_pictures=MOST_PICTURES,
        vantage_names=VANTAGE_NAMES,
        counted=counted,
        days=days,
        in_words=in_words,
        instances=list(zip(view.instances, summary["loopback"])),
        listed=listed,
        livez=LIVEZ,
        moment=moment,
        proven=_proven,
        proxy=_proxy,
        shorten=shorten,
    )


@cache
def _page() -> tuple[Template, str]:
    here = Path(__file__).parent
    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_finalize, keep_trailing_newline=True)
    return environment.from_string((here / "report.html.j2").read_text("utf-8")), (here / "report.css").read_text("utf-8")


def _finalize(value: Any) -> Any:
    """What a template prints: markup of our own as it is, all else made fit to show (escaping follows)."""
    return value if isinstance(value, Markup) else shown(value)


def _tiles(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    found, callouts = summary["findings"], summary["callouts"]
    tiles = [
        (found["error"], "error" if found["error"] == 1 else "errors", "error"),
        (found["warning"], "warning" if found["warning"] == 1 else "warnings", "warning"),
        (callouts["healthy"] + callouts["at_risk"], f"of {counted(callouts['total'], 'call-out')} {'work' if callouts['total'] > 1 else 'works'}", "good"),
    ]
    if found["info"]:
        tiles.append((found["info"], "note" if found["info"] == 1 else "notes", "info"))
    if callouts["unproven"]:
        tiles.append((callouts["unproven"], "not proven", "info"))
    if found["suppressed"]:
        tiles.append((found["suppressed"], "suppressed", ""))
    return [{"number": number, "label": label, "tone": tone} for number, label, tone in tiles]


def _proven(callout: Callout) -> str:
    if callout.proven:
        return ", ".join(VANTAGE_NAMES[vantage] for vantage in callout.proven)
    return shorten(callout.why_unproven, 300) if callout.why_unproven else "–"


def _proxy(instance: Mapping[str, Any]) -> str:
    if instance["proxy"] is None:
        return "none" if instance["visible"] else "not known"
    return instance["proxy"].get("HTTPS_PROXY") or instance["proxy"].get("HTTP_PROXY") or "none"
