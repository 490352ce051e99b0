# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is new, gone and unchanged since an earlier report, and what is told of a file that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.baseline import BadBaseline, read_baseline
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.html import render_html
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.markdown import render_markdown
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.model import View, view_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.terminal import summary_lines
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.hostile import HOSTILE
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.observations import AT, bundle, callout, finding

ONE, TWO = callout("one.example.org"), callout("two.example.org")
OBSERVED = bundle([ONE, TWO])
OLD = finding(ONE, "WD301", "The caBundle is stale", fingerprint="old")
NEW = finding(TWO, "WD210", "Nothing answers", fingerprint="new")


def report(path: Path, findings: list[dict[str, Any]], suppressed: list[dict[str, Any]] | None = None, **summary: Any) -> Path:
    path.write_text(
        json.dumps({"summary": {"cluster": "lab", "observed_at": AT, **summary}, "findings": findings, "suppressed": suppressed or [], "bundle": {}})
    )
    return path


def accepted(of: dict[str, Any]) -> dict[str, Any]:
    return {**of, "reason": "known", "until": None}


def view(path: Path, findings: list[dict[str, Any]], suppressed: list[dict[str, Any]] | None = None) -> View:
    return view_of(OBSERVED, findings, suppressed or [], None, read_baseline(path))


def words(shown: View) -> dict[str, list[str]]:
    since = shown.summary["baseline"]
    return {"new": since["new"], "unchanged": since["unchanged"], "gone": [one["fingerprint"] for one in since["gone"]]}


@pytest.mark.parametrize(
    ("then", "then_accepted", "now", "now_accepted", "expected"),
    [
        ([OLD], [], [OLD, NEW], [], {"new": ["new"], "unchanged": ["old"], "gone": []}),
        ([OLD], [], [NEW], [], {"new": ["new"], "unchanged": [], "gone": ["old"]}),
        ([OLD], [], [], [accepted(OLD)], {"new": [], "unchanged": [], "gone": []}),
        ([], [accepted(OLD)], [OLD], [], {"new": [], "unchanged": ["old"], "gone": []}),
        ([], [], [], [], {"new": [], "unchanged": [], "gone": []}),
    ],
    ids=["one more", "another", "suppressed now", "suppressed then", "nothing"],
)
def test_what_changed(tmp_path: Path, then: Any, then_accepted: Any, now: Any, now_accepted: Any, expected: dict[str, list[str]]) -> None:
    assert words(view(report(tmp_path / "report.json", then, then_accepted), now, now_accepted)) == expected


def test_every_rendering_tells_it(tmp_path: Path) -> None:
    shown = view(report(tmp_path / "report.json", [OLD], cluster="blue"), [NEW])
    terminal = "\n".join(line.text for line in summary_lines(shown, 100, {}))
    assert "WD210  NEW  " in terminal
    assert "since the report of cluster blue of 2026-08-21 14:03 UTC: 1 new, 1 gone, 0 unchanged" in terminal
    assert "gone: WD301 one.example.org" in terminal
    markdown = render_markdown(shown)
    assert "### New: Error WD210" in markdown
    assert "## Gone since the baseline" in markdown
    html = render_html(shown)
    assert '<span class="pill new">New</span>' in html
    assert "Gone since the baseline" in html


def test_without_a_baseline_nothing_is_told_of_one() -> None:
    shown = view_of(OBSERVED, [NEW])
    assert shown.summary["baseline"] is None
    assert "since" not in "\n".join(line.text for line in summary_lines(shown, 100, {}))
    assert "New</span>" not in render_html(shown)


def test_the_directory_of_a_report_will_do(tmp_path: Path) -> None:
    report(tmp_path / "report.json", [OLD])
    assert read_baseline(tmp_path).known == {"old"}


@pytest.mark.parametrize("evil", HOSTILE)
def test_names_of_the_baseline_are_text(tmp_path: Path, evil: str) -> None:
    spoilt = {**OLD, "title": evil, "subject": {**OLD["subject"], "name": evil, "webhook": None}}
    shown = view(report(tmp_path / "report.json", [spoilt], cluster=evil, observed_at=evil), [])
    assert "<script" not in render_html(shown)
    assert "\x1b" not in "\n".join(line.text for line in summary_lines(shown, 100, {})) + render_markdown(shown)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is not whole JSON"),
        ("[]", "is no report of this collection"),
        ('{"format": "kubeops.webhook_doctor/bundle"}', "is a bundle, which holds no findings"),
        ('{"summary": {"cluster": "a", "observed_at": "b"}, "findings": [{}]}', "findings[0].code is missing"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadBaseline) as refused:
        read_baseline(path)
    assert says in str(refused.value)
    assert str(path) in str(refused.value) and "webhook_doctor_baseline" in str(refused.value)
