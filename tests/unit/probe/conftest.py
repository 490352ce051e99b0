# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: certificates, and a way to probe one server as a table row says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.endpoint import parse_endpoints
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.run import Budget, check_all
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.certificates import issue

TIMEOUT = 3.0


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="session")
def pem(certificates: Path) -> Path:
    return issue(certificates, "good")


@pytest.fixture
def probe() -> Callable[..., dict[str, Any]]:
    """One probe's result; keyword arguments are the keys of a probe specification."""

    def run(api: Any = None, retries: int = 0, deadline: float = 30.0, **spec: Any) -> dict[str, Any]:
        whole = {"name": "one", "server_name": "hook.ns.svc", "timeout": TIMEOUT, **spec}
        return check_all(parse_endpoints([whole], TIMEOUT), Budget(deadline=deadline, concurrency=8, retries=retries), api)[0]

    return run
