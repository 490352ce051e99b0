# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which probes are made and which questions of trust are asked."""

from __future__ import annotations

import random
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.kubeops.webhook_doctor.plugins.filter.probe_plan import probe_plan
from ansible_collections.kubeops.webhook_doctor.plugins.filter.trust_plan import trust_plan
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.loopback import refusal
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.probe_plan import of_interest, path_of, plan_probes
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.trust_plan import question_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.proxy_environment import without_credentials
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe


def facts_of(given: dict[str, Any]) -> dict[str, Any]:
    return observe(given)[0]


def names(given: dict[str, Any], vantages: list[str] | None = None) -> list[str]:
    return [spec["name"] for spec in probe_plan(facts_of(given), vantages)]


def test_every_vantage_of_a_service() -> None:
    assert names({}) == [
        "apiserver validating/hook/hook.example.com",
        "service_proxy system/hook:443 hook.system.svc /validate (admission)",
        "port_forward system/hook-0:8443 hook.system.svc /validate (admission)",
        "port_forward system/hook-1:8443 hook.system.svc /validate (admission)",
        "direct 10.1.0.1:8443 hook.system.svc /validate (admission)",
        "direct 10.1.0.2:8443 hook.system.svc /validate (admission)",
        "loopback certificate of 172.16.0.1:6443",
    ]


@pytest.mark.parametrize(
    ("given", "direct"),
    [
        ({"routing": "cluster_ip"}, ["10.1.0.1:8443", "10.1.0.2:8443", "10.96.0.7:443"]),
        ({"routing": "unknown"}, ["10.1.0.1:8443", "10.1.0.2:8443", "10.96.0.7:443"]),
        ({"routing": "cluster_ip", "service": {"headless": True}}, ["10.1.0.1:8443", "10.1.0.2:8443"]),
        ({"endpoints": ["10.1.0.1 unready", "10.1.0.2 ready"]}, ["10.1.0.2:8443"]),
        ({"endpoints": ["10.1.0.1 portless"]}, []),
        ({"endpoints": ["fd00::1 ready"]}, ["[fd00::1]:8443"]),
        ({"endpoints": "unreadable"}, []),
        ({"endpoints": [f"10.1.0.{number} ready" for number in range(1, 100)]}, [f"10.1.0.{number}:8443" for number in range(1, 17)]),
        ({"url": "https://hook.example.net:9443/v"}, ["hook.example.net:9443"]),
        ({"url": "https://127.0.0.1:9443/v"}, []),
        ({"url": "https://localhost/v"}, []),
        ({"service": "missing"}, []),
    ],
)
def test_what_is_dialled_directly(given: dict[str, Any], direct: list[str]) -> None:
    assert [name.split()[1] for name in names(given, ["direct"]) if name.startswith("direct ")] == direct


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, True),
        ({"endpoints": "unreadable"}, True),
        ({"service": "unreadable", "endpoints": "unreadable"}, True),
        ({"endpoints": []}, False),
        ({"service": "missing"}, False),
        ({"service": {"type": "ExternalName"}}, False),
        ({"port": 8443}, False),
        ({"url": "https://hook.example.net/v"}, False),
    ],
)
def test_the_service_proxy_is_asked_where_somebody_may_answer(given: dict[str, Any], asked: bool) -> None:
    assert bool(names(given, ["service_proxy"])) is asked


def test_what_is_asked_once_is_asked_for_all() -> None:
    facts = facts_of({})
    first = facts["callouts"][0]
    facts["callouts"].append({**first, "id": "validating/hook/second", "webhook": "second", "ca_bundle": "another CA", "timeout_seconds": 8})
    facts["callouts"].append(
        {**first, "id": "validating/hook/third", "webhook": "third", "client": {"service": {**first["client"]["service"], "path": "/other"}, "url": None}}
    )
    direct = [spec for spec in probe_plan(facts, ["direct"]) if spec["callouts"]]
    assert [(spec["host"], spec["path"], spec["callouts"]) for spec in direct] == [
        ("10.1.0.1", "/validate", [first["id"], "validating/hook/second"]),
        ("10.1.0.2", "/validate", [first["id"], "validating/hook/second"]),
        ("10.1.0.1", "/other", ["validating/hook/third"]),
        ("10.1.0.2", "/other", ["validating/hook/third"]),
    ]
    assert {spec["timeout"] for spec in direct} == {11.0}


@pytest.mark.parametrize(("kind", "review"), [("validating", "admission"), ("mutating", "admission"), ("conversion", "conversion"), ("apiservice", "none")])
def test_the_review_fits_the_call_out(kind: str, review: str) -> None:
    assert {spec["review"] for spec in probe_plan(facts_of({"kind": kind}), ["port_forward"])} == {review}


def test_rights_that_are_known_to_lack_are_not_tried() -> None:
    facts = facts_of({})
    facts["source"]["access"] = {"port_forward": False, "service_proxy": None, "dry_run": False}
    assert {spec["vantage"] for spec in probe_plan(facts)} == {"service_proxy", "direct"}
    assert probe_plan(facts, ["apiserver"]) == []


def test_a_dump_is_not_probed() -> None:
    assert names({"source": "dump"}) == []


def test_what_is_not_of_interest_stays_a_rival() -> None:
    specs = plan_probes(facts_of({"more": {"two": {"kind": "mutating"}, "three": {"kind": "conversion"}}}))
    kept = of_interest(specs, ["validating/hook/hook.example.com"])
    assert {callout for spec in kept for callout in spec["callouts"]} == {"validating/hook/hook.example.com"}
    assert [[rival["id"] for rival in spec["rivals"]] for spec in kept if spec["vantage"] == "apiserver"] == [["mutating/two/two.example.com"]]
    assert of_interest(specs, []) == specs


def test_an_unknown_vantage_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match=r"unknown vantage 'moon'\. Expected: apiserver, service_proxy, port_forward, direct"):
        names({}, ["moon"])


@pytest.mark.parametrize(
    ("version", "port", "asked"),
    [("v1.36.3", 6443, True), ("v1.30.1+k3s1", 6443, False), ("v1.30.1+k3s1", 6444, False), ("v1.30.1+rke2r1", 6443, True), ("v1.30.1+rke2r1", 9345, False)],
)
def test_the_loopback_certificate_is_not_asked_for_where_that_would_change_one(version: str, port: int, asked: bool) -> None:
    facts = facts_of({})
    facts["version"]["git_version"] = version
    facts["control_plane"]["instances"][0]["port"] = port
    loopback = [spec for spec in probe_plan(facts, ["direct"]) if spec["server_name"] == "apiserver-loopback-client"]
    assert bool(loopback) is asked
    assert all(spec["review"] == "none" and spec["callouts"] == [] for spec in loopback)


NODE = {"name": "s1", "provider_id": None, "labels": {}, "kubelet_version": "v1.30.1", "internal_ips": []}


@pytest.mark.covers("loopback-not-asked-k3s", code="WD690")
@pytest.mark.parametrize(
    ("node", "refused"),
    [
        (NODE, None),
        ({**NODE, "provider_id": "k3s://s1"}, "this is k3s (node s1 has the providerID k3s://s1)"),
        ({**NODE, "labels": {"node.kubernetes.io/instance-type": "k3s"}}, "this is k3s (node s1 has the label node.kubernetes.io/instance-type=k3s)"),
        ({**NODE, "kubelet_version": "v1.30.1+k3s1"}, "this is k3s (node s1 runs kubelet v1.30.1+k3s1)"),
        ({**NODE, "kubelet_version": "v1.30.1+rke2r1", "labels": {"node.kubernetes.io/instance-type": "rke2"}}, None),
        (None, "neither the version nor the nodes could be read"),
    ],
)
def test_k3s_is_recognised_where_the_version_is_hidden(node: dict[str, Any] | None, refused: str | None) -> None:
    facts = facts_of({})
    facts["version"] = {"git_version": None, "major": None, "minor": None}
    facts["platform"] = {"nodes": [node] if node else []}
    facts["control_plane"]["instances"][0]["visible"] = False
    assert bool([spec for spec in probe_plan(facts, ["direct"]) if not spec["callouts"]]) is (refused is None)
    why = refusal(facts, facts["control_plane"]["instances"][0])
    assert why == refused if refused is None else (why or "").startswith(refused)


def test_an_instance_without_an_address_is_not_asked() -> None:
    facts = facts_of({})
    facts["control_plane"]["instances"][0].update(address=None)
    assert not [spec for spec in probe_plan(facts, ["direct"]) if not spec["callouts"]]


def test_each_of_several_api_servers_is_asked_by_itself() -> None:
    two = probe_plan(facts_of({"instances": {"172.16.0.1": "ok", "172.16.0.2": "ok"}}), ["apiserver"])
    assert [spec["instance"] for spec in two] == [None, {"address": "172.16.0.1", "port": 6443}, {"address": "172.16.0.2", "port": 6443}]
    assert [spec["instance"] for spec in probe_plan(facts_of({}), ["apiserver"])] == [None]


def test_an_api_server_without_an_address_is_not_asked_by_itself() -> None:
    facts = facts_of({"instances": {"172.16.0.1": "ok", "172.16.0.2": "ok"}})
    facts["control_plane"]["instances"].append({**facts["control_plane"]["instances"][0], "name": "starting", "address": None, "port": None})
    assert [spec["instance"] and spec["instance"]["address"] for spec in probe_plan(facts, ["apiserver"])] == [None, "172.16.0.1", "172.16.0.2"]


def test_the_api_server_is_given_what_it_needs_to_choose_an_object_and_no_more() -> None:
    specs = {spec["callouts"][0]: spec for spec in probe_plan(facts_of({"more": {"convert": {"kind": "conversion"}}}), ["apiserver"])}
    mine = specs["validating/hook/hook.example.com"]
    assert "ca_bundle" not in mine["callout"] and "labels" not in mine["callout"]["object"]
    assert {"rules", "namespace_selector", "object_selector", "index", "client"} <= set(mine["callout"])
    assert mine["timeout"] == 12.0
    assert all(spec["rivals"] == [] for spec in specs.values()), "every call-out has a probe of its own"


def test_a_probe_from_elsewhere_knows_what_the_back_end_reviews() -> None:
    facts = facts_of({"more": {"convert": {"kind": "conversion"}, "api": {"kind": "apiservice"}}})
    known = {spec["callouts"][0].split("/")[0]: spec["callout"] for spec in probe_plan(facts, ["direct"]) if spec["callouts"]}
    assert known["validating"]["rules"] and known["conversion"]["conversion"]["group"]
    assert known["apiservice"] is None


def test_names_are_unique_and_the_order_of_the_facts_does_not_matter() -> None:
    facts = facts_of({"more": {"other": {}, "third": {"kind": "conversion"}, "fourth": {"kind": "apiservice"}, "fifth": {"url": "https://hook.example.net/v"}}})
    plan = probe_plan(facts)
    assert len({spec["name"] for spec in plan}) == len(plan)
    mixed = {**facts, "callouts": random.Random(1).sample(facts["callouts"], 5), "backends": facts["backends"][::-1]}
    assert probe_plan(mixed) == plan


# ---- trust


def test_each_distinct_chain_is_a_question() -> None:
    facts, probes, dummy = observe({"trust": {"10.1.0.2": "unknown_authority"}, "more": {"unseen": {"direct": "none"}}})
    asked = [(item["callouts"][0].split("/")[1], item["chain"], item["server_name"]) for item in trust_plan(facts, probes)]
    assert sorted(asked) == [
        ("hook", ["leaf of hook"], "hook.system.svc"),
        ("hook", ["leaf of hook at 10.1.0.2"], "hook.system.svc"),
        ("unseen", [], "unseen.unseen-system.svc"),
    ]


def test_call_outs_that_ask_the_same_share_a_question() -> None:
    facts, probes, dummy = observe({})
    first = facts["callouts"][0]
    facts["callouts"] += [{**first, "id": "validating/hook/second"}, {**first, "id": "validating/hook/third", "ca_bundle": "another CA"}]
    for probe in probes:
        if probe["callouts"]:
            probe["callouts"] = [callout["id"] for callout in facts["callouts"]]
    assert sorted(item["callouts"] for item in trust_plan(facts, probes)) == [[first["id"], "validating/hook/second"], ["validating/hook/third"]]


def test_a_question_is_known_by_its_name_and_the_time_is_passed_on() -> None:
    facts, probes, dummy = observe({"loopback": {"subject": "CN=apiserver-loopback-client@1763661600", "days": 9}})
    plan = trust_plan(facts, probes, at="2026-11-20T18:00:00Z")
    assert len({question_of(item["name"]) for item in plan} - {None}) == len(plan) == 2
    assert {item["at"] for item in plan} == {"2026-11-20T18:00:00Z"}
    assert [item["server_name"] for item in plan if not item["callouts"]] == ["apiserver-loopback-client"]
    assert trust_plan(facts, probes[::-1], at="2026-11-20T18:00:00Z") == plan


@pytest.mark.parametrize(
    ("client", "path"),
    [
        ({"url": "https://hook.example.net/validate?x=1#y", "service": None}, "/validate"),
        ({"url": "https://hook.example.net", "service": None}, "/"),
        ({"url": "https://[/validate", "service": None}, "/validate"),
        ({"url": None, "service": {"path": "/convert"}}, "/convert"),
        ({"url": None, "service": {"path": None}}, "/"),
    ],
)
def test_the_path_that_is_posted_to(client: dict[str, Any], path: str) -> None:
    assert path_of({"client": client}) == path


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("http://proxy.example.com:3128", "http://proxy.example.com:3128"),
        ("http://user:secret@proxy.example.com:3128/", "http://proxy.example.com:3128"),
        ("user:secret@proxy.example.com:3128", "proxy.example.com:3128"),
        ("http://user:secret@[::1", "http://[::1"),
        ("http://user:se@cret@proxy.example.com", "http://proxy.example.com"),
    ],
)
def test_a_proxy_is_shown_without_its_credentials(proxy: str, shown: str) -> None:
    assert without_credentials(proxy) == shown
