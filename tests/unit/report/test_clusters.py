# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of many clusters: what became of each, and how it is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.action import cluster_summary
from ansible_collections.kubeops.webhook_doctor.plugins.modules import cluster_summary as documented
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.clusters import LOST, Cluster, by_state, cluster_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.clusters_html import render_clusters
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.clusters_terminal import clusters_lines
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.model import view_of
from ansible_collections.kubeops.webhook_doctor.tests.unit.report import cluster as example
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.hostile import HOSTILE
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.observations import bundle, callout, finding

FOLDER = Path("webhook-doctor")
NOT_GIVEN = {"found": False, "sources": [], "bundle": None}


def reported(name: str, observed: dict[str, Any], findings: list[dict[str, Any]]) -> Cluster:
    """A cluster that was diagnosed, as the tasks of the playbook leave it."""
    files = {kind: f"webhook-doctor/{name}/{file}" for kind, file in (("html", "report.html"), ("json", "report.json"))}
    report = {"summary": view_of(observed, findings).summary, "files": files, "msg": "How it stands"}
    return cluster_of(name, [NOT_GIVEN, {"facts": observed["facts"]}, report], findings, None)


HEALTHY = bundle([callout("a.example.org"), callout("b.example.org")])
BROKEN = callout("a.example.org")
OPEN = finding(BROKEN, "WD305", "The certificate expires soon", severity="warning")
DEAD = finding(BROKEN, "WD201", "Nothing listens", cause="connection_refused", phase="connect")
NOTE = finding(BROKEN, "WD130", "One replica", severity="info")


def five() -> list[Cluster]:
    """One of each kind, in no order."""
    return [
        reported("yellow", bundle([BROKEN]), [OPEN]),
        reported("green", HEALTHY, []),
        reported("blue", example.observation(), example.findings()),
        cluster_of("red", [NOT_GIVEN, {"failed": True, "msg": "https://192.0.2.9:6443: connection refused."}, None], None, None),
        cluster_of("grey", [None, None, None], None, None),
    ]


def text(clusters: list[Cluster], width: int = 120, files: dict[str, str] | None = None) -> str:
    return "\n".join(line.text for line in clusters_lines(clusters, width, files or {}))


@pytest.mark.parametrize(
    ("results", "findings", "state", "why"),
    [
        ([NOT_GIVEN, {"failed": True, "msg": "kubeconfig x: no such file."}, None], None, "failed", "kubeconfig x: no such file."),
        ([NOT_GIVEN, {"unreachable": True, "msg": "Failed to connect"}, None], None, "failed", "Failed to connect"),
        ([NOT_GIVEN, {"failed": True}, None], None, "failed", LOST),
        ([NOT_GIVEN, {"facts": HEALTHY["facts"]}, None], None, "failed", LOST),
        ([None], None, "failed", LOST),
        ([{"skipped": True, "failed": False}, {"msg": "2 changes were made."}], [], "good", None),
        ([{"msg": "done"}], [NOTE], "good", None),
        ([{"msg": "entries are lacking", "state": "warning"}], None, "warning", None),
        ([{"msg": "entries are lacking", "state": "present"}], None, "good", None),
        ([{"msg": "done"}], [NOTE, OPEN], "warning", None),
        ([{"msg": "done"}], [NOTE, OPEN, DEAD], "error", None),
        ([{"failed": True, "msg": "Not proven within 10 s", "findings": [DEAD]}], None, "failed", "Not proven within 10 s"),
    ],
)
def test_what_became_of_a_cluster(results: list[Any], findings: list[Any] | None, state: str, why: str | None) -> None:
    cluster = cluster_of("blue", results, findings, None)
    assert (cluster.state, cluster.why) == (state, why)


def test_the_worst_finding_is_the_first_of_the_worst_severity() -> None:
    other = finding(callout("b.example.org"), "WD202", "Another", cause="no_route", phase="connect")
    assert cluster_of("blue", [{"msg": "done"}], [NOTE, OPEN, DEAD, other], None).worst == {
        "code": "WD201",
        "severity": "error",
        "title": "Nothing listens",
        "name": "a.example.org",
    }


def test_findings_that_a_gate_returns_count_too() -> None:
    assert cluster_of("blue", [{"failed": True, "msg": "Not proven", "findings": [DEAD, OPEN]}], None, None).findings == {
        "error": 1,
        "warning": 1,
        "info": 0,
        "suppressed": 0,
    }


def test_version_and_name_are_known_before_there_is_a_report() -> None:
    for given in ({"facts": HEALTHY["facts"]}, {"found": True, "bundle": HEALTHY}):
        cluster = cluster_of("blue", [given, None], None, None)
        assert (cluster.cluster, cluster.kubernetes) == ("lab", "v1.36.3")


def test_a_row_for_each_worst_first() -> None:
    shown = text(five())
    assert re.findall(r"^(FAILED|ERROR|WARN|OK) +(\w+)", shown, re.MULTILINE) == [
        ("FAILED", "red"),
        ("FAILED", "grey"),
        ("ERROR", "blue"),
        ("WARN", "yellow"),
        ("OK", "green"),
    ]
    assert "FAILED  red     https://192.0.2.9:6443: connection refused." in shown
    assert "OK      green   Kubernetes 1.36.3 · nothing found · all 2 call-outs work\n                webhook-doctor/green/report.html" in shown
    assert "5 clusters: 2 failed, 1 with errors, 1 with warnings, 1 good" in shown
    assert "ends with failure: red, grey (failed)" in shown


def test_a_run_that_ends_well_says_nothing_of_failure() -> None:
    shown = text([reported("green", HEALTHY, [])], files={"html": "webhook-doctor/clusters.html", "json": "webhook-doctor/clusters.json"})
    assert "1 cluster: 1 good\nall reports: webhook-doctor/clusters.html\nas data: webhook-doctor/clusters.json\n" in shown
    assert "failure" not in shown


def test_who_is_over_the_limit_is_named() -> None:
    over = cluster_of("blue", [{"msg": "done"}], [DEAD], {"failed": True})
    below = cluster_of("green", [{"msg": "done"}], [], {"skipped": True})
    assert "ends with failure: blue (webhook_doctor_fail_on)" in text([below, over])


@pytest.mark.parametrize("width", [20, 60, 80, 120, 1000])
def test_rows_fit(width: int) -> None:
    assert [line for line in text(five(), width).split("\n") if len(line) > max(60, min(width, 140))] == []


def test_a_thousand_clusters_are_counted_and_the_failing_ones_not_all_named_again() -> None:
    shown = text([cluster_of(f"c{number}", [None], None, None) for number in range(1000)])
    assert "1000 clusters: 1000 failed" in shown and "and 988 more (failed)" in " ".join(shown.split())


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_others_wrote_is_text(hostile: str) -> None:
    webhook = callout("a.example.org" + hostile)
    observed = bundle([webhook])
    observed["facts"]["source"]["cluster"] = observed["facts"]["version"]["git_version"] = hostile
    dead = finding(webhook, "WD201", "Nothing listens" + hostile, cause="connection_refused", phase="connect")
    clusters = [
        reported("blue" + hostile[:60], observed, [dead]),
        cluster_of("red", [{"failed": True, "msg": hostile}, None], None, None),
    ]
    shown = text(clusters)
    assert not [character for character in shown if (ord(character) < 32 and character != "\n") or 0x7F <= ord(character) < 0xA0]
    assert not set("\u202e\u2066\ud800") & set(shown)
    page = render_clusters(clusters, FOLDER, hostile)
    page.encode()
    tags = set(re.findall(r"<\s*/?\s*([a-z0-9!]+)", page.lower()))
    assert tags <= set("!doctype html head meta title style body div header p h1 h2 main table thead tr th tbody td span a br".split())
    assert not re.search(r"<[^>]*\son\w+\s*=", page)
    assert re.findall(r'href="([^"]*)"', page) and all(re.fullmatch(r"[A-Za-z0-9/_.~%-]+", link) for link in re.findall(r'href="([^"]*)"', page))


def test_links_lead_to_the_reports_wherever_the_folder_is_moved() -> None:
    page = render_clusters(five(), FOLDER, "What was found")
    assert re.findall(r'<a href="([^"]*)">(\w+)</a>', page) == [
        ("blue/report.html", "blue"),
        ("yellow/report.html", "yellow"),
        ("green/report.html", "green"),
    ]
    assert "<h1>5 clusters: 2 failed, 1 with errors, 1 with warnings, 1 good</h1>" in page


def test_states_are_counted() -> None:
    assert by_state(five()) == {"failed": 2, "error": 1, "warning": 1, "good": 1}


def test_documentation_and_options_agree() -> None:
    options = yaml.safe_load(documented.DOCUMENTATION)["options"]
    assert {
        name: {key: option[key] for key in ("type", "required", "default", "elements") if key in option} for name, option in options.items()
    } == cluster_summary._ARGUMENTS
