# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .bundle import as_json
from .html import render_html
from .markdown import render_markdown
from .model import View

# kind of file: its name in the report directory
NAMES = {"html": "report.html", "markdown": "report.md", "json": "report.json", "bundle": "bundle.json"}


def contents_of(view: View, bundle: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """File name: content, for every file of the report."""
    return {
        NAMES["html"]: render_html(view).encode(),
        NAMES["markdown"]: render_markdown(view).encode(),
        NAMES["json"]: as_json({"summary": view.summary, "findings": findings, "suppressed": view.suppressed, "bundle": bundle}).encode(),
        NAMES["bundle"]: as_json(bundle).encode(),
    }
