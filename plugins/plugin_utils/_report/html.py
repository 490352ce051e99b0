# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.html: one file, no script, nothing loaded from elsewhere. PRIVATE to the collection.

The page is report.html.j2 with report.css in it; page.py makes it safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .headline import headline, nothing_found, platform, routing, since_baseline, version
from .model import LIVEZ, STATE_NAMES, VANTAGE_NAMES, Callout, View, grouped
from .page import render_page
from .path import in_words
from .text import counted, days, listed, moment, shorten

# Pictures of one finding, and findings of one code at a glance, before the rest is put away.
MOST_PICTURES, MOST_MEMBERS = 3, 40
_SEVERITY_WORDS = {"error": "Error", "warning": "Warning", "info": "Note"}


def render_html(view: View) -> str:
    """The whole page."""
    summary = view.summary
    return render_page(
        "report.html.j2",
        view=view,
        summary=summary,
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
