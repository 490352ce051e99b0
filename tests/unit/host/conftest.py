# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: a machine of files, and certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.kubeops.webhook_doctor.tests.unit.host.certificates import Authority
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root")


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority("kubernetes")
