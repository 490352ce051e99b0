# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear whole or not at all. PRIVATE to the collection."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

FILE_MODE, DIRECTORY_MODE = 0o640, 0o750


class NotWritten(Exception):
    """The text is for people: which path, why, and the way out."""


def write_all(directory: Path, contents: Mapping[str, bytes], mode: int | None = None, option: str = "webhook_doctor_report_dir") -> bool:
    """Write the files (name: content) into `directory`, which is made if missing; True if anything is other than before.

    Each is written beside its place, synced and only then renamed, and none is renamed before all are written: a full disk or an interruption leaves what was
    there. Modes are 0640 and 0750 less the umask: a report has no secrets, but it maps a cluster. mode: another one, whatever the umask. option: what chooses
    the place. Raises NotWritten.
    """
    try:
        directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        different = {name: content for name, content in contents.items() if not _is(directory / name, content)}
        _replace(directory, different, FILE_MODE & ~_umask() if mode is None else mode)
    except OSError as error:
        path = error.filename or directory
        raise NotWritten(f"The report could not be written to {directory}: {path}: {error.strerror}. Choose another place with {option}.") from error
    return bool(different)


def _is(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False


def _replace(directory: Path, contents: Mapping[str, bytes], mode: int) -> None:
    written: dict[str, Path] = {}
    try:
        for name, content in contents.items():
            written[name] = _written_beside(directory, name, content, mode)
        for name in contents:
            written[name].replace(directory / name)
            del written[name]
    finally:
        for leftover in written.values():
            with contextlib.suppress(FileNotFoundError):
                leftover.unlink()
    if contents:
        _sync_directory(directory)


def _written_beside(directory: Path, name: str, content: bytes, mode: int) -> Path:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
    path = Path(temporary)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise
    return path


def _umask() -> int:
    """The umask of this process, which can only be read by setting it. (Action plugins run in a process of their own, with one thread.)"""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_directory(directory: Path) -> None:
    """Make the renames last."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
