# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stops a rotation, on two control-plane nodes of the oldest Kubernetes of the range (certificates of 365 days, no livez check)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from doctorlab import Lab, Options
from rotation_lab import lease, load, names, outcomes, report, rotate, table_row

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need cgroups, and those need root")

Row = Callable[[str], None]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("stops") / "lab", Options(kubernetes="1.30.14", faults="none", control_plane=2)) as lab:
        yield lab


def said(output: str) -> str:
    """Whatever the width of the terminal."""
    return " ".join(output.split())


def test_two_servers_of_365_days(lab: Lab, tmp_path: Path, row: Row) -> None:
    folder, before = tmp_path / "report", names(lab)
    with load(lab) as seen:
        done = rotate(lab, folder)
    assert (done.returncode, done.changed) == (0, 2), done.output[-4000:]
    assert not set(before.values()) & set(names(lab).values())
    assert {one["new"]["lifetime_days"] for one in report(folder)["instances"]} == {365.0}
    seen.check(servers=2)
    row(table_row(lab, "two under load", "", folder, seen))


def test_somebody_else_has_the_lock_and_one_that_died_has_it_no_longer(lab: Lab, tmp_path: Path, row: Row) -> None:
    folder, before = tmp_path / "report", names(lab)
    _hold(lab, "pipeline@elsewhere pid 7 (20261120t175500-aaaaaa)", 0)
    refused = rotate(lab, folder)
    assert refused.returncode == 2 and "pipeline@elsewhere pid 7 (20261120t175500-aaaaaa) changes this cluster now" in said(refused.output)
    assert names(lab) == before and set(outcomes(folder).values()) == {"not_touched"}
    assert lease(lab)["spec"]["holderIdentity"].startswith("pipeline@elsewhere"), "the lock of somebody else was touched"
    row(table_row(lab, "the lock is held by another", "lock", folder))

    _hold(lab, "pipeline@elsewhere pid 7 (20261120t175500-aaaaaa)", 700)
    preview = rotate(lab, folder, "--check")
    assert preview.returncode == 0 and "lock nobody else holds it" in said(preview.output), preview.output[-4000:]
    _hold(lab, "", 700)


def test_a_webhook_that_would_stop_the_start(lab: Lab, tmp_path: Path, row: Row) -> None:
    folder, before = tmp_path / "report", names(lab)
    _webhook(lab, "rbac.authorization.k8s.io", "clusterroles")
    try:
        refused = rotate(lab, folder)
        assert refused.returncode == 2, refused.output[-4000:]
        assert "ValidatingWebhookConfiguration in-the-way" in said(refused.output) and "asked about CREATE of clusterroles" in said(refused.output)
        assert names(lab) == before
        row(table_row(lab, "a webhook would stop the start", "webhooks", folder))
        _webhook(lab, "example.com", "widgets")
        preview = rotate(lab, folder, "--check")
        assert preview.returncode == 0, preview.output[-4000:]
    finally:
        lab.kubectl("delete", "validatingwebhookconfiguration", "in-the-way")


def test_a_host_that_cannot_be_reached_and_a_clock_that_is_wrong(lab: Lab, tmp_path: Path, row: Row) -> None:
    folder, before = tmp_path / "report", names(lab)
    more = tmp_path / "more.ini"
    more.write_text(
        "[kube_control_plane]\naway ansible_host=203.0.113.7 ansible_connection=ssh ansible_ssh_common_args='-o ConnectTimeout=2'\n", encoding="utf-8"
    )
    refused = rotate(lab, folder, "-i", str(more))
    assert refused.returncode == 2 and "peers (away): cannot be asked whether it is ready (the host cannot be reached" in said(refused.output), refused.output[
        -4000:
    ]
    assert outcomes(folder) == {"away": "unknown", **dict.fromkeys(before, "not_touched")}
    row(table_row(lab, "a host cannot be reached", "peers", folder))

    with lab.control_plane[0].clock_skew(300):
        skewed = rotate(lab, folder)
    assert skewed.returncode == 2 and "ahead of the controller's (limit 60 s)" in said(skewed.output), skewed.output[-4000:]
    assert names(lab) == before
    row(table_row(lab, "a clock is five minutes ahead", "clocks", folder))


def test_the_window_closes_before_the_second(lab: Lab, tmp_path: Path, row: Row) -> None:
    """The first one has time enough; while it is watched the time for another one runs out."""
    folder, before = tmp_path / "report", names(lab)
    now = datetime.now(timezone.utc)
    end = (now + timedelta(minutes=30)).replace(second=0, microsecond=0)
    begin = now - timedelta(hours=1)
    enough = {"control_plane_rollout_window": [f"{begin:%H:%M}-{end:%H:%M}"], "apiserver_loopback_stable_seconds": 40}
    stopped = rotate(lab, folder, **enough, control_plane_rollout_seconds_per_server=(end - now).total_seconds() - 50)
    assert stopped.returncode == 2 and "one server may take" in said(stopped.output), stopped.output[-4000:]
    assert sorted(outcomes(folder).values()) == ["done", "not_touched"]
    touched = [name for name, process in names(lab).items() if process != before[name]]
    assert len(touched) == 1 and not lease(lab)["spec"]["holderIdentity"]
    row(table_row(lab, "the window closes before the second", "window", folder))

    closed = rotate(lab, folder, control_plane_rollout_window=["Mon 03:00-03:01", "Thu 03:00-03:01"])
    assert closed.returncode == 0 and report(folder)["outcome"] == "waiting" and "it opens" in said(closed.output), closed.output[-4000:]


def test_a_server_that_does_not_come_back(lab: Lab, tmp_path: Path, row: Row) -> None:
    """Last in this file: the kubelet waits longer and longer until it tries again."""
    folder, before = tmp_path / "report", names(lab)
    for node in lab.control_plane:
        node.keep_api_server_down()
    stopped = rotate(lab, folder, apiserver_loopback_ready_timeout=15)
    assert stopped.returncode == 2 and stopped.changed == 0, stopped.output[-4000:]
    made = report(folder)
    assert made["outcome"] == "stopped" and sorted(outcomes(folder).values()) == ["failed", "not_touched"]
    assert any("apiserver.key" in line for line in made["failure"]["logs"]), made["failure"]
    failed = made["failure"]["host"]
    now = names(lab)
    assert now[failed] is None and [now[name] for name in now if name != failed] == [before[name] for name in before if name != failed]
    assert not lease(lab)["spec"]["holderIdentity"], "the lock was not given back"
    row(table_row(lab, "a server does not come back", "its proof", folder))

    refused = rotate(lab, folder)
    assert refused.returncode == 2 and names(lab) == now, "the next one was touched"


def _hold(lab: Lab, holder: str, seconds_ago: float) -> None:
    """Somebody writes the Lease, for ten minutes."""
    stamp = (datetime.now(timezone.utc) - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    item = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"namespace": "kube-system", "name": "webhook-doctor"},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 600, "acquireTime": stamp, "renewTime": stamp},
    }
    lab.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(item))


def _webhook(lab: Lab, group: str, resource: str) -> None:
    """It fails closed, and its Service does not exist."""
    webhook = {
        "name": "in-the-way.example.com",
        "clientConfig": {"service": {"namespace": "default", "name": "gone", "path": "/"}},
        "rules": [{"operations": ["CREATE", "UPDATE"], "apiGroups": [group], "apiVersions": ["*"], "resources": [resource]}],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    item = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "in-the-way"},
        "webhooks": [webhook],
    }
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(item))
