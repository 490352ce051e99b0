# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of loopback certificates on three control-plane nodes with three members of etcd: previewed, under load, run again, and refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from doctorlab import Lab, Options
from lab_diagnosis import summary_rows
from rotation_lab import fleet, lease, load, names, outcomes, report, rotate, table_row

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need cgroups, and those need root")

Row = Callable[[str], None]
GUARDS = "supported known single peers etcd webhooks aggregated_apis busy nodes kured clocks window alerts lock".split()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("rotation") / "lab", Options(faults="none", control_plane=3, etcd_members=3)) as lab:
        yield lab


def test_three_servers_one_after_the_other_under_load(lab: Lab, tmp_path: Path, row: Row) -> None:
    folder, before = tmp_path / "report", names(lab)
    preview = rotate(lab, folder, "--check")
    assert (preview.returncode, preview.changed) == (0, 3), preview.output[-4000:]
    assert names(lab) == before and not lease(lab) and not folder.exists(), "check mode has changed something"
    assert all(f"  {number}.  lab-control-plane" in preview.output for number in (1, 2, 3)), preview.output
    assert [guard for guard in GUARDS if f"  ok       {guard}" not in preview.output] == []

    with load(lab) as seen:
        done = rotate(lab, folder)
    assert (done.returncode, done.changed) == (0, 3), done.output[-4000:]
    after = names(lab)
    assert not set(before.values()) & set(after.values()) and None not in after.values()
    assert set(outcomes(folder).values()) == {"done"}
    for one in report(folder)["instances"]:
        assert one["new"]["not_after"] > one["old"]["not_after"] and one["new"]["container_id"] != one["old"]["container_id"], one
    seen.check(servers=3)
    held = lease(lab)
    assert held["spec"]["holderIdentity"] == "" and all(name in held["metadata"]["annotations"]["webhook-doctor.kubeops.io/rotation"] for name in after)
    line = table_row(lab, "three under load", "", folder, seen)

    again = rotate(lab, folder, apiserver_loopback_cool_down_hours=24)
    assert (again.returncode, again.changed) == (0, 0), again.output[-4000:]
    assert names(lab) == after and set(outcomes(folder).values()) == {"cooling"}
    row(f"{line}, check mode changes 0, second run 0")


def test_a_cluster_that_fails_does_not_stop_the_other(lab: Lab, tmp_path: Path) -> None:
    folder, before = tmp_path / "report", names(lab)
    preview = rotate(lab, folder, "--check", *fleet(lab, tmp_path))
    assert preview.returncode == 2 and summary_rows(preview.output) == [("FAILED", "grey"), ("WARN", "blue")], preview.output[-4000:]
    assert "3 of 3 API servers due" in " ".join(preview.output.split("TASK [Sum up]")[1].split())
    assert names(lab) == before


def test_a_member_of_etcd_is_down(lab: Lab, tmp_path: Path, row: Row) -> None:
    folder, before = tmp_path / "report", names(lab)
    lab.control_plane[2].stop_etcd()
    try:
        refused = rotate(lab, folder)
        assert names(lab) == before
    finally:
        lab.control_plane[2].start_etcd()
    assert refused.returncode == 2 and "2 of 3 members healthy, quorum is 2" in " ".join(refused.output.split()), refused.output[-4000:]
    assert set(outcomes(folder).values()) == {"not_touched"}
    row(table_row(lab, "a member of etcd is down", "etcd", folder))
