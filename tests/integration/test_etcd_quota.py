# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real etcd whose quota is reached: what the API server says then, what goes stale, and that one finding tells it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options
from doctorlab.api import wait
from lab_diagnosis import diagnose

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._classify import classify

NAMESPACE = "fault-healthy"
QUOTA_MB, CONFIG_MAP_KB = 24, 900


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("etcd") / "lab", Options(faults="healthy", etcd_quota_mb=QUOTA_MB)) as lab:
        yield lab


def kubectl(lab: Lab, *arguments: str, stdin: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    return lab.run(["kubectl", *arguments], input=json.dumps(stdin) if stdin else "", capture_output=True)


def fill(lab: Lab) -> str:
    """Store ConfigMaps until the API server refuses the next one; return its words."""
    for number in range(2 * QUOTA_MB * 1000 // CONFIG_MAP_KB):
        data = {"data": "x" * CONFIG_MAP_KB * 1000}
        item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"filler-{number}", "namespace": "default"}, "data": data}
        done = kubectl(lab, "create", "-f", "-", stdin=item)
        if done.returncode:
            return done.stderr
    raise AssertionError("the quota was not reached")


def warnings(lab: Lab) -> list[str]:
    items = json.loads(kubectl(lab, "-n", NAMESPACE, "get", "events", "-o", "json").stdout)["items"]
    return [item["message"] for item in items if item["type"] == "Warning"]


def counted(lab: Lab, resource: str) -> float:
    """What the API server's own counter says."""
    lines = kubectl(lab, "get", "--raw", "/metrics").stdout.splitlines()
    return max((float(line.split()[-1]) for line in lines if line.startswith("apiserver_resource_objects{") and f'resource="{resource}"' in line), default=-1)


@pytest.mark.covers("cm-ovh-quota", "cm-quota-texts", code="WD870")
def test_a_full_etcd_is_one_finding_and_what_follows_stands_under_it(lab: Lab, tmp_path: Path) -> None:
    healthy = diagnose(lab, tmp_path / "healthy").report
    assert not [finding for finding in healthy["findings"] if finding["code"].startswith("WD87")]
    assert healthy["bundle"]["facts"]["apps"]["etcd"]["bytes"], "the API server's own counters were read"

    said = fill(lab)
    assert "etcdserver: mvcc: database space exceeded" in said
    judged = classify(said)
    assert (judged["cause"], judged["code"]) == ("etcd_quota_exceeded", "WD870")

    # What has no finalizer can be deleted still, and nobody can write it anew.
    assert kubectl(lab, "-n", NAMESPACE, "delete", "endpointslices,endpoints", "--all", "--wait=false").returncode == 0
    wait("the EndpointSlice controller says so", lambda: any("database space exceeded" in words for words in warnings(lab)), timeout=90)
    # Of a pod it is written first that it is to end.
    assert "database space exceeded" in kubectl(lab, "-n", NAMESPACE, "delete", "pods", "--all", "--wait=false").stderr

    # The API server counts every one to 2.2 minutes (kubernetes apiserver pkg/registry/generic/registry/store.go: resourceCountPollPeriodJitter).
    wait("the API server has counted the ConfigMaps", lambda: counted(lab, "configmaps") > QUOTA_MB * 1000 // CONFIG_MAP_KB // 2, timeout=150, pause=0.5)

    diagnosis = diagnose(lab, tmp_path / "report")
    (full,) = [finding for finding in diagnosis.report["findings"] if finding["code"] == "WD870"]
    evidence = "\n".join(full["evidence"])
    assert full["severity"] == "error" and "etcdserver: mvcc: database space exceeded" in evidence
    assert f"Service {NAMESPACE}/webhook selects ready pods, and no EndpointSlice has them" in evidence
    assert " configmaps" in evidence and "etcd's file has" in evidence
    assert full["affects"], "the webhook without endpoints stands under it"
    others = [finding for finding in diagnosis.report["findings"] if finding["code"] in ("WD103", "WD104") and set(finding["affects"]) & set(full["affects"])]
    assert others == []
    assert full["remedy"]["manual"][0].startswith("# Delete first: ")
