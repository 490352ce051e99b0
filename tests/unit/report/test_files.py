# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report import files
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.files import NotWritten, write_all


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_they_are_written_and_a_second_time_nothing_changes(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b"
    assert write_all(place, {"x": b"1", "y": b"2"}) is True
    before = (place / "x").stat().st_mtime_ns
    assert write_all(place, {"x": b"1", "y": b"2"}) is False
    assert (place / "x").stat().st_mtime_ns == before
    assert write_all(place, {"x": b"3", "y": b"2"}) is True
    assert {path.name: path.read_bytes() for path in place.iterdir()} == {"x": b"3", "y": b"2"}


def test_others_cannot_read_them_and_a_stricter_umask_counts(tmp_path: Path) -> None:
    write_all(tmp_path / "usual", {"x": b"1"})
    assert (mode(tmp_path / "usual"), mode(tmp_path / "usual" / "x")) == (0o750, 0o640)
    os.umask(0o077)
    write_all(tmp_path / "strict", {"x": b"1"})
    assert (mode(tmp_path / "strict"), mode(tmp_path / "strict" / "x")) == (0o700, 0o600)
    assert os.umask(0o022) == 0o077


def test_a_mode_that_is_asked_for_is_given_whatever_the_umask(tmp_path: Path) -> None:
    """Metrics are read by another user."""
    os.umask(0o077)
    write_all(tmp_path / "metrics", {"x": b"1"}, 0o644)
    assert mode(tmp_path / "metrics" / "x") == 0o644


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"mine")
    (tmp_path / "x").symlink_to(tmp_path / "target")
    write_all(tmp_path, {"x": b"report"})
    assert (tmp_path / "target").read_bytes() == b"mine"
    assert not (tmp_path / "x").is_symlink()


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all(tmp_path, {"x": b"old", "y": b"old"})
    synced = []

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(NotWritten, match=r"No space left on device\. Choose another place with webhook_doctor_report_dir"):
        write_all(tmp_path, {"x": b"new", "y": b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"x": b"old", "y": b"old"}


def test_the_directory_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("mine")
    with pytest.raises(NotWritten, match="report: File exists"):
        write_all(tmp_path / "report", {"x": b"1"})
    assert (tmp_path / "report").read_text() == "mine"


def test_the_name_of_a_file_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(NotWritten, match="Is a directory"):
        write_all(tmp_path, {"x": b"1", "y": b"2"})
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
