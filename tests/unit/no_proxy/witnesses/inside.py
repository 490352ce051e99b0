# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In a network namespace of its own: reads questions from standard input, asks the named witness, writes its answers."""

from __future__ import annotations

import json
import subprocess
import sys

from .asking import WITNESSES, replaced
from .listener import Listener
from .witness import Question


def main(name: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    listener = Listener()
    questions = [Question(replaced(variables, listener.url, listener.port), url) for variables, url in json.load(sys.stdin)]
    json.dump(WITNESSES[name].answers(questions, listener), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
