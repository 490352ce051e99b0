# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who will put a change back, and the durable fix in their words. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .change import Change
from .owner import Owner

if TYPE_CHECKING:
    from .._diagnosis.cluster import Cluster


def owner_of(change: Change, live: Mapping[str, Any] | None, cluster: Cluster) -> Owner | None:
    """Who owns what the change touches; None where nobody is seen who would put it back."""
    return None
