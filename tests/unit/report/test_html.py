# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.html: one file that nothing can run in."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.html import render_html
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.model import view_of
from ansible_collections.kubeops.webhook_doctor.tests.unit.report import cluster
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.hostile import HOSTILE, infected
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.observations import bundle, callout, finding

_VOID = {"meta", "circle", "path", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """What a browser would make of it: elements in order, attributes, text; fails on elements that do not nest."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def render(observed: dict | None = None, found: list | None = None, accepted: list | None = None) -> str:
    return render_html(
        view_of(
            cluster.observation() if observed is None else observed,
            cluster.findings() if found is None else found,
            cluster.suppressed() if accepted is None else accepted,
        )
    )


def test_nothing_is_loaded_and_nothing_runs() -> None:
    page = Page(render())
    tags = {tag for tag, _attributes in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "video"}
    assert not [name for _tag, attributes in page.elements for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")]
    assert "url(" not in render() and "@import" not in render()


def test_the_policy_allows_only_its_own_style() -> None:
    markup = render()
    style = re.search(r"<style>(.*?)</style>", markup, re.DOTALL)
    assert style
    policy = next(meta["content"] for meta in Page(markup).all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    digest = b64encode(sha256(style.group(1).encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_every_finding_has_its_card_and_every_failing_call_out_its_picture() -> None:
    page = Page(render())
    assert len(page.all("article")) == len(cluster.findings())
    labels = [figure["aria-label"] for figure in page.all("figure")]
    assert len(labels) == 11  # all but WD901, which is about no call-out; six call-outs behind the proxy share one
    assert "Path of the call: API server works; Service works; Endpoint works; TLS fails here (unknown authority); Review not reached" in labels
    assert sum("Proxy fails here" in label for label in labels) == 1


def test_all_call_outs_gaps_suppressions_and_instances_are_in_it() -> None:
    text = " ".join(Page(render()).text)
    for webhook in cluster.CALLOUTS:
        assert (webhook["webhook"] or webhook["object"]["name"]) in text
    for word in ("pods/portforward", "no probe tells a dead pod from a network policy", "a second one comes with the next release", "kube-apiserver-cp2"):
        assert word in text
    assert "its sideEffects Some forbid dry runs" in text


def test_it_is_fit_for_screen_readers_phones_and_both_themes() -> None:
    markup = render()
    page = Page(markup)
    assert page.all("html")[0]["lang"] == "en"
    assert [tag for tag, _attributes in page.elements if tag in ("h1", "h2")].count("h1") == 1
    identifiers = [attributes["id"] for _tag, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert all(link["href"] and link["href"][1:] in identifiers for link in page.all("a") if (link["href"] or "").startswith("#"))
    assert all(article["aria-labelledby"] in identifiers for article in page.all("article"))
    assert all(icon["aria-hidden"] == "true" for icon in page.all("svg"))
    for needed in ("width=device-width", "prefers-color-scheme: dark", "@media print", "@media (max-width"):
        assert needed in markup


def test_an_example_says_so() -> None:
    assert "This is an example." in render({**cluster.observation(), "example": True})
    assert "This is an example." not in render()


def test_healthy_and_empty() -> None:
    healthy = " ".join(Page(render(bundle([callout("a.example.org")]), [], [])).text)
    assert "The call-out is healthy" in healthy and "None. Every call-out was proven to work." in healthy
    assert "No call-outs" in " ".join(Page(render(bundle([]), [], [])).text)


def test_links_go_to_our_pages_only() -> None:
    webhook = callout("a.example.org")
    ours = "https://github.com/kubeops/webhook_doctor/blob/main/docs/findings/WD201.md"
    for docs, links in (
        ("docs/findings/WD201.md", [ours]),
        ("javascript:alert(1)", []),
        ("https://evil.example/", []),
        ("docs/findings/WD201.md?x", []),
        (None, []),
    ):
        page = Page(render(bundle([webhook]), [finding(webhook, "WD201", "t", docs=docs)], []))
        assert [link["href"] for link in page.all("a") if not (link["href"] or "").startswith("#")] == links


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_others_wrote_is_text(hostile: str) -> None:
    clean = Page(render())
    observed, found, accepted = (infected(part, hostile) for part in (cluster.observation(), cluster.findings(), cluster.suppressed()))
    markup = render(observed, found, accepted)
    page = Page(markup)
    assert [tag for tag, _attributes in page.elements] == [tag for tag, _attributes in clean.elements]
    assert [set(attributes) for _tag, attributes in page.elements] == [set(attributes) for _tag, attributes in clean.elements]
    assert not set("\x1b\x07\x9b\x00\u202e\u2066\ud800") & set(markup)
    markup.encode()


def test_the_password_of_a_proxy_is_not_in_it() -> None:
    observed = cluster.observation()
    observed["facts"]["control_plane"]["instances"][0]["proxy"]["HTTPS_PROXY"] = "http://user:pa55word@proxy.corp.example:3128"
    assert "pa55word" not in render(observed)
    assert "proxy.corp.example" in render(observed)


def test_a_thousand_findings() -> None:
    webhooks = [callout(f"w{number}.example.org") for number in range(1000)]
    found = [finding(webhook, "WD201", "Nothing listens", cause="connection_refused", phase="connect") for webhook in webhooks]
    markup = render(bundle(webhooks), found, [])
    assert len(Page(markup).all("article")) == 1000
    assert len(markup) < 6_000_000
