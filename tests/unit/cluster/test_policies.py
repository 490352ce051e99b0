# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Admission policies: only those that a text names are asked for."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import observe
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import event
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import FakeApiServer

GROUP = "admissionregistration.k8s.io"
NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
DENIED = event("denied", "Error creating: pods \"web\" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'demo-all' denied request: no")


def policy(name: str) -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": {"failurePolicy": "Ignore"}}


def binding(name: str, of: str) -> dict[str, Any]:
    spec = {"policyName": of, "validationActions": ["Deny", "Audit"]}
    return {"apiVersion": f"{GROUP}/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": spec}


FOUND = [{"kind": "ValidatingAdmissionPolicy", "name": "demo", "failure_policy": "Ignore", "bindings": [{"name": "demo-all", "actions": ["Deny", "Audit"]}]}]


def policies(fake: FakeApiServer) -> Any:
    options = {"src": [], "evidence": True, "access_review": False, "read_ca_secrets": False, "timeout": 5.0, "page_size": 500}
    return observe({**options, "host": fake.url, "api_key": "t"}, NOW).facts["control_plane"]["policies"]


@pytest.mark.parametrize("denied", [True, False])
def test_only_those_that_are_named(fake: FakeApiServer, denied: bool) -> None:
    fake.add(GROUP, "validatingadmissionpolicies", policy("demo"), policy("other"))
    fake.add(GROUP, "validatingadmissionpolicybindings", binding("demo-all", "demo"))
    if denied:
        fake.add("", "events", DENIED)
    assert policies(fake) == (FOUND if denied else [])
    assert [path.split("/")[-1] for path, _query in fake.asked("validatingadmissionpolicies")] == (["demo"] if denied else [])


def test_one_that_is_gone_is_no_gap(fake: FakeApiServer) -> None:
    fake.add("", "events", DENIED)
    assert policies(fake) == []


def test_a_dump(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all([policy("demo"), policy("other"), binding("demo-all", "demo"), binding("x", "other"), DENIED]))
    assert observe({"src": [str(tmp_path)]}, NOW).facts["control_plane"]["policies"] == FOUND
