# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one figure is taken: a command run to its end by measure.py, and two of them in turn."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RUNS = 5
QUIET = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_NOCOLOR": "1"}


def here(command: list[str], *, env: Mapping[str, str], capture_output: bool) -> subprocess.CompletedProcess[str]:
    """Run a command on this machine, outside of any lab: what `Lab.run` is inside."""
    return subprocess.run(command, env={**os.environ, **env}, capture_output=capture_output, text=True, check=False)


def once(
    run: Callable[..., Any], output: Path, command: list[str], environment: Mapping[str, str] | None = None, endings: tuple[int, ...] = (0,)
) -> dict[str, Any]:
    """Run a command with `run` (`here`, or a lab's); what measure.py says of it. What the command prints is in `output`."""
    measured = run([sys.executable, str(HERE / "measure.py"), str(output), *command], env={**QUIET, **(environment or {})}, capture_output=True)
    result: dict[str, Any] = json.loads(measured.stdout)
    if result["returncode"] not in endings:
        raise SystemExit(f"{' '.join(command)} ended with {result['returncode']}:\n{output.read_text(encoding='utf-8')[-3000:]}")
    return result


def pairs(first: Callable[[], dict[str, Any]], second: Callable[[], dict[str, Any]], runs: int = RUNS) -> tuple[float, float, float]:
    """Medians of both, and the median of the ratios of pairs run in turn (so that a machine that drifts does not tilt the ratio)."""
    first(), second()  # warm: byte code, discovery, disk
    taken = [(first()["seconds"], second()["seconds"]) for dummy in range(runs)]
    return statistics.median(a for a, dummy in taken), statistics.median(b for dummy, b in taken), statistics.median(a / b for a, b in taken)
