# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine that a module runs on: its files, its programs, and what could not be seen of it. PRIVATE to the collection.

`root` is where the machine's file system begins: "/" but in tests.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

_SEARCHED = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/snap/bin", "/opt/bin")
_MOST_READ = 4 * 1024 * 1024  # bytes of one file


class Done(NamedTuple):
    status: int
    output: str
    error: str


class ProgramFailed(Exception):
    """A program could not be started, or did not end in time; the text names it."""


class Host:
    """Absolute paths are those of the machine. `coverage`: {what, message} of everything that should have been seen and was not."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self.coverage: list[dict[str, str]] = []

    def missed(self, what: str, message: str) -> None:
        entry = {"what": what, "message": message}
        if entry not in self.coverage:
            self.coverage.append(entry)

    def path(self, name: str) -> Path:
        return self._root / name.lstrip("/")

    def exists(self, name: str) -> bool:
        """Whether it is there; false, and noted, where that may not be seen."""
        try:
            return self.path(name).exists()
        except OSError as error:
            self.missed(name, f"Whether {name} is there cannot be seen: {error.strerror}.{self.advice()}")
            return False

    def read(self, name: str) -> bytes:
        """The file's content, bounded. Raises OSError."""
        with open(self.path(name), "rb") as file:
            return file.read(_MOST_READ)

    def text(self, name: str) -> str | None:
        """The file's content; None where there is no such file (or process), or it may not be read, which is noted."""
        try:
            return self.read(name).decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ProcessLookupError):
            return None
        except OSError as error:
            self.missed(name, f"{name} cannot be read: {error.strerror}.{self.advice()}")
            return None

    def link(self, name: str) -> str | None:
        """Where a symbolic link leads, None where it cannot be read."""
        try:
            return str(self.path(name).readlink())
        except OSError:
            return None

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted; none where it cannot be listed."""
        try:
            return sorted(path.name for path in self.path(folder).iterdir())
        except OSError:
            return []

    def program(self, *names: str) -> Path | None:
        """The first that is installed: a name is searched for, an absolute path is taken as it is."""
        for name in names:
            for candidate in (name,) if name.startswith("/") else (f"{folder}/{name}" for folder in _SEARCHED):
                path = self.path(candidate)
                if path.is_file() and os.access(path, os.X_OK):
                    return path
        return None

    def run(self, argv: Sequence[str], timeout: float) -> Done:
        """Run a program to its end, without input. Raises ProgramFailed."""
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            # AnsibleModule.run_command knows no time limit, and a container runtime that hangs must not take the module along.
            done: Any = subprocess.run(  # pylint: disable=ansible-bad-function
                list(argv), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, env=environment, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ProgramFailed(f"{argv[0]} did not end within {timeout:g} s") from error
        except OSError as error:
            raise ProgramFailed(f"{argv[0]} cannot be run: {error.strerror}") from error
        return Done(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    @staticmethod
    def advice() -> str:
        """What to do where something may not be read, with a space before it; nothing for root."""
        return "" if os.geteuid() == 0 else " Run this as root (become: true)."
