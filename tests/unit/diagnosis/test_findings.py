# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of findings as a whole: its shape, its order, one cause as one finding, what is suppressed and selected, and its cost."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.kubeops.webhook_doctor.plugins.filter.findings import findings
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.planners.registry import PLANNERS
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe

REFUSED = {"says": "dial tcp 10.1.0.1:8443: connect: connection refused"}
EXPIRED = {"says": "x509: certificate has expired or is not yet valid: current time 2026-11-20T18:00:00Z is after 2026-11-19T18:00:00Z"}
MIXED: dict[str, Any] = {
    "apiserver": REFUSED,
    "events": [REFUSED, EXPIRED],
    "loopback": {"subject": "CN=apiserver-loopback-client@1763661600", "days": 3},
    "coverage": [{"what": "pods", "reason": "forbidden", "message": "pods is forbidden", "consequence": "pods are not shown"}],
    "more": {
        "expired": {"apiserver": EXPIRED, "trust": "certificate_expired", "served": {"days": -1}},
        "open": {"failure_policy": "Ignore", "apiserver": "not provable", "service_proxy": "http 404", "direct": "none"},
        "lonely": {"endpoints": ["10.1.9.1 ready"]},
        "unseen": {"apiserver": "not provable", "direct": "none"},
        "old": {"bundle": [{"days": 9}]},
    },
}
SHAPE = {"code", "title", "severity", "subject", "affects", "impact", "cause", "phase", "evidence", "confirm", "remedy", "docs", "fingerprint"}


def shuffled(value: Any, dice: random.Random) -> Any:
    """The same observation with every list of results, call-outs, back ends, events in another order."""
    return dice.sample(value, len(value)) if isinstance(value, list) else value


def test_shape_and_order() -> None:
    found = diagnose(*observe(MIXED))
    assert [(finding["severity"], finding["code"]) for finding in found] == [
        ("error", "WD201"),
        ("error", "WD307"),
        ("warning", "WD130"),
        ("warning", "WD306"),
        ("warning", "WD401"),
        ("warning", "WD690"),
        ("info", "WD901"),
        ("info", "WD902"),
    ]
    for finding in found:
        assert set(finding) == SHAPE
        assert finding["evidence"] and finding["remedy"]["manual"] and finding["remedy"]["role"] in (None, *PLANNERS)
        assert len(finding["fingerprint"]) == 16
    json.dumps(found)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_what_was_observed_does_not_matter(seed: int) -> None:
    facts, probes, verdicts = observe(MIXED)
    dice = random.Random(seed)
    mixed = {**facts, **{key: shuffled(facts[key], dice) for key in ("callouts", "backends", "namespaces", "evidence", "coverage")}}
    assert diagnose(mixed, shuffled(probes, dice), shuffled(verdicts, dice)) == diagnose(facts, probes, verdicts)


def test_the_observation_is_not_changed() -> None:
    facts, probes, verdicts = observe(MIXED)
    before = json.dumps([facts, probes, verdicts], sort_keys=True)
    diagnose(facts, probes, verdicts)
    assert json.dumps([facts, probes, verdicts], sort_keys=True) == before


def test_one_dead_back_end_is_one_finding_for_all_who_call_it() -> None:
    facts, probes, verdicts = observe({"apiserver": REFUSED})
    second = {
        **facts["callouts"][0],
        "id": "mutating/hook/hook.example.com",
        "kind": "mutating",
        "object": {**facts["callouts"][0]["object"], "kind": "MutatingWebhookConfiguration"},
    }
    facts["callouts"].append(second)
    probes = [*probes, {**probes[0], "name": "apiserver mutating/hook/hook.example.com", "callouts": [second["id"]]}]
    (finding,) = diagnose(facts, probes, verdicts)
    assert finding["subject"] == {"kind": "Service", "namespace": "system", "name": "hook", "webhook": None}
    assert finding["affects"] == ["mutating/hook/hook.example.com", "validating/hook/hook.example.com"]


def test_entries_of_one_object_are_one_finding_about_the_object() -> None:
    facts, probes, verdicts = observe({"apiserver": "not provable", "trust": "unknown_authority"})
    first = facts["callouts"][0]
    second = {**first, "id": "validating/hook/second.example.com", "webhook": "second.example.com", "index": 1}
    facts["callouts"].append(second)
    for item in (*probes, *verdicts):
        if item.get("vantage") != "apiserver":
            item["callouts"] = [first["id"], second["id"]]
    (finding,) = diagnose(facts, probes, verdicts)
    assert finding["subject"] == {"kind": "ValidatingWebhookConfiguration", "namespace": None, "name": "hook", "webhook": None}
    assert len(finding["affects"]) == 2


def test_the_worst_severity_of_those_affected_counts() -> None:
    proxied = {"says": "Unable to connect"}
    found = diagnose(*observe({"apiserver": proxied, "failure_policy": "Ignore", "more": {"other": {"apiserver": proxied}}}))
    assert [(finding["code"], finding["severity"]) for finding in found] == [("WD220", "error")]


def test_a_fingerprint_is_the_same_tomorrow_and_when_more_is_affected() -> None:
    (today,) = diagnose(*observe({"apiserver": REFUSED}))
    facts, probes, verdicts = observe(
        {"apiserver": {"says": "dial tcp 10.1.0.2:8443: connect: connection refused"}, "events": [REFUSED], "failure_policy": "Ignore"}
    )
    facts["source"]["observed_at"] = "2026-11-21T18:00:00Z"
    (tomorrow,) = diagnose(facts, probes, verdicts)
    assert today["fingerprint"] == tomorrow["fingerprint"]
    assert today["evidence"] != tomorrow["evidence"]
    (other,) = diagnose(*observe({"apiserver": EXPIRED}))
    assert other["fingerprint"] != today["fingerprint"]


def test_the_evidence_says_who_saw_what() -> None:
    (finding,) = diagnose(*observe({"apiserver": REFUSED, "port_forward": "ok", "events": [REFUSED]}))
    said = finding["evidence"]
    assert said[0].startswith('the API server (dry-run patch of hooks shop/one) says: Internal error occurred: failed calling webhook "hook.example.com"')
    assert "from this host to 10.1.0.1:8443: HTTP 200 after 20 ms" in said
    assert "through port-forward to system/hook-0:8443: HTTP 200 after 20 ms" in said
    assert said[-1].startswith("event of ReplicaSet shop/web, 3 times, last seen 2026-11-20T17:59:00Z: ")


def test_a_proxy_s_password_is_not_repeated() -> None:
    given = {"apiserver": {"says": "Service Unavailable"}, "proxy": {"HTTPS_PROXY": "http://user:secret@proxy.example.net:3128", "NO_PROXY": "10.96.0.0/12"}}
    found = json.dumps(diagnose(*observe(given)))
    assert "proxy.example.net:3128" in found and "lacks .svc" in found
    assert "secret" not in found


def test_hostile_text_is_bounded_and_printable() -> None:
    (finding,) = diagnose(*observe({"apiserver": {"says": "dial tcp 10.1.0.1:8443: connect: connection refused \x1b[2J\u202e" + "A" * 100_000}}))
    assert all(len(line) <= 600 and line.isprintable() for line in finding["evidence"])


# ---- suppressions and selection


def codes(**options: Any) -> list[str]:
    facts, probes, verdicts = observe(MIXED)
    return [finding["code"] for finding in findings(facts, probes=probes, verdicts=verdicts, **options)]


EVERYTHING = ["WD201", "WD307", "WD130", "WD306", "WD401", "WD690", "WD901", "WD902"]


@pytest.mark.parametrize(
    ("suppress", "hidden"),
    [
        ({"code": "WD130", "reason": "one is enough here"}, ["WD130"]),
        ({"code": "WD9*"}, ["WD901", "WD902"]),
        ({"code": "WD130", "name": "lonely"}, ["WD130"]),
        ({"code": "WD130", "name": "lonely-system/lonely"}, ["WD130"]),
        ({"code": "WD130", "name": "other"}, []),
        ({"name": "validating/expired/*"}, ["WD307"]),
        ({"code": "WD130", "until": "2026-11-20"}, ["WD130"]),
        ({"code": "WD130", "until": "2026-11-19"}, []),
        ({"code": "WD130", "until": "2026-11-20T18:00:00Z"}, []),
    ],
)
def test_a_suppression_hides_what_it_names(suppress: dict[str, str], hidden: list[str]) -> None:
    assert codes(suppress=[suppress]) == [code for code in EVERYTHING if code not in hidden]
    assert codes(suppress=[suppress], suppressed=True) == hidden


def test_a_suppressed_finding_says_why_and_until_when() -> None:
    facts, probes, verdicts = observe(MIXED)
    (finding,) = findings(facts, probes, verdicts, suppress=[{"code": "WD130", "until": "2027-01-31", "reason": "a small cluster"}], suppressed=True)
    assert (finding["reason"], finding["until"]) == ("a small cluster", "2027-01-31")


def test_a_name_does_not_hide_a_finding_that_affects_others_too() -> None:
    given = {"apiserver": {"says": "Unable to connect"}, "more": {"other": {"apiserver": {"says": "Unable to connect"}}}}
    facts, probes, verdicts = observe(given)
    assert [one["code"] for one in findings(facts, probes, verdicts, suppress=[{"name": "validating/hook/*"}])] == ["WD220"]
    assert findings(facts, probes, verdicts, suppress=[{"name": "validating/*"}]) == []


@pytest.mark.parametrize(
    ("select", "kept"),
    [
        ("[?severity=='error']", ["WD201", "WD307"]),
        ("[?starts_with(code, 'WD3')]", ["WD307", "WD306"]),
        ("[?contains(affects, 'validating/old/old.example.com')]", ["WD306"]),
        ("[?code=='WD999']", []),
        ("", EVERYTHING),
    ],
)
def test_a_selection_picks(select: str, kept: list[str]) -> None:
    assert codes(select=select) == kept


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"select": "[?"}, "not valid JMESPath"),
        ({"select": "[].code"}, "does not pick findings"),
        ({"select": "length(@)"}, "does not pick findings"),
        ({"suppress": [{"reason": "all of it"}]}, r"suppress\[0\] names neither a code nor a name"),
        ({"suppress": [{"code": "WD1*", "until": "next week"}]}, "'next week' is not a time"),
        ({"suppress": [{"codes": "WD130"}]}, "unknown key 'codes'"),
        ({"suppress": ["WD130"]}, r"suppress\[0\] is a str"),
        ({"at": "soon"}, "'soon' is not a time"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(AnsibleFilterError, match=said):
        codes(**options)


@pytest.mark.parametrize(
    ("facts", "probes", "said"),
    [
        ("facts", [], "the facts are a str"),
        ({}, [], "facts.source is missing"),
        (None, "probes", "probes is a str"),
        (None, [{"ok": True}], r"probes\[0\] has no name"),
    ],
)
def test_something_else_than_an_observation_is_named(facts: Any, probes: Any, said: str) -> None:
    with pytest.raises(AnsibleFilterError, match=said):
        findings(observe({})[0] if facts is None else facts, probes=probes)


def test_a_bundle_whose_back_end_is_gone_is_named() -> None:
    facts, probes, verdicts = observe({})
    facts["backends"] = []
    with pytest.raises(AnsibleFilterError, match=r"call-out validating/hook/hook.example.com: its back end .* is not among facts.backends"):
        findings(facts, probes, verdicts)


def test_a_later_moment_can_be_judged() -> None:
    facts, probes, verdicts = observe({"served": {"days": 80}})
    assert findings(facts, probes, verdicts) == []
    assert [one["code"] for one in findings(facts, probes, verdicts, at="2027-01-20T00:00:00Z")] == ["WD305"]
    assert [one["code"] for one in findings(facts, probes, verdicts, warn_days=90)] == ["WD305"]


# ---- cost


def many(number: int) -> dict[str, Any]:
    return {
        "more": {f"w{index}": {"apiserver": REFUSED if index % 10 == 0 else "ok", "events": [REFUSED] if index % 10 == 0 else []} for index in range(number)}
    }


def test_a_thousand_call_outs_are_judged_in_linear_time() -> None:
    small, big = observe(many(250)), observe(many(1000))

    def seconds(observation: Any) -> float:
        began = time.process_time()
        assert diagnose(*observation)
        return time.process_time() - began

    few = min(seconds(small) for dummy in range(2))
    lots = min(seconds(big) for dummy in range(2))
    assert lots < 20
    assert lots < few * 12, f"four times the call-outs took {lots / few:.1f} times as long"
