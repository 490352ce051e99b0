# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an observer is: it takes objects in, from whatever source, and says what it saw under one key of the facts. PRIVATE to the collection.

Call-outs and their back ends are the business of `inventory.py`; observers add what explains them: the platform, network policies, applications. Each is one
file of `observers/`. It is given the objects of its `kinds` as they arrive, in no particular order, and each once or more than once (a list that is begun
again); it keeps little of them. What it wants to have read it says in two rounds, because the second may depend on what the first has shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Wanted

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory

GroupKind = tuple[str, str]  # ("apps", "Deployment"); the group of core is ""


class Observer:
    """path: where in the facts its words stand, ("platform",) or ("apps", "istio"). kinds: what it wants to be given."""

    path: tuple[str, ...] = ()
    kinds: frozenset[GroupKind] = frozenset()

    def first(self) -> Iterable[Wanted]:
        """What is to be read in any case. The API groups that the observer is about exist (see `observers/registry.py`)."""
        return ()

    def then(self, inventory: Inventory) -> Iterable[Wanted]:
        """What is to be read now that call-outs, back ends and the first round are known."""
        return ()

    def take(self, obj: dict[str, Any]) -> None:
        """One object of `kinds`, with apiVersion and kind. Raises Malformed."""
        raise NotImplementedError

    def facts(self, inventory: Inventory) -> Any:
        """What stands at `path`, in the shape of docs/architecture.md; everything has been read."""
        raise NotImplementedError
