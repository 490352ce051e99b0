# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: a real Kubernetes control plane with faulty webhooks. Tests use `Lab` and `Options`."""

from .errors import LabError
from .lifecycle import Lab
from .options import Options

__all__ = ["Lab", "LabError", "Options"]
