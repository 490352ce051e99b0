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


@pytest.fixture(scope="session")
def kubectl() -> Path:
    return ensure(choose(None, paths.VERSIONS), print)["kubectl"]


@pytest.mark.parametrize("row", list(PATCHED.values()), ids=list(PATCHED))
def test_kustomize_makes_what_the_edit_makes(row: dict[str, Any], kubectl: Path, tmp_path: Path) -> None:
    made = owned(row)
    assert made.change.edit is not None
    assert kustomized(made, made.live, kubectl, tmp_path) == without_empty(made.change.edit.result)


@pytest.mark.parametrize("row", list(PATCHED.values()), ids=list(PATCHED))
def test_the_api_merges_what_the_edit_makes(row: dict[str, Any], kubectl: Path, tmp_path: Path) -> None:
    made = owned(row)
    if made.change.target.kind == "CustomResourceDefinition":
        pytest.skip("kubectl knows no Go type of CustomResourceDefinition, so it does not merge one without a server")
    assert made.change.edit is not None
    (tmp_path / "object.json").write_text(json.dumps(made.live), encoding="utf-8")
    patch = json.dumps(durable.patch_of(made.change, made.live))
    done = run([str(kubectl), "patch", "--local", "--type", "strategic", "-f", "object.json", "-p", patch, "-o", "json"], tmp_path)
    merged = json.loads(done)
    # What the Go type has of its own is no matter of the patch.
    assert merged["metadata"] == made.change.edit.result["metadata"]
    for key in ("webhooks", "spec"):
        if key in made.live:
            assert contained(by_name(made.change.edit.result[key]), by_name(merged[key])), merged


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
    """Kustomize leaves out empty mappings and lists, and puts new entries first: compared by what they are named."""
    if isinstance(value, Mapping):
        return {key: kept for key, one in value.items() if (kept := without_empty(one)) not in ({}, [])}
    if isinstance(value, list):
        return by_name([without_empty(one) for one in value])
    return value


def by_name(value: Any) -> Any:
    """Lists of named entries in the order of their names."""
    if isinstance(value, list) and all(isinstance(one, Mapping) and "name" in one for one in value):
        return sorted(value, key=lambda one: str(one["name"]))
    return value


def contained(expected: Any, found: Any) -> bool:
    if isinstance(expected, Mapping):
        return all(contained(value, found.get(key)) for key, value in expected.items())
    if isinstance(expected, list):
        ones, others = by_name(expected), by_name(found or [])
        return len(ones) == len(others) and all(contained(one, other) for one, other in zip(ones, others, strict=True))
    return bool(expected == found)
