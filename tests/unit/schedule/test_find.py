# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of nodes: what is on them, and which addresses are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.roles.rotation_schedule.files import apiserver_loopback_metrics as script
from ansible_collections.kubeops.webhook_doctor.roles.rotation_schedule.files.apiserver_loopback_metrics import Address, Refused

ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "find.yml").read_text(encoding="utf-8"))


def node(root: Path, row: dict[str, Any]) -> Path:
    for name, text in row.get("files", {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    processes = {"self": [1, ["python3"]], **row.get("processes", {})}
    for pid, (network, words) in processes.items():
        process = root / "proc" / str(pid)
        (process / "ns").mkdir(parents=True)
        (process / "ns" / "net").symlink_to(f"net:[{network}]")
        (process / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    return root


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_found(row: dict[str, Any], tmp_path: Path) -> None:
    found = script.find(node(tmp_path, row))
    assert [str(one.address) for one in found] == row["find"]
    for one in found:
        script.check_allowed(one.address, tmp_path)


K3S = {"files": {"var/lib/rancher/k3s/server/token": "x"}}


@pytest.mark.parametrize(
    ("given", "address", "refused"),
    [
        ({}, "10.0.0.1:6443", False),
        ({}, "10.0.0.1:9345", True),
        (K3S, "127.0.0.1:6444", False),
        (K3S, "127.0.0.1:6443", True),
        (K3S, "10.0.0.1:9345", True),
    ],
)
def test_addresses_that_must_not_be_asked(given: dict[str, Any], address: str, refused: bool, tmp_path: Path) -> None:
    root = node(tmp_path, given)
    if refused:
        with pytest.raises(Refused):
            script.check_allowed(Address.parse(address), root)
    else:
        script.check_allowed(Address.parse(address), root)
