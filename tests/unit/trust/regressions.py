# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""regressions.json: questions that were once answered wrongly, one JSON object a line, with the version of Go and what that Go answers."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.against_go import Difference

FILE = pathlib.Path(__file__).parent / "regressions.json"


def read(file: pathlib.Path = FILE) -> list[dict[str, Any]]:
    """{"go": version, "item": question, "trusted", "error"} each."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def add(one: Difference, file: pathlib.Path = FILE) -> bool:
    """Append it, unless that question is there for that version of Go; whether it was appended."""
    # The keys are drawn anew for every run, so that the same question has other bytes: its name tells.
    if (one.version, one.item["name"]) in {(line["go"], line["item"]["name"]) for line in read(file)}:
        return False
    line = {"go": one.version, "item": one.item, "trusted": one.go["trusted"], "error": one.go["error"]}
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")
    return True
