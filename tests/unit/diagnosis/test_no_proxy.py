# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NO_PROXY by Go's rules (no_proxy_rules.yml), and the filter that tells what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.kubeops.webhook_doctor.plugins.filter.missing_no_proxy import missing_no_proxy
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.no_proxy import Need, NoProxy
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe

RULES = yaml.safe_load((Path(__file__).parent / "no_proxy_rules.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", RULES, ids=lambda row: row["no_proxy"] or "empty")
def test_the_rules_of_go(row: dict[str, Any]) -> None:
    no_proxy = NoProxy(row["no_proxy"])
    assert [host for host in row["direct"] if not no_proxy.covers(Need.of(host))] == []
    assert [host for host in row["proxied"] if no_proxy.covers(Need.of(host))] == []


@pytest.mark.parametrize(("no_proxy", "covered"), [("10.0.0.0/8", True), ("10.96.0.0/24", False), ("10.96.0.0/17,10.96.128.0/17", False), ("*", True)])
def test_a_range_is_covered_as_a_whole(no_proxy: str, covered: bool) -> None:
    assert NoProxy(no_proxy).covers(Need.of("10.96.0.0/16")) is covered


def entries(found: list[dict[str, Any]]) -> list[str]:
    return [one["entry"] for one in found]


def test_what_is_missing_in_the_order_of_the_needs() -> None:
    needs = ["a.b.svc", "10.96.0.0/16", "10.0.0.10:6443", {"host": "c.d.svc", "port": 8443, "entry": ".svc", "why": "webhooks"}]
    assert entries(missing_no_proxy("10.0.0.10", needs)) == ["a.b.svc", "10.96.0.0/16", ".svc"]
    assert missing_no_proxy(".svc,10.0.0.0/8", needs) == []


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, ["a.b.svc"]),
        ({"https_proxy": "http://p:1", "no_proxy": "svc"}, []),
        ({"https_proxy": "http://p:1", "no_proxy": "svc", "NO_PROXY": "x"}, ["a.b.svc"]),
        ({"HTTP_PROXY": "http://p:1"}, []),
        ({}, []),
    ],
)
def test_the_variables_as_go_reads_them(environment: dict[str, str], missing: list[str]) -> None:
    assert entries(missing_no_proxy(environment, ["a.b.svc"])) == missing


def test_the_needs_of_a_cluster() -> None:
    facts, dummy, _verdicts = observe({"routing": "cluster_ip", "flags": {"service-cluster-ip-range": "10.96.0.0/16"}, "more": {"api": {"kind": "apiservice"}}})
    assert [(one["host"], one["port"], one["entry"]) for one in missing_no_proxy("", facts=facts)] == [
        ("hook.system.svc", 443, ".svc"),
        ("10.96.0.7", 443, "10.96.0.0/16"),
    ]
    assert missing_no_proxy(".svc,10.96.0.0/12", facts=facts) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((None, []), "got a NoneType"),
        (("",), "expected either needs"),
        (("", [], {}), "expected either needs"),
        (("", "a.b.svc"), "needs is a str"),
        (("", [{"port": 1}]), r"needs\[0\]: expected a host"),
        (("", ["a", "b:x"]), r"needs\[1\]: port 'x' is none"),
        (("", None, {"callouts": []}), "facts.source is missing"),
    ],
)
def test_wrong_arguments_are_named(arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(AnsibleFilterError, match=says):
        missing_no_proxy(*arguments)
