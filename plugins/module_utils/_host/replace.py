# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file in place of another, whole or not at all, and only if it still is the one that was looked at. PRIVATE to the collection.

A kubelet reads every file of its manifest directory whose name has no dot in front, so that nothing is ever written beside a manifest: the new file grows
in a directory of its own on the same file system, and is renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
from pathlib import Path

KEPT = "/var/lib/webhook-doctor/manifests"
_NOTE = ".changes.json"


class NotReplaced(Exception):
    """Nothing was changed; the text says why, and the way out."""


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read(path: Path) -> bytes:
    """Raises NotReplaced where it is no ordinary file."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise NotReplaced(f"{path} is no regular file (a link or a directory); it is left alone.")
        return path.read_bytes()
    except OSError as error:
        raise NotReplaced(f"{path} cannot be read: {error.strerror}.") from error


def keep(path: Path, content: bytes, folder: Path) -> Path:
    """A copy in `folder`, which only root sees, named by its digest: the same content is kept once. Raises NotReplaced."""
    if folder.resolve() == path.parent.resolve():
        raise NotReplaced(f"copies of {path} must not be kept in {folder}, where the kubelet would take them for pods.")
    kept = folder / f"{path.name}.{digest(content)[:16]}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not kept.exists() or kept.read_bytes() != content:
            _write(folder, kept, content, path)
    except OSError as error:
        raise NotReplaced(f"the copy {kept} cannot be written: {error.strerror}.") from error
    return kept


def remember(path: Path, after: str, kept: Path) -> None:
    """Note beside the copies that `path`, as long as its digest is `after`, can be taken back to `kept`. Raises NotReplaced."""
    _note(path, kept.parent, [*noted(path, kept.parent), {"after": after, "kept": str(kept)}])


def noted(path: Path, folder: Path) -> list[dict[str, str]]:
    """What can be taken back, the last change last. Raises NotReplaced."""
    note = folder / f"{path.name}{_NOTE}"
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise NotReplaced(f"{note} cannot be read: {error}. It tells what was changed; move it away to go on without it.") from error
    return [one for one in found if isinstance(one, dict) and {"after", "kept"} <= set(one)] if isinstance(found, list) else []


def forget(path: Path, folder: Path) -> None:
    """Of the last change. Raises NotReplaced."""
    _note(path, folder, noted(path, folder)[:-1])


def _note(path: Path, folder: Path, changes: list[dict[str, str]]) -> None:
    note = folder / f"{path.name}{_NOTE}"
    try:
        if changes:
            _write(folder, note, f"{json.dumps(changes)}\n".encode(), path)
        else:
            note.unlink(missing_ok=True)
    except OSError as error:
        raise NotReplaced(f"{note} cannot be written: {error.strerror}.") from error


def replace(path: Path, expected: str, content: bytes) -> None:
    """Put `content` in place of the file whose digest is `expected`, with its owner, mode and labels. Raises NotReplaced."""
    folder = path.parent.parent
    try:
        if folder.stat().st_dev != path.stat().st_dev:
            raise NotReplaced(f"{folder} is on another file system than {path}, so that nothing can be renamed from one to the other.")
        staging = Path(tempfile.mkdtemp(prefix=".webhook-doctor-", dir=folder))
    except OSError as error:
        raise NotReplaced(f"nothing can be written in {folder}: {error.strerror}.") from error
    try:
        _write(staging, path, content, path, expected)
    except OSError as error:
        raise NotReplaced(f"{path} cannot be replaced: {error.strerror}.") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write(staging: Path, target: Path, content: bytes, like: Path, expected: str | None = None) -> None:
    """Write it in `staging`, as durable as a file can be, and rename it to `target`. expected: what `target` must hold still. Raises OSError, NotReplaced."""
    descriptor, name = tempfile.mkstemp(dir=staging, prefix=".")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        status = like.stat()
        shutil.copystat(like, new)  # mode and extended attributes, SELinux's label among them
        os.chown(new, status.st_uid, status.st_gid)
        os.utime(new)
        if expected is not None and digest(read(target)) != expected:
            raise NotReplaced(f"{target} is no longer the file that was looked at: somebody has changed it meanwhile. Run it again.")
        new.replace(target)
        _sync(target.parent)
    finally:
        new.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
