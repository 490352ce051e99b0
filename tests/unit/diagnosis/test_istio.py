# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Istio: what is observed of it, and what must be found. istio.yml: findings; mesh_injection.yml: who injects whom."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.catalogue.istio import ENTRIES
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.mesh_world import observe

HERE = Path(__file__).parent
ROWS = yaml.safe_load((HERE / "istio.yml").read_text(encoding="utf-8"))
INJECTION = yaml.safe_load((HERE / "mesh_injection.yml").read_text(encoding="utf-8"))


def found(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    return diagnose(*observe(given))


def words(findings: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{finding['code']} {finding['severity']} {finding['cause'] or 'null'}" for finding in findings)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_the_fault_is_found_and_its_twin_is_not(row: dict[str, Any]) -> None:
    fault = found(row["given"])
    assert words(fault) == sorted(row["find"]), [finding["evidence"] for finding in fault]
    for code, line in row.get("says", {}).items():
        assert any(line in evidence for finding in fault if finding["code"] == code for evidence in finding["evidence"]), fault
    for code, command in row.get("does", {}).items():
        steps = [step for finding in fault if finding["code"] == code for step in finding["remedy"]["manual"]]
        assert command in steps, steps
    twin = found({**row["given"], **row["but"]})
    assert words(twin) == sorted(row.get("otherwise", [])), [finding["evidence"] for finding in twin]


def test_every_code_has_a_positive_and_a_negative() -> None:
    positive = {line.split()[0] for row in ROWS for line in row["find"]}
    negative = {line.split()[0] for row in ROWS for line in row["find"] if line.split()[0] not in str(row.get("otherwise", ""))}
    codes = {entry.code for entry in ENTRIES}
    assert positive & codes == codes
    assert negative & codes == codes


@pytest.mark.parametrize("row", INJECTION, ids=lambda row: row["name"])
def test_who_injects(row: dict[str, Any]) -> None:
    """As `istioctl experimental check-inject` says it."""
    facts, probes, dummy = observe({key: row[key] for key in ("istiods", "injectors", "namespaces") if key in row} | {"validators": {}})
    mesh = Cluster.of(facts, probes).mesh
    (namespace,) = row["namespaces"]
    assert [one.name for one, dummy in mesh.injecting(mesh.namespaces[namespace], row.get("pod", {}))] == row["injects"]


def test_a_healthy_mesh_yields_nothing() -> None:
    assert found({"namespaces": {"shop": {"istio-injection": "enabled"}, "old": {}}, "pods": ["shop/web sidecar", "shop/api native", "old/web bare"]}) == []


@pytest.mark.parametrize("revision", ["asm-1-27", "asm-1187-26"])
def test_the_addon_of_aks_and_a_revision_of_google_are_judged_by_what_is_there(revision: str) -> None:
    assert found({"istiods": {revision: "ready"}, "namespaces": {"shop": {"istio.io/rev": revision}}, "pods": ["shop/web sidecar"]}) == []


def test_removal_is_only_told_with_a_copy_and_where_nobody_asks_for_it() -> None:
    gone = {"istiods": {"1-30-3": "ready"}, "injectors": {"old": {"revision": "1-27-0"}}, "validators": {}}
    free, asked = found(gone), found({**gone, "namespaces": {"shop": {"istio.io/rev": "1-27-0"}}})
    (steps,) = [finding["remedy"]["manual"] for finding in free if finding["code"] == "WD855"]
    assert steps.index("kubectl get mutatingwebhookconfiguration old -o yaml > old.yaml") < steps.index("kubectl delete mutatingwebhookconfiguration old")
    (steps,) = [finding["remedy"]["manual"] for finding in asked if finding["code"] == "WD855"]
    assert not [step for step in steps if "delete" in step]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_no_sentence_announces_a_command_that_is_left_out(row: dict[str, Any]) -> None:
    """A step that ends with a colon is followed by its command."""
    for finding in found(row["given"]):
        steps = finding["remedy"]["manual"]
        for step, following in zip(steps, [*steps[1:], "# end"]):
            assert not (step.startswith("# ") and step.endswith(":")) or not following.startswith("# "), steps


def test_a_bundle_from_before_istio_was_observed_is_judged_all_the_same() -> None:
    facts, probes, verdicts = observe({"namespaces": {"shop": {"istio.io/rev": "gone"}}, "pods": ["shop/web bare"]})
    facts["apps"] = {}
    assert words(diagnose(facts, probes, verdicts)) == ["WD851 warning null"]


def test_nothing_but_one_value_is_kept_of_a_proxys_configuration() -> None:
    given = {"namespaces": {"shop": {"istio-injection": "enabled"}}, "pods": ["shop/web sidecar unready asks=istiod.istio-system.svc:15012"]}
    facts = observe({**given, "config_maps": {"istio": "accessToken: planted-7c1\ndefaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n"}})[0]
    assert "planted-7c1" not in str(facts)
    assert '"x":"y"' not in str(facts)
    assert [item["address"] for item in facts["apps"]["istio"]["discovery"]] == ["istiod.istio-system.svc:15012"]
