# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: an API server on loopback, and a cluster in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import a_cluster
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import FakeApiServer


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own connection settings leaks in."""
    for name in list(os.environ):
        if name.startswith(("K8S_AUTH_", "KUBE")) or name.lower() in ("https_proxy", "http_proxy", "no_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApiServer]:
    """Answers with `a_cluster()`, also for the addresses of its API servers, which nobody has here."""
    monkeypatch.setattr(Api, "at", lambda api, address, port: api)
    server = FakeApiServer()
    for (group, plural), objects in a_cluster().items():
        server.add(group, plural, *objects)
    yield server
    server.close()
