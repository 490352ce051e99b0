# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.md: what others wrote stays text in GitHub's and GitLab's dialect."""

from __future__ import annotations

import re

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.markdown import code, escaped, fence, render_markdown
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.model import PAGES, view_of
from ansible_collections.kubeops.webhook_doctor.tests.unit.report import cluster
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.hostile import HOSTILE, infected
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.observations import bundle, callout


def render(**more: object) -> str:
    return render_markdown(view_of({**cluster.observation(), **more}, cluster.findings(), cluster.suppressed()))


def test_it_holds_all_that_was_found() -> None:
    shown = render()
    assert shown.startswith("# 14 call-outs fail, 1 call-out fails open, 1 call-out is at risk\n")
    for found in cluster.findings():
        assert f": {escaped(found['title'])}\n" in shown
    assert "✔ API server `2 instances` → ✔ Service `cert-manager/cert-manager-webhook:443` → ✔ Endpoint `10.64.0.7:8443` → ✘ TLS **unknown authority**" in shown
    assert "```sh\nkubectl -n cert-manager rollout restart deployment cert-manager-cainjector\n```" in shown
    assert "**Affects 6 call-outs:** `behind-proxy-0.example.org`" in shown
    assert "| healthy | `policy-0.example.org` | validating webhook |" in shown
    assert "a second one comes with the next release (until 2026-12-01)" in shown
    assert len(re.findall(r"^\| (?:failing|failing open|at risk|not proven|healthy) \|", shown, re.MULTILINE)) == len(cluster.CALLOUTS)


def test_healthy_and_empty() -> None:
    assert "None. Every call-out was proven to work." in render_markdown(view_of(bundle([callout("a.example.org")]), []))
    assert "no call-outs are configured." in render_markdown(view_of(bundle([]), []))


def test_an_example_says_so() -> None:
    assert "**This is an example**" in render(example=True)
    assert "This is an example" not in render()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "`plain`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("a|b", "`a\\|b`"),
        ("two\nlines", "`two lines`"),
        ("", ""),
    ],
)
def test_code_spans_cannot_be_left(text: str, expected: str) -> None:
    assert code(text) == expected


def test_fences_cannot_be_left() -> None:
    assert fence("a\n```\nb", "sh") == "````sh\na\n```\nb\n````"


def test_escaped_text_is_text() -> None:
    assert escaped("<b> [x](y) *a* _b_ `c` # @you") == r"\<b\> \[x\]\(y\) \*a\* \_b\_ \`c\` \# \@you"
    assert "https://" not in escaped("see https://evil.example and www.evil.example")
    assert "www." not in escaped("see https://evil.example and www.evil.example")


def without_code(markdown: str) -> str:
    """The text outside of fences and code spans, escapes taken out with what they escape."""
    markdown = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", markdown, flags=re.MULTILINE | re.DOTALL)
    markdown = re.sub(r"\\[\\`*_{}\[\]<>()#+!|~&@$]", "", markdown)
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_others_wrote_is_no_markup(hostile: str) -> None:
    observed, found, accepted = (infected(part, hostile) for part in (cluster.observation(), cluster.findings(), cluster.suppressed()))
    shown = render_markdown(view_of(observed, found, accepted))
    plain, clean = (without_code(markdown).replace(f"{PAGES}/docs/findings/", "") for markdown in (shown, render()))
    shown.encode()
    assert not set("\x1b\x07\x9b\x00\u202e\u2066\ud800") & set(shown)
    assert not re.search(r"[<\[@]|\]\(|://|!\[", plain), plain
    for mark in ("# ", "## ", "### ", "- ", "> "):
        assert len(re.findall(rf"^{re.escape(mark)}", plain, re.MULTILINE)) == len(re.findall(rf"^{re.escape(mark)}", clean, re.MULTILINE))
    assert plain.count("|") == clean.count("|")
    assert plain.count("**") == clean.count("**")
    assert "`" not in plain
