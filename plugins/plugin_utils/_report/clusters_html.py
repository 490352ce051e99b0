# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that leads to the reports of many clusters. PRIVATE to the collection. (page.py makes it safe.)"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from .clusters import Cluster, worst_first
from .clusters_terminal import in_states, parts
from .page import render_page
from .text import counted, moment

_WORDS = {"failed": "failed", "error": "errors", "warning": "warnings", "good": "good"}
_PILLS = {"failed": "error", "error": "error", "warning": "warning", "good": "good"}


def render_clusters(clusters: Sequence[Cluster], folder: Path, title: str) -> str:
    """The whole page. folder: where it will be, to which the links to reports are relative. title: what was done."""
    rows = [
        {
            "host": cluster.host,
            "cluster": cluster.cluster if cluster.cluster != cluster.host else None,
            "link": _link(cluster, folder),
            "state": _WORDS[cluster.state],
            "pill": _PILLS[cluster.state],
            "parts": list(parts(cluster)),
            "observed": moment(cluster.observed_at),
        }
        for cluster in worst_first(clusters)
    ]
    return render_page("clusters.html.j2", title=title, headline=f"{counted(len(clusters), 'cluster')}: {in_states(clusters)}", rows=rows)


def _link(cluster: Cluster, folder: Path) -> str | None:
    """Relative, so that the folder can be moved; every character that could make it another kind of link is encoded."""
    return quote(os.path.relpath(cluster.files["html"], folder), errors="replace") if cluster.files else None
