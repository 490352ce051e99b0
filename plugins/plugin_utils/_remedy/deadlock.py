# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a dead fail-closed call-out would block the very change that mends it. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .change import Change
from .reference import Reference

if TYPE_CHECKING:
    from .._diagnosis.cluster import Cluster


def reads(cluster: Cluster) -> Iterator[Reference]:
    """The configurations that could block a change."""
    return iter(())


def around(changes: list[Change], cluster: Cluster, live: Mapping[Reference, Mapping[str, Any]], allow_fail_open: bool) -> tuple[list[Change], list[Change]]:
    """(the changes, with what they wait for; the temporary changes that let them through)."""
    return changes, []
