# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loopback certificate: what is listed of each instance, also where nothing is wrong, and how it is renewed on each platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.bundle import bundle_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.html import render_html
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.markdown import render_markdown
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.model import View, view_of
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe

YOUNG = {"subject": "CN=apiserver-loopback-client@1790000000", "days": 1060, "life": 1096}
ENDED = {"subject": "CN=apiserver-loopback-client@1763661600", "days": -1}


def reported(given: Mapping[str, Any]) -> View:
    return view_of(bundle_of("0.2.0", *observe(given), took_seconds=None, example=False), [])


def test_every_instance_is_listed_where_nothing_is_wrong() -> None:
    view = reported({"instances": {"172.16.0.1": "ok", "172.16.0.2": "ok"}, "loopback": {"172.16.0.1": YOUNG, "172.16.0.2": "refused"}})
    first, second = view.summary["loopback"]
    assert first == {
        "instance": "kube-apiserver-172.16.0.1",
        "address": "172.16.0.1:6443",
        "node": "cp-1",
        "not_after": "2029-10-15T18:00:00Z",
        "days_left": 1060.0,
        "lifetime_days": 1096,
        "started": "2026-09-21T14:13:20Z",
        "livez_check": True,
        "reason": None,
    }
    assert (second["not_after"], second["days_left"]) == (None, None)
    assert second["reason"].startswith("it does not answer this host (connection refused): run the diagnosis on a host that reaches")


@pytest.mark.parametrize("render", [render_markdown, render_html])
def test_the_table_is_in_the_report(render: Any) -> None:
    text = render(reported({"instances": {"172.16.0.1": "ok", "172.16.0.2": "ok"}, "loopback": {"172.16.0.1": YOUNG, "172.16.0.2": "refused"}}))
    assert "2029-10-15T18:00:00Z" in text.replace("\\", "")
    assert "cannot be seen from here" in text


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"source": "dump"}, "files hold no certificates of running processes"),
        ({}, "it was not asked (vantage direct)"),
        ({"loopback": {"subject": "CN=kube-apiserver", "days": 9}}, "what answers there serves another certificate for that name (CN=kube-apiserver): a load"),
        ({"facts": {"version": {"git_version": "v1.30.1+k3s1"}}}, "this is k3s (version v1.30.1+k3s1): port 6443 belongs to a listener"),
    ],
)
def test_what_cannot_be_seen_has_a_reason(given: Mapping[str, Any], reason: str) -> None:
    (one,) = reported(given).summary["loopback"]
    assert one["reason"].startswith(reason)


def steps(facts: Mapping[str, Any], **given: Any) -> list[str]:
    (found,) = [finding for finding in diagnose(*observe({"loopback": ENDED, "facts": facts, **given})) if finding["code"] == "WD690"]
    assert not any("delete pod kube-apiserver" in step for step in found["remedy"]["manual"])
    return found["remedy"]["manual"]


def of_version(git_version: str) -> dict[str, Any]:
    return {"version": {"git_version": git_version}}


@pytest.mark.parametrize(
    ("facts", "words", "command"),
    [
        ({}, "On node cp-1: stop the container", "crictl stop --timeout 60 $(crictl ps --name kube-apiserver --quiet)"),
        (of_version("v1.30.1+rke2r1"), "RKE2, on node cp-1", "crictl --config /var/lib/rancher/rke2/agent/etc/crictl.yaml stop --timeout 60 $(crictl "),
        (of_version("v1.30.1+k0s"), "k0scontroller", None),
        (of_version("v1.30.1-eks-1a2b3c4"), "send this finding to AWS", None),
        (
            {"platform": {"api_groups": ["config.openshift.io"]}},
            "OpenShift",
            'kubectl patch kubeapiserver/cluster --type=merge --patch \'{"spec": {"forceRedeploymentReason": "loopback-certificate-2026-11-20"}}\'',
        ),
    ],
    ids=["kubeadm", "rke2", "k0s", "eks", "openshift"],
)
def test_the_way_of_the_platform(facts: Mapping[str, Any], words: str, command: str | None) -> None:
    manual = steps(facts)
    by_hand = [step for step in manual if "rotate_apiserver_loopback" not in step]
    assert words in by_hand[0]
    commands = [step for step in by_hand if not step.startswith("# ")]
    assert len(commands) == (1 if command else 0) and all(step.startswith(command or "") for step in commands)


@pytest.mark.parametrize(("facts", "ours"), [({}, True), (of_version("v1.30.1+k0s"), True), (of_version("v1.30.1-eks-1a2b3c4"), False)])
def test_the_playbook_is_named_where_it_would_not_refuse(facts: Mapping[str, Any], ours: bool) -> None:
    assert ("ansible-playbook -i inventory.ini kubeops.webhook_doctor.rotate_apiserver_loopback --check" in steps(facts)) is ours


def test_the_container_gets_the_time_that_it_drains_in() -> None:
    given = {"loopback": ENDED}
    facts, probes, verdicts = observe(given)
    facts["control_plane"]["instances"][0]["flags"] = {"shutdown-delay-duration": "1m10s"}
    (found,) = diagnose(facts, probes, verdicts)
    assert any(step.startswith("crictl stop --timeout 130 ") for step in found["remedy"]["manual"])


def test_what_may_keep_it_from_coming_back_is_to_be_mended_first() -> None:
    manual = steps({}, apiserver={"says": "dial tcp 10.1.0.1:8443: connect: connection refused"})
    assert manual[0].startswith("# First mend these: validating/hook/hook.example.com fail closed")


def test_no_known_instance_is_no_silence() -> None:
    facts, probes, verdicts = observe({})
    facts["control_plane"]["instances"] = []
    facts["source"]["server"] = "https://lb.example.com:6443"
    view = view_of(bundle_of("0.2.0", facts, [probe for probe in probes if probe["callouts"]], verdicts, took_seconds=None, example=False), [])
    (one,) = view.summary["loopback"]
    assert (one["instance"], one["address"]) == ("https://lb.example.com:6443", None)
    assert "behind the address of a load balancer" in one["reason"]
    assert "behind the address of a load balancer" in render_html(view) and "load balancer" in render_markdown(view)
