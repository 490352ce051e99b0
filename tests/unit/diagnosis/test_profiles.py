# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The profiles of time-outs, WD511 and WD512, by the table profiles.yml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.grouping import grouped
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.rules.timeout_profiles import CASE_RULES
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.timeout_profile import longer, profiles
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.callouts_short import a_refusal, an_apiservice, several, some_facts

TABLE = yaml.safe_load((Path(__file__).parent / "profiles.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["name"])
def test_a_profile_applies(row: dict[str, Any]) -> None:
    facts = several({f"hook/{row.get('entry', 'hook.shop.example.com')}": row["webhook"]}, {})
    cluster = Cluster.of(facts, [a_refusal(facts["callouts"])] if row.get("failing") else [])
    (case,) = cluster.cases
    assert [profile.name for profile in profiles(case)] == row["profiles"]
    findings = [finding for rule in CASE_RULES for finding in rule(case)]
    assert {finding.code: finding.severity.value for finding in findings} == row["find"]
    if "says" in row:
        assert any(row["says"] in line for finding in findings for line in finding.evidence), [finding.evidence for finding in findings]


def test_the_step_that_shows_the_phase_names_the_entry() -> None:
    """A patch by position alone would hit another entry after somebody reordered them."""
    (case,) = Cluster.of(several({"hook/webhook.cert-manager.io": {"timeout": 10}}, {})).cases
    test, replace = json.loads(str(longer(case)["longer"]))
    assert test == {"op": "test", "path": "/webhooks/0/name", "value": "webhook.cert-manager.io"}
    assert replace == {"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 30}


def test_the_entries_of_one_configuration_are_one_finding() -> None:
    facts = several({"hook/a.shop.example.com": {"timeout": 20}, "hook/b.shop.example.com": {"timeout": 30}, "other/c.shop.example.com": {"timeout": 30}}, {})
    findings = grouped(finding for case in Cluster.of(facts).cases for rule in CASE_RULES for finding in rule(case))
    assert [(finding.subject.name, finding.subject.webhook, len(finding.affects)) for finding in findings] == [
        ("hook", None, 2),
        ("other", "c.shop.example.com", 1),
    ]


def test_what_has_a_fixed_limit_has_no_profile() -> None:
    (case,) = Cluster.of(some_facts([an_apiservice("v1beta1.metrics.k8s.io")], {})).cases
    assert profiles(case) == () and longer(case) == {}
