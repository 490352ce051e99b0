# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of applying: did it help, what goes together, has it rolled out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.outcome import affected, look
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.rollout import rolled_out
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.waves import waves
from ansible_collections.kubeops.webhook_doctor.tests.unit.apply.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.tests.unit.apply.items import apply, finding, item


def rows(name: str) -> list[Any]:
    return [pytest.param(row, id=row["name"]) for row in yaml.safe_load((Path(__file__).parent / name).read_text(encoding="utf-8"))]


def _findings(words: list[str]) -> list[dict[str, Any]]:
    found = []
    for text in words:
        callout, fingerprint, *rest = text.split()
        severity, cause = [*rest, *["error", "deadline_exceeded"][len(rest) :]]
        found.append(finding(callout, fingerprint, severity, None if cause == "-" else cause))
    return found


@pytest.mark.parametrize("row", rows("outcome.yml"))
def test_did_it_help(row: dict[str, Any]) -> None:
    callouts, fingerprints = row["item"]
    seen = look({"verify": {"callouts": callouts, "fingerprints": fingerprints}}, _findings(row["before"]), _findings(row["after"]))
    assert seen.effect.value == row["is"]
    assert row.get("because", "") in " ".join(seen.because) and bool(seen.because) == (row["is"] in ("worse", "not mended"))


def test_which_callouts_are_called() -> None:
    assert affected([{"verify": {"callouts": ["b", "a"]}}, {"verify": {"callouts": ["b"]}}]) == ["a", "b"]


@pytest.mark.parametrize("row", rows("waves.yml"))
def test_what_goes_together(row: dict[str, Any]) -> None:
    items = []
    for entry in row["items"]:
        name, more = (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))
        plain = {"id": name, "remedy": "r", "action": "patch", "risk": "low", "temporary": False, "requires": [], "target": {"name": more.get("of", name)}}
        items.append({**plain, "verify": {"rollout": more.get("rollout", False)}, **more})
    assert [[one["id"] for one in wave] for wave in waves(items)] == row["waves"]


def workload(row: dict[str, Any]) -> dict[str, Any]:
    spec = {} if row["replicas"] is None else {"replicas": row["replicas"]}
    metadata = {"name": "w", "namespace": "system", "generation": 3}
    return {"apiVersion": "apps/v1", "kind": row["kind"], "metadata": metadata, "spec": spec, "status": row["status"]}


@pytest.mark.parametrize("row", rows("rollout.yml"))
def test_what_a_rollout_lacks(row: dict[str, Any]) -> None:
    cluster = Cluster()
    cluster.add(workload(row))
    planned = item("patch", workload(row), rollout=True)
    left = rolled_out(cluster, [planned], deadline=30.0)
    assert list(left) == ([planned["id"]] if row["lacks"] else []) and (row["lacks"] or "") in "".join(left.values())
    assert cluster.time == (30.0 if row["lacks"] else 0.0)
    assert len(cluster.said) == (2 if row["lacks"] else 0), "every ten seconds"


def test_it_rolls_out_while_it_is_waited_for() -> None:
    cluster = Cluster()
    cluster.add(workload({"kind": "Deployment", "replicas": 1, "status": {"observedGeneration": 3}}))
    ready = {"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    cluster.watch = lambda what, name: cluster.objects["Deployment/system/w"].update(status=ready) if cluster.time >= 4 else None
    assert rolled_out(cluster, [item("patch", cluster.objects["Deployment/system/w"], rollout=True)], deadline=30.0) == {} and cluster.time == 4


def test_a_change_that_does_not_roll_out_has_not_mended_anything(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.add(workload({"kind": "Deployment", "replicas": 1, "status": {"observedGeneration": 3}}))
    live = cluster.objects["Deployment/system/w"]
    planned = {**item("patch", live, rollout=True, patience=10), "patch": [{"op": "add", "path": "/spec/paused", "value": False}]}
    assert apply(cluster, tmp_path, [planned]) == {planned["id"]: "not_mended"}


def test_what_is_no_workload_is_not_waited_for() -> None:
    cluster = Cluster()
    gone = item("patch", workload({"kind": "Deployment", "replicas": 1, "status": {}}), rollout=True)
    service = item("patch", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "system"}}, rollout=True)
    assert rolled_out(cluster, [gone, service], 30.0) == {} and cluster.time == 0
