# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal's summary."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.model import view_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.terminal import summary_lines
from ansible_collections.kubeops.webhook_doctor.tests.unit.report import cluster
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.hostile import HOSTILE, infected
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.observations import bundle, callout, finding, probe

FILES = {"html": "webhook-doctor/report.html", "bundle": "webhook-doctor/bundle.json", "json": "webhook-doctor/report.json"}


def text(observed: dict[str, Any], findings: list[dict[str, Any]] | None = None, suppressed: list[dict[str, Any]] | None = None, width: int = 100) -> str:
    return "\n".join(line.text for line in summary_lines(view_of(observed, findings or [], suppressed or []), width, FILES))


def test_a_healthy_cluster_gets_a_short_good_message() -> None:
    assert text(bundle([callout("a.example.org"), callout("b.example.org")])) == (
        "\n"
        "cluster lab · Kubernetes 1.36.3 · endpoint routing · 2 call-outs, 2 back ends · 2.3 s\n"
        "seen through: API server dry run, direct\n"
        "\n"
        "nothing found; all 2 call-outs work\n"
        "report: webhook-doctor/report.html\n"
        "bundle: webhook-doctor/bundle.json\n"
    )


def test_nothing_to_call_is_said_too() -> None:
    assert "nothing found; no call-outs: this API server calls nobody" in text(bundle([]))


def test_none_were_seen_is_not_none() -> None:
    gap = {"what": "validatingwebhookconfigurations", "reason": "forbidden", "message": None, "consequence": None}
    assert "nothing found; no call-outs were seen (see what could not be read)" in text(bundle([], coverage=[gap]))


def test_what_no_vantage_could_prove_is_not_called_healthy() -> None:
    proven, unproven = callout("a.example.org"), callout("b.example.org")
    assert "nothing found; of 2 call-outs 1 works, 1 not proven" in text(bundle([proven, unproven], probes=[probe(proven)]))


def test_a_finding_says_what_what_is_blocked_why_and_what_to_do() -> None:
    shown = text(cluster.observation(), cluster.findings()[:1], width=120)
    assert (
        "ERROR  WD301  webhook.cert-manager.io  (ValidatingWebhookConfiguration webhook-validating)\n"
        "       The caBundle holds no CA that signed the served certificate\n"
        "       blocked now: CREATE, UPDATE of *.cert-manager.io, *.acme.cert-manager.io in all namespaces but 2\n"
    ) in shown
    assert "       because: the API server says" in shown
    assert "       and: 1 more observation in the report\n" in shown
    assert (
        "       do: Let cainjector write the new CA: its annotation names the Secret.\n"
        "           kubectl annotate validatingwebhookconfiguration cert-manager-webhook --overwrite cert-manager.io/inject-ca-from-secret=cert-manager/ca\n"
    ) in shown


@pytest.mark.parametrize(
    ("policy", "severity", "label"), [("Fail", "error", "blocked now"), ("Ignore", "warning", "unguarded now"), ("Fail", "warning", "at stake")]
)
def test_the_impact_of_a_dead_webhook_depends_on_its_failure_policy(policy: str, severity: str, label: str) -> None:
    webhook = callout("a.example.org", policy=policy)
    found = finding(webhook, "WD201", "Nothing listens", severity=severity, cause="connection_refused", phase="connect")
    assert f"       {label}: CREATE" in text(bundle([webhook]), [found])


@pytest.mark.parametrize(("policy", "counted"), [("Fail", "of 2 call-outs 2 fail"), ("Ignore", "1 fails, 1 fails open")])
def test_one_back_end_of_which_one_call_out_blocks_and_another_lets_pass(policy: str, counted: str) -> None:
    blocks, other = callout("a.example.org"), callout("b.example.org", policy=policy)
    found = {**finding(blocks, "WD201", "Nothing listens", cause="connection_refused", phase="connect"), "affects": [blocks["id"], other["id"]]}
    assert counted in text(bundle([blocks, other]), [found])


def test_one_cause_names_all_whom_it_affects_shortly() -> None:
    shown = text(cluster.observation(), [item for item in cluster.findings() if item["code"] == "WD220"])
    assert "affects: behind-proxy-0.example.org, behind-proxy-1.example.org" in shown
    assert "and 2 more" in shown


def test_gaps_and_suppressions_are_told() -> None:
    shown = text(cluster.observation(), cluster.findings(), cluster.suppressed())
    shown = " ".join(shown.split())
    assert "not seen: pods/portforward (forbidden), events (error)" in shown
    assert "9 errors, 2 warnings, 1 note, 1 suppressed; of 26 call-outs 14 fail, 1 fails open, 10 work, 1 not proven" in shown


def test_vantages_that_told_nothing_are_told() -> None:
    webhook = callout("a.example.org")
    mute = {"ok": False, "provable": False, "reason": "no kubelet answers"}
    observed = bundle([webhook], probes=[probe(webhook), probe(webhook, "port_forward", **mute)])
    observed["facts"]["source"]["access"]["dry_run"] = False
    shown = text(observed)
    assert "seen through: direct\nnot seen: API server dry run (forbidden), port-forward (told nothing)\n" in shown
    assert "docs/rbac/diagnose-probing.yaml" in shown


def test_worst_first_whatever_the_order() -> None:
    shown = text(cluster.observation(), cluster.findings()[::-1])
    assert shown.index("ERROR") < shown.index("WARN") < shown.index("INFO")


def test_an_example_says_so_first() -> None:
    observed = {**cluster.observation(), "example": True}
    assert text(observed).strip().startswith("EXAMPLE: this is the saved observation of a test cluster")
    assert "EXAMPLE" not in text(cluster.observation())


def test_a_thousand_findings_stay_readable() -> None:
    webhooks = [callout(f"w{number}.example.org") for number in range(1000)]
    found = [finding(webhook, "WD201", "Nothing listens on the port", cause="connection_refused", phase="connect") for webhook in webhooks]
    lines = text(bundle(webhooks), found).split("\n")
    assert len(lines) < 120
    assert "w15.example.org and 984 more" in " ".join(lines)
    assert "1000 errors; of 1000 call-outs 1000 fail" in lines


@pytest.mark.parametrize("width", [20, 60, 80, 120, 1000])
def test_lines_fit_except_commands_and_addresses(width: int) -> None:
    lines = text(cluster.observation(), cluster.findings(), width=width).split("\n")
    too_long = [line for line in lines if len(line) > max(60, min(width, 140)) and "kubectl" not in line and "https://" not in line]
    assert too_long == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_others_wrote_cannot_act_on_the_terminal(hostile: str) -> None:
    observed, found, accepted = (infected(part, hostile) for part in (cluster.observation(), cluster.findings(), cluster.suppressed()))
    shown = text(observed, found, accepted)
    assert not [character for character in shown if (ord(character) < 32 and character != "\n") or 0x7F <= ord(character) < 0xA0]
    assert not set("\u202e\u2066\ud800") & set(shown)
    assert len(shown) < 200_000
    shown.encode()
    # No line begins with what it wrote: it cannot pretend to be a task, a recap or another finding.
    assert not [line for line in shown.split("\n") if line.startswith(("# heading", "- item", "```", "| a"))]


def test_tones_are_apart_from_text() -> None:
    lines = summary_lines(view_of(cluster.observation(), cluster.findings()), 100, {})
    assert {line.tone for line in lines} == {None, "error", "warning", "info", "faint"}
    assert summary_lines(view_of(bundle([callout("a.example.org")]), []), 100, {})[-2].tone == "good"
