# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local journal of a run: one JSON line for each step, on disk before the step is taken. PRIVATE to the collection.

It holds what is changed, and how to take it back, and never what a Secret or an environment variable holds: only what a plan item does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FILE_MODE = 0o600


class NotWritten(Exception):
    """The journal cannot be written. The text names the path and the way out."""


class NotRead(Exception):
    """The journal cannot be read. The text names the path and what is wrong."""


class Journal:
    """Appends to one file, which is made when the first line is written. No path: no file (check mode)."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def write(self, step: str, at: str, **what: Any) -> None:
        """Append a line and wait until it is on disk. Raises NotWritten."""
        self.write_all([{"step": step, "at": at, **what}])

    def write_all(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """Append lines and wait until all of them are on disk. Raises NotWritten."""
        if self.path is None or not steps:
            return
        lines = "".join(json.dumps(step, sort_keys=True, separators=(",", ":")) + "\n" for step in steps)
        try:
            self.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)
            with open(descriptor, "ab") as file:
                file.write(lines.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise NotWritten(
                f"The journal {self.path} cannot be written: {error.strerror}. No change is begun without it. "
                "Choose another place with webhook_doctor_journal_dir."
            ) from error


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a journal. The last one may have been cut off by the end of the run. Raises NotRead."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise NotRead(f"The journal {path} cannot be read: {error.strerror}.") from error
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            if number == len(lines):
                return
            raise NotRead(f"The journal {path} is damaged in line {number}: {error}.") from error
        if not isinstance(entry, dict) or "step" not in entry:
            raise NotRead(f"{path} is no journal: line {number} tells of no step.")
        yield entry
