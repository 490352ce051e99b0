# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD510 by the table timeouts.yml."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.rules.timeouts import CLUSTER_RULES
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.callouts_short import NAMESPACES, a_callout, a_conversion, some_facts

TABLE = yaml.safe_load((Path(__file__).parent / "timeouts.yml").read_text())


def findings_of(callouts: list[dict[str, Any]], namespaces: dict[str, dict[str, str]] | None) -> list[Any]:
    cluster = Cluster.of(some_facts(callouts, namespaces))
    return [finding for rule in CLUSTER_RULES for finding in rule(cluster)]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["name"])
def test_sum_of_mutating_timeouts(row: dict[str, Any]) -> None:
    callouts = [a_callout(name, {"kind": "mutating", **short}) for name, short in row["webhooks"].items()]
    for callout in callouts:
        back_end = row.get("backends", {}).get(callout["object"]["name"])
        callout["backend"] = f"url/https://{back_end}:443" if back_end else callout["backend"]
    if row.get("converted"):
        callouts.append(a_conversion({"versions": [["v1", "served", "storage"], ["v1beta1", "served"]], "stored": ["v1"]}))
    findings = findings_of(callouts, row.get("namespaces", NAMESPACES))
    if row["find"] is None:
        assert not findings, findings
        return
    (finding,) = findings
    seconds, *names = row["find"]
    assert (finding.code, finding.severity.value) == ("WD510", row.get("severity", "warning"))
    assert finding.affects == tuple(f"mutating/{name}/{name}.example.com" for name in names)
    assert f"{seconds} s together" in finding.evidence[0]
    for name in names:
        assert any(f"{name}.example.com" in line for line in finding.evidence)
    if "says" in row:
        assert any(row["says"] in line for line in finding.evidence), finding.evidence


def test_the_order_of_the_facts_does_not_matter() -> None:
    callouts = [a_callout(name, {"kind": "mutating"}) for name in "abcd"]
    assert findings_of(callouts, NAMESPACES) == findings_of(callouts[::-1], dict(reversed(NAMESPACES.items())))


def test_a_thousand_webhooks_that_each_spare_their_own_namespace() -> None:
    """Every namespace is told apart by some selector."""
    names = [f"n{number}" for number in range(1000)]
    callouts = [a_callout(name, {"kind": "mutating", "namespace_selector": [["kubernetes.io/metadata.name", "NotIn", name]]}) for name in names]
    began = time.monotonic()
    assert len(findings_of(callouts, {name: {} for name in names})) == 1
    assert time.monotonic() - began < 5
