# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name for a finding that stays the same from run to run. PRIVATE to the collection."""

from __future__ import annotations

import hashlib

from .finding import Finding


def fingerprint(finding: Finding) -> str:
    """16 hex digits of code, root and cause: not of times, evidence, severity, or of how many call-outs are affected."""
    return hashlib.sha256("\0".join((finding.code, finding.root, finding.cause or "")).encode("utf-8", "surrogateescape")).hexdigest()[:16]
