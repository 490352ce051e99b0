# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""examples/collect.sh asks for every kind that observers look at, and never for Secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import PLURALS
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers import registry

SCRIPT = Path(__file__).resolve().parents[3] / "examples" / "collect.sh"
TEXT = SCRIPT.read_text(encoding="utf-8")
# Kinds of which the collection only counts objects, by the API server's counters or by asking for one; a dump of thousands helps nobody.
COUNTED = {
    ("apps", "ReplicaSet"),
    ("aquasecurity.github.io", "ConfigAuditReport"),
    ("aquasecurity.github.io", "VulnerabilityReport"),
    ("dex.coreos.com", "AuthRequest"),
    ("kyverno.io", "ReportChangeRequest"),
    ("kyverno.io", "UpdateRequest"),
    ("reports.kyverno.io", "EphemeralReport"),
    ("velero.io", "Backup"),
    ("velero.io", "PodVolumeBackup"),
    ("wgpolicyk8s.io", "PolicyReport"),
}
# Another form of what is asked for.
SAME = {("events.k8s.io", "Event"), ("", "Endpoints")}
OBSERVED = {group_kind for observer in (*registry.always(), *registry.of_groups(None)) for group_kind in observer.kinds} | set(PLURALS)


def plural(kind: str) -> str:
    word = kind.lower()
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


@pytest.mark.parametrize(("group", "kind"), sorted(OBSERVED - COUNTED - SAME))
def test_every_kind_is_asked_for(group: str, kind: str) -> None:
    names = {f"{plural(kind)}.{group}" if group else plural(kind), f"get {kind.lower()} ", f"get {kind.lower()},", f",{kind.lower()} "}
    assert any(name in TEXT for name in names), f"collect.sh does not ask for {kind} of {group or 'core'}"


def test_no_kind_is_left_out_for_a_reason_that_is_gone() -> None:
    assert COUNTED <= OBSERVED and SAME <= OBSERVED


def test_secrets_are_never_asked_for() -> None:
    code = "\n".join(line for line in TEXT.splitlines() if not line.startswith("#"))
    assert not re.search(r"secret", code, re.IGNORECASE)
    assert not re.search(r"\b(apply|create|delete|patch|edit|replace|exec)\b", code)


@pytest.mark.parametrize(("arguments", "says"), [([], "usage: sh collect.sh DIRECTORY"), (["--context", "blue"], "usage: sh collect.sh DIRECTORY")])
def test_what_it_says_when_it_is_called_wrongly(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = subprocess.run(["sh", str(SCRIPT), *arguments], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2 and says in done.stderr and not list(tmp_path.iterdir())


def test_a_directory_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("x")
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text("#!/bin/sh\n")
    kubectl.chmod(0o755)
    environment = {"PATH": f"{kubectl.parent}:/usr/bin:/bin"}
    done = subprocess.run(["sh", str(SCRIPT), str(tmp_path)], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2 and "exists and is not empty" in done.stderr


def test_without_kubectl(tmp_path: Path) -> None:
    done = subprocess.run(["/bin/sh", str(SCRIPT), "dump"], capture_output=True, text=True, check=False, cwd=tmp_path, env={"PATH": "/nonexistent"})
    assert done.returncode == 2 and "kubectl is not in PATH" in done.stderr
