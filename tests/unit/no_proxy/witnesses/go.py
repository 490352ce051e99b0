# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Go's net/http, asked by tests/lab/proxyoracle: what http.ProxyFromEnvironment says is what its Transport does."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .listener import Listener
from .witness import Absent, Question, without_proxies

_SOURCE = Path(__file__).resolve().parents[3] / "lab" / "proxyoracle"


class Go:
    name = consumer = "go"

    def version(self) -> str:
        if shutil.which("go") is None:
            raise Absent("go is not installed")
        return subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout.strip().removeprefix("go")

    def answers(self, questions: Sequence[Question], listener: Listener) -> list[str]:
        """Go reads the variables once in a process, so that questions with the same ones are asked together."""
        found = [""] * len(questions)
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "proxyoracle"
            subprocess.run(["go", "build", "-o", str(program), "."], cwd=_SOURCE, check=True, capture_output=True, env={**os.environ, "CGO_ENABLED": "0"})
            for variables in {tuple(sorted(question.variables.items())) for question in questions}:
                alike = [number for number, question in enumerate(questions) if tuple(sorted(question.variables.items())) == variables]
                urls = "".join(f"{questions[number].url}\n" for number in alike)
                environment = {**without_proxies(os.environ), **dict(variables)}
                done = subprocess.run([str(program)], input=urls, capture_output=True, text=True, check=True, env=environment)
                for number, answer in zip(alike, done.stdout.split()):
                    found[number] = answer
        return found
