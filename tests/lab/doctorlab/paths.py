# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab's own files are, and where it keeps what it builds."""

from __future__ import annotations

import os
from pathlib import Path

LAB = Path(__file__).resolve().parent.parent
CHECKOUT = LAB.parent.parent
FAULTS = LAB / "faults"
MODULES = LAB / "modules"
VERSIONS = LAB / "versions.yml"
VARIANTS = LAB / "variants.yml"
RBAC = CHECKOUT / "docs" / "rbac"
DEFAULT_STATE = CHECKOUT / ".lab" / "default"


def cache(what: str = "lab") -> Path:
    """Where binaries (or images) are kept, shared by all checkouts of one user (XDG base directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kubeops-webhook-doctor" / what
