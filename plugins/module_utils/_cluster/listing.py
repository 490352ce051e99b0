# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for: one LIST, one object by name, or some metrics. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Union

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.metrics import Sample

Address = tuple[str, int]


@dataclass(frozen=True)
class Listing:
    """One LIST. `what` names it in coverage; pages without one of the bytes in `containing` are not even parsed.

    optional: an API that is not there is no gap (the kinds of applications that are not installed).
    """

    what: str
    path: str
    api_version: str
    kind: str
    query: dict[str, str] = field(default_factory=dict)
    page: int | None = None
    most: int | None = None
    containing: tuple[bytes, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Named:
    """One object by name. `what` names it in coverage; that it is not there is no gap."""

    what: str
    path: str
    api_version: str
    kind: str


@dataclass(frozen=True)
class Scrape:
    """Samples of /metrics by their names (a histogram's with _bucket, _count, _sum), of one API server instance; None: of the one that answers there.

    take: what is given (instance, samples) if it could be read. consequence: what is not known otherwise.
    """

    families: tuple[str, ...]
    take: Callable[[Address | None, Iterable[Sample]], None]
    consequence: str
    instance: Address | None = None


Wanted = Union[Listing, Named, Scrape]
