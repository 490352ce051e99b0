# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many webhooks and namespaces: the quick ways lead to the same answers as asking one by one, and they are quick. The facts are those of the benchmark."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import YES, selector_matches
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.conditions import intercepts_under_conditions
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.dependencies import Dependencies
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.label_index import bits
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.needs import to_run_pods
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.severity import fails_open

ROOT = Path(__file__).resolve().parents[3]


def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("bench_interception", ROOT / "benchmarks" / "interception.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", range(6))
def test_an_edge_is_there_exactly_if_the_call_out_is_asked(seed: int) -> None:
    facts = benchmark().facts(80, 60, seed)
    if seed % 2:
        facts["namespaces"] = [one for one in facts["namespaces"] if int(one["labels"]["cost"]) % 3]  # not all of them could be read
        for backend in facts["backends"][::4]:
            backend["pods"] = None
    cluster = Cluster.of(facts)
    graph = Dependencies(cluster)

    def asked(by: int, of: int) -> bool:
        return any(
            intercepts_under_conditions(case.callout, need.request, need.by.groups, need.by.users) == YES
            for case in graph.nodes[by].cases
            if not fails_open(case.callout)
            for write in to_run_pods(case, graph.nodes[of].cases[0])
            for need in write.needs(case)
        )

    places = range(len(graph.nodes))
    expected = {(by, of) for by in places for of in places if by != of and asked(by, of)}
    assert expected
    assert {(by, of) for by, others in graph.asked_by.items() for of in bits(others)} == expected


def test_the_index_of_namespaces_selects_as_the_api_server_does() -> None:
    facts = benchmark().facts(200, 300)
    known = Cluster.of(facts).namespaces
    for callout in facts["callouts"]:
        selector = callout["namespace_selector"]
        one_by_one = [name for name, labels in zip(known.names, known.labels, strict=True) if selector_matches(selector, labels)]
        assert known.named(known.selected(selector)) == one_by_one


def test_a_thousand_webhooks_and_five_thousand_namespaces() -> None:
    """Seconds of CPU; the bounds are wide, the benchmark has the figures."""
    make = benchmark().facts
    half, whole = make(500, 2500), make(1000, 5000)

    def seconds(facts: dict[str, Any]) -> float:
        began = time.process_time()
        assert diagnose(facts)
        return time.process_time() - began

    few, many = seconds(half), seconds(whole)
    assert many < 15
    assert many < few * 4, f"twice the objects took {many / few:.1f} times as long"
