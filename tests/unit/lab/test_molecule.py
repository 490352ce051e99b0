# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule's runner where containers cannot be had: the scenarios are skipped, counted, and the reason is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "molecule"
SCENARIOS = sorted(path.parent.name for path in (FOLDER.parents[1] / "extensions" / "molecule").glob("*/molecule.yml") if path.parent.name != "default")
SKIPPED = f"{len(SCENARIOS)} skipped ({', '.join(SCENARIOS)}): "


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """It is a script: it finds its other half, and the lab's, beside itself."""
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "path", [*sys.path])
    import run

    monkeypatch.setattr(sys, "argv", ["run.py", "--state", str(tmp_path / "state"), "test", "--all"])
    monkeypatch.setattr(run, "volatile", lambda state: tmp_path / "run")
    return run


def test_without_root(runner: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(runner.os, "geteuid", lambda: 1000)
    assert runner.main() == 0
    assert SKIPPED + "needs root" in capsys.readouterr().out


def test_where_podman_runs_nothing(runner: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    commands = []

    def answer(command: list[str], **dummy: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, int("run" in command), "", "first\nError: no namespaces here\n")

    monkeypatch.setattr(runner.os, "geteuid", lambda: 0)
    monkeypatch.setattr(runner.tools, "ensure", lambda tools, log: None)
    monkeypatch.setattr(runner.subprocess, "run", answer)
    assert runner.main() == 0
    assert SKIPPED + "podman cannot run a container here: Error: no namespaces here" in capsys.readouterr().out
    assert not any("molecule" in command for command in commands)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["test.lock"]
