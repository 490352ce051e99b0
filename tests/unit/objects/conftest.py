# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of tests/unit/kubernetes: an API server on loopback, a clean environment."""

from __future__ import annotations

from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.conftest import environment, fake

__all__ = ["environment", "fake"]
