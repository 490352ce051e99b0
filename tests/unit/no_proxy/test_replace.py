# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replacing a manifest: only the one that was looked at, never with a second file beside it, and it can be taken back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host import replace as replacing
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.replace import NotReplaced, digest, keep, read, remember, replace

PASSWORD = "planted-4c1f"
BEFORE, AFTER = f"env: http://user:{PASSWORD}@proxy:3128\n", f"env: http://user:{PASSWORD}@proxy:3128 .svc\n"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "kubernetes" / "manifests" / "kube-apiserver.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(BEFORE)
    path.chmod(0o640)
    return path


def run(**arguments: Any) -> dict[str, Any]:
    """The module as Ansible runs it, in a process of its own."""
    check, diff = arguments.pop("check", False), arguments.pop("diff", False)
    given = {"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_no_log": False}}
    code = (
        "from ansible.module_utils import basic\n"
        f"basic._ANSIBLE_ARGS = {json.dumps(given).encode()!r}\nbasic._ANSIBLE_PROFILE = 'legacy'\n"
        "from ansible_collections.kubeops.webhook_doctor.plugins.modules import static_pod_manifest\nstatic_pod_manifest.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


def test_it_is_replaced_with_mode_and_owner_and_a_copy(manifest: Path, tmp_path: Path) -> None:
    looked = run(path=str(manifest))
    assert (looked["changed"], looked["content"], looked["sha256"]) == (False, BEFORE, digest(BEFORE.encode()))
    done = run(path=str(manifest), state="present", content=AFTER, sha256=looked["sha256"], keep=str(tmp_path / "kept"))
    assert (done["changed"], manifest.read_text(), oct(manifest.stat().st_mode & 0o777)) == (True, AFTER, "0o640")
    kept = Path(done["kept"])
    assert (kept.read_text(), oct(kept.parent.stat().st_mode & 0o777)) == (BEFORE, "0o700")
    assert [path.name for path in manifest.parent.iterdir()] == ["kube-apiserver.yaml"]
    assert [path.name for path in manifest.parent.parent.iterdir()] == ["manifests"]


def test_changes_are_taken_back_one_by_one(manifest: Path, tmp_path: Path) -> None:
    where = {"path": str(manifest), "keep": str(tmp_path / "kept")}
    for before, after in ((BEFORE, AFTER), (AFTER, "third\n")):
        assert run(**where, state="present", content=after, sha256=digest(before.encode()))["changed"]
    assert run(**where, state="restored", check=True)["changed"]
    for content, changed in ((AFTER, True), (BEFORE, True), (BEFORE, False)):
        assert run(**where, state="restored")["changed"] is changed
        assert manifest.read_text() == content
    assert not (tmp_path / "kept" / "kube-apiserver.yaml.changes.json").exists()


def test_what_somebody_has_changed_since_is_not_taken_back(manifest: Path, tmp_path: Path) -> None:
    where = {"path": str(manifest), "keep": str(tmp_path / "kept")}
    run(**where, state="present", content=AFTER, sha256=digest(BEFORE.encode()))
    manifest.write_text("theirs\n")
    assert "is no longer the file" in run(**where, state="restored")["msg"]
    assert manifest.read_text() == "theirs\n"


def test_a_run_that_was_killed_before_its_change_is_forgotten(manifest: Path, tmp_path: Path) -> None:
    kept = keep(manifest, read(manifest), tmp_path / "kept")
    remember(manifest, digest(AFTER.encode()), kept)
    assert not run(path=str(manifest), keep=str(tmp_path / "kept"), state="restored")["changed"]
    assert manifest.read_text() == BEFORE


def test_the_same_again_changes_nothing(manifest: Path, tmp_path: Path) -> None:
    arguments = {"path": str(manifest), "state": "present", "content": AFTER, "sha256": digest(BEFORE.encode()), "keep": str(tmp_path / "kept")}
    assert run(**arguments)["changed"]
    assert not run(**arguments)["changed"]


def test_check_mode_writes_nothing_and_the_diff_has_no_password(manifest: Path, tmp_path: Path) -> None:
    done = run(path=str(manifest), state="present", content=AFTER, sha256=digest(BEFORE.encode()), keep=str(tmp_path / "kept"), check=True, diff=True)
    assert (done["changed"], manifest.read_text(), (tmp_path / "kept").exists()) == (True, BEFORE, False)
    assert ".svc" in done["diff"]["after"]
    assert PASSWORD not in json.dumps(done)


@pytest.mark.parametrize(
    "line",
    [
        "value: http://user:{}@proxy:3128",
        "value: HTTP://user:{}@proxy:3128",
        "value: user:{}@proxy:3128",
        "value: 'user:{}@proxy:3128' # ours",
        "value: user:a@{}@proxy:3128",
        'value:   "http://user:a@{}@proxy:3128"',
        "value: >-\n      user:{}@proxy:3128",
        '{{"value": "user:{}@proxy:3128", "name": "HTTPS_PROXY"}}',
    ],
)
def test_the_diff_has_no_password_however_it_is_written(manifest: Path, tmp_path: Path, line: str) -> None:
    before = f"- name: HTTPS_PROXY\n  {line.format(PASSWORD)}\n- name: NO_PROXY\n  value: a\n"
    manifest.write_text(before)
    after = before.replace("value: a\n", "value: a,.svc\n")
    done = run(path=str(manifest), state="present", content=after, sha256=digest(before.encode()), keep=str(tmp_path / "kept"), check=True, diff=True)
    assert PASSWORD not in json.dumps(done)
    assert "@proxy:3128" in done["diff"]["before"] and "value: a,.svc\n" in done["diff"]["after"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sha256": "0" * 64}, "is no longer the file that was looked at"),
        ({"content": " \n"}, "would become empty"),
        ({"path": "nothing.yaml"}, "cannot be read: No such file"),
        ({"path": ".kube-apiserver.yaml"}, "begins with a dot"),
        ({"path": "link.yaml"}, "is no regular file"),
        ({"keep": "."}, "must not be kept in"),
    ],
)
def test_what_is_refused(manifest: Path, tmp_path: Path, change: dict[str, str], says: str) -> None:
    (manifest.parent / "link.yaml").symlink_to(manifest)
    change = {name: str(manifest.parent / value) if name in ("path", "keep") else value for name, value in change.items()}
    done = run(**{"path": str(manifest), "state": "present", "content": AFTER, "sha256": digest(BEFORE.encode()), "keep": str(tmp_path / "kept"), **change})
    assert done["failed"]
    assert says in done["msg"]
    assert PASSWORD not in json.dumps(done)
    assert manifest.read_text() == BEFORE


def test_files_beside_it_are_told(manifest: Path) -> None:
    (manifest.parent / "kube-apiserver.yaml.bak").write_text("")
    (manifest.parent / ".hidden").write_text("")
    assert run(path=str(manifest))["beside"] == ["kube-apiserver.yaml.bak"]


def test_another_file_system_is_refused(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = Path.stat

    def elsewhere(path: Path, **options: Any) -> os.stat_result:
        found = stat(path, **options)
        return os.stat_result([*found[:2], found.st_dev + 1, *found[3:]]) if path == manifest.parent.parent else found

    monkeypatch.setattr(Path, "stat", elsewhere)
    with pytest.raises(NotReplaced, match="is on another file system"):
        replace(manifest, digest(BEFORE.encode()), AFTER.encode())


def test_somebody_who_is_faster_is_not_overwritten(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(*arguments: Any) -> None:
        manifest.write_text("theirs\n")
        real(*arguments)

    real = replacing.shutil.copystat
    monkeypatch.setattr(replacing.shutil, "copystat", slowly)
    with pytest.raises(NotReplaced, match="somebody has changed it meanwhile"):
        replace(manifest, digest(BEFORE.encode()), AFTER.encode())
    assert manifest.read_text() == "theirs\n"
    assert [path.name for path in manifest.parent.parent.iterdir()] == ["manifests"]


def test_one_copy_of_each_content(manifest: Path, tmp_path: Path) -> None:
    first = keep(manifest, read(manifest), tmp_path / "kept")
    assert keep(manifest, read(manifest), tmp_path / "kept") == first
    assert keep(manifest, b"other", tmp_path / "kept") != first
    assert len(list((tmp_path / "kept").iterdir())) == 2
