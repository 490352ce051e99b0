# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform in every rendering: its name in the first line, and the signals that tell it; hostile names stay text; bundles without it are still shown."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.html import render_html
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.markdown import render_markdown
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.model import view_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.shapes import BUNDLE, Mismatch, check
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.terminal import summary_lines
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.around import DAEMONSET, NODE
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.hostile import HOSTILE
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.observations import bundle, callout


def observed(name: str = "gke-blue-1") -> dict[str, Any]:
    found = bundle([callout("a.example.org")])
    found["facts"]["platform"] = {
        "api_groups": None,
        "node_count": 1,
        "nodes": [{**NODE, "name": name, "labels": {"cloud.google.com/private-node": "true"}}],
        "daemonsets": [{**DAEMONSET, "name": "anetd"}],
        "config": {},
    }
    found["facts"]["version"]["git_version"] = "v1.31.5-gke.1023000"
    return found


def test_the_summary() -> None:
    assert view_of(observed(), []).summary["platform"] == {
        "name": "gke",
        "label": "GKE",
        "network_plugin": "GKE Dataplane V2",
        "signals": [
            "GKE: the API server's version is v1.31.5-gke.1023000",
            "private nodes: 1 of the nodes, such as gke-blue-1",
            "GKE Dataplane V2: DaemonSet kube-system/anetd (2 of 2 ready); GKE gives pods addresses of the VPC",
        ],
    }


def test_every_rendering_shows_it() -> None:
    view = view_of(observed(), [])
    first = next(line.text for line in summary_lines(view, 140, {}) if line.text)
    assert " \u00b7 GKE \u00b7 " in first
    markdown = render_markdown(view)
    assert " \u00b7 GKE \u00b7 " in markdown and "## Platform" in markdown and "such as gke-blue-1" in markdown
    page = render_html(view)
    assert "<li>GKE</li>" in page and "<h2>Platform</h2>" in page


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_stay_text(hostile: str) -> None:
    page = render_html(view_of(observed("node" + hostile), []))
    assert "<script>" not in page and "<img" not in page and "\x1b" not in page


@pytest.mark.parametrize("network", [None, {"policies": [], "plugin_policies": [], "agents": []}])
def test_a_bundle_without_it(network: Any) -> None:
    older = bundle([callout("a.example.org")])
    for key in ("platform", "network"):
        older["facts"].pop(key, None)
    if network:
        older["facts"]["network"] = network
    check(older, BUNDLE)
    assert view_of(older, []).summary["platform"] == {"name": None, "label": None, "network_plugin": None, "signals": []}
    assert "## Platform" not in render_markdown(view_of(older, []))


def test_a_damaged_one_is_refused() -> None:
    damaged = observed()
    del damaged["facts"]["platform"]["nodes"][0]["labels"]
    with pytest.raises(Mismatch, match=r"facts.platform.nodes\[0\].labels is missing"):
        check(damaged, BUNDLE)
