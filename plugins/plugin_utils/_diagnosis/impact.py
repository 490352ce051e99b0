# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server makes a call-out's calls for, in the API's words. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .text import listing


def impact_of(callouts: Iterable[Mapping[str, Any]], facts: Mapping[str, Any]) -> str | None:
    """Operations and resources that these call-outs are called for; None where they have no rules."""
    asked = sorted({_rule(rule) for callout in callouts for rule in callout["rules"] or ()})
    return listing(asked, 6) or None


def _rule(rule: Mapping[str, Any]) -> str:
    groups = rule["api_groups"] or [""]
    resources = [f"{resource}.{group}" if group else str(resource) for group in groups for resource in rule["resources"] or ()]
    return f"{'/'.join(rule['operations'] or ())} of {listing(resources, 4)}"
