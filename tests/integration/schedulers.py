# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that start playbooks by schedule or by event: where `make integration` has put them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("SCHEDULERS", "/nonexistent")) / "bin"


def program(name: str) -> str:
    """Path of ansible-runner or ansible-rulebook. Skips the test where it cannot run."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not installed; `make integration` installs it, and sets SCHEDULERS")
    if name == "ansible-rulebook" and not shutil.which("java"):
        pytest.skip("ansible-rulebook needs Java, and there is none")
    return str(path)
