# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD541 and WD545 by the tables deadlocks.yml and injection.yml: what webhooks do together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.dependencies import Dependencies
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.label_index import LabelIndex, bits
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.rules import deadlock, injection
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.callouts_short import a_refusal, a_selector, several

HERE = Path(__file__).parent
RULES = {"deadlocks": deadlock.CLUSTER_RULES, "injection": injection.CLUSTER_RULES}
ROWS = [(table, row) for table in RULES for row in yaml.safe_load((HERE / f"{table}.yml").read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("table", "row"), ROWS, ids=[f"{table}: {row['name']}" for table, row in ROWS])
def test_what_webhooks_do_together(table: str, row: dict[str, Any]) -> None:
    facts = several(row["webhooks"], row.get("namespaces", {}), row.get("pods"))
    down = [callout for callout in facts["callouts"] if callout["object"]["name"] in row.get("failing", ())]
    cluster = Cluster.of(facts, [{**a_refusal([callout]), "name": callout["id"]} for callout in down])
    findings = [finding for rule in RULES[table] for finding in rule(cluster)]
    found = [{finding.severity.value: sorted({callout.split("/", 1)[1] for callout in finding.affects})} for finding in findings]
    wanted = [{severity: [name if "/" in name else f"{name}/{name}.example.com" for name in names] for severity, names in one.items()} for one in row["find"]]
    assert sorted(found, key=str) == sorted(wanted, key=str), [finding.evidence for finding in findings]
    for line in row.get("says", ()):
        assert any(line in evidence for finding in findings for evidence in finding.evidence), [finding.evidence for finding in findings]


def test_the_order_of_the_facts_does_not_matter() -> None:
    row = next(row for table, row in ROWS if row["name"] == "a circle of three")
    facts = several(row["webhooks"], {})
    other = {**facts, "callouts": facts["callouts"][::-1], "backends": facts["backends"][::-1], "namespaces": facts["namespaces"][::-1]}
    assert [list(rule(Cluster.of(facts))) for rule in deadlock.CLUSTER_RULES] == [list(rule(Cluster.of(other))) for rule in deadlock.CLUSTER_RULES]


def test_a_long_chain_needs_no_recursion() -> None:
    ring = {f"w{number:04}": {"namespace_selector": [["kubernetes.io/metadata.name", "In", f"w{(number + 1) % 1500:04}"]]} for number in range(1500)}
    graph = Dependencies(Cluster.of(several(ring, {})))
    (group,) = graph.circles()
    assert len(group) == len(graph.shortest(0, group)) == 1500


@pytest.mark.parametrize(
    ("expressions", "selected"),
    [
        (None, [0, 1, 2, 3]),
        ([["a", "In", "1"]], [0]),
        ([["a", "In", "1", "2"]], [0, 1]),
        ([["a", "NotIn", "1"]], [1, 2]),
        ([["a", "Exists"]], [0, 1]),
        ([["a", "DoesNotExist"]], [2]),
        ([["a", "Exists"], ["b", "In", "x"]], [0]),
        ([["a", "Fancy"]], []),
    ],
)
def test_an_index_of_labels(expressions: list[list[str]] | None, selected: list[int]) -> None:
    """The last thing's labels are not known."""
    index = LabelIndex([{"a": "1", "b": "x"}, {"a": "2"}, {}, None])
    assert list(bits(index.selected(a_selector(expressions)))) == selected
    assert list(bits(0)) == []


def test_an_index_counts_far() -> None:
    index = LabelIndex([{"name": f"n{number}"} for number in range(1000)])
    assert list(bits(index.selected(a_selector([["name", "In", "n0", "n8", "n999"]])))) == [0, 8, 999]
