# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patches that are printed for sources make of an object, by the real Kustomize and the API's own merge, what the plan's edit makes of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from doctorlab import paths
from doctorlab.build import ensure
from doctorlab.versions import choose

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy import durable
from ansible_collections.kubeops.webhook_doctor.tests.unit.remedy.owned_changes import OWNED, Owned, owned

PATCHED = {name: row for name, row in OWNED.items() if not row.get("delete")}
# kubectl has no Go type of CustomResourceDefinition, so it merges none without a server.
MERGED = {name: row for name, row in PATCHED.items() if row.get("object") != "crd"}


@pytest.fixture(scope="session")
def kubectl() -> Path:
    return ensure(choose(None, paths.VERSIONS), print)["kubectl"]


@pytest.mark.parametrize("row", list(PATCHED.values()), ids=list(PATCHED))
def test_kustomize_makes_what_the_edit_makes(row: dict[str, Any], kubectl: Path, tmp_path: Path) -> None:
    made = owned(row)
    assert made.change.edit is not None
    assert kustomized(made, made.live, kubectl, tmp_path) == without_empty(made.change.edit.result)


@pytest.mark.parametrize("row", list(MERGED.values()), ids=list(MERGED))
def test_the_api_merges_what_the_edit_makes(row: dict[str, Any], kubectl: Path, tmp_path: Path) -> None:
    made = owned(row)
    assert made.change.edit is not None
    (tmp_path / "object.json").write_text(json.dumps(made.live), encoding="utf-8")
    patch = json.dumps(durable.patch_of(made.change, made.live))
    done = run([str(kubectl), "patch", "--local", "--type", "strategic", "-f", "object.json", "-p", patch, "-o", "json"], tmp_path)
    assert comparable(json.loads(done)) == comparable(made.change.edit.result)


def test_kustomize_takes_out_what_is_deleted(kubectl: Path, tmp_path: Path) -> None:
    made = owned(OWNED["a Kustomization, which takes out what is deleted"])
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}
    assert kustomized(made, other, kubectl, tmp_path, made.live) == other


def test_a_source_without_what_the_api_server_filled_in_takes_the_patch(kubectl: Path, tmp_path: Path) -> None:
    """No namespace (the Kustomization sets it), no defaults, the entries in another order."""
    made = owned(OWNED["AKS's own"])
    source = {**made.live, "webhooks": [{"name": entry["name"]} for entry in reversed(made.live["webhooks"])]}
    patched = kustomized(made, source, kubectl, tmp_path)
    assert {entry["name"]: entry.get("timeoutSeconds") for entry in patched["webhooks"]} == {"a.example.com": None, "b.example.com": 15}
    deployment = owned(OWNED["a HelmRelease of a chart whose values are not known"])
    source = {**deployment.live, "metadata": {"name": "hook"}}
    patched = kustomized(deployment, source, kubectl, tmp_path)
    assert "--secure-port=10260" in patched["spec"]["template"]["spec"]["containers"][0]["args"]


def kustomized(made: Owned, source: Mapping[str, Any], kubectl: Path, folder: Path, *more: Mapping[str, Any]) -> Any:
    (folder / "object.yaml").write_text(yaml.safe_dump_all([source, *more]), encoding="utf-8")
    kustomization = {"resources": ["object.yaml"], "patches": durable.kustomize_patches(made.change, made.live)}
    (folder / "kustomization.yaml").write_text(durable.dumped(kustomization), encoding="utf-8")
    return without_empty(yaml.safe_load(run([str(kubectl), "kustomize", "."], folder)))


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_empty(value: Any) -> Any:
    """Empty mappings and lists are left out by Kustomize, and new entries put first: they are compared by what they are named."""
    if isinstance(value, Mapping):
        return {key: kept for key, one in value.items() if (kept := without_empty(one)) not in ({}, [], None)}
    if isinstance(value, list):
        return by_name([without_empty(one) for one in value])
    return value


def by_name(value: Any) -> Any:
    """Lists of named entries in the order of their names."""
    if isinstance(value, list) and all(isinstance(one, Mapping) and "name" in one for one in value):
        return sorted(value, key=lambda one: str(one["name"]))
    return value


def comparable(item: Mapping[str, Any]) -> Any:
    """Without what kubectl's Go types add (empty fields, null times, a status), and managedFields, which kubectl takes away."""
    metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return without_empty({**{key: value for key, value in item.items() if key != "status"}, "metadata": metadata})
