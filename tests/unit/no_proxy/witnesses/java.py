# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Java's HttpsURLConnection, in one virtual machine for all questions. The JDK compiles Asker.java as it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .listener import Listener
from .witness import DIRECT, PROXY, Absent, Question, without_proxies

_SOURCE = Path(__file__).parent / "Asker.java"


class Java:
    name = consumer = "java"

    def version(self) -> str:
        if shutil.which("javac") is None:
            raise Absent("a JDK is not installed (apt-get install default-jdk-headless)")
        said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
        return said.split('"')[1]

    def answers(self, questions: Sequence[Question], listener: Listener) -> list[str]:
        """Of the variables those with a dot are system properties, the others are of the machine's environment."""
        found = [DIRECT] * len(questions)
        environments = {tuple(sorted(_environment(question).items())) for question in questions}
        for variables in environments:
            alike = [number for number, question in enumerate(questions) if tuple(sorted(_environment(question).items())) == variables]
            for number, answer in zip(alike, self._in_one_machine(dict(variables), [questions[number] for number in alike], listener)):
                found[number] = answer
        return found

    @staticmethod
    def _in_one_machine(variables: dict[str, str], questions: list[Question], listener: Listener) -> list[str]:
        found = []
        command = ["java", "-XX:TieredStopAtLevel=1", str(_SOURCE)]
        environment = {**without_proxies(os.environ), **variables}
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment) as machine:
            assert machine.stdin is not None
            assert machine.stdout is not None
            for question in questions:
                before = listener.requests
                properties = [f"{name}={value}" for name, value in question.variables.items() if "." in name]
                machine.stdin.write("\t".join([question.url, *properties]) + "\n")
                machine.stdin.flush()
                assert machine.stdout.readline() == "done\n"
                found.append(PROXY if listener.requests > before else DIRECT)
            machine.stdin.close()
        return found


def _environment(question: Question) -> dict[str, str]:
    return {name: value for name, value in question.variables.items() if "." not in name}
