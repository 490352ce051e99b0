# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who will put a change back, and the durable fix in their words. Pure. PRIVATE to the collection.

Some own an object as a whole: what renders it, or applies it. Others own a part of it (a caBundle, a namespaceSelector), and count for changes of that part
alone, before those who own the rest, because these do not write it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .change import Change
from .owner import Owner
from .owning.asked import Asked
from .owning.gitops import argo_cd, flux
from .owning.helm import helm, kustomize
from .owning.injectors import cainjector, istiod, service_ca
from .owning.operators import controller, known, olm
from .owning.platforms import enforcer, managed

if TYPE_CHECKING:
    from .._diagnosis.cluster import Cluster

# From the one that puts it back first, and for good: who reconciles by itself before who has to be run.
_WHOLE: tuple[Callable[[Asked], Owner | None], ...] = (controller, argo_cd, flux, olm, managed, known, helm, kustomize)
_WORDS = {
    "argo_cd": "Argo CD's application",
    "flux": "Flux's",
    "helm": "Helm's release",
    "kustomize": "Kustomize's",
    "olm": "OLM's",
    "operator": "the operator's, by",
    "aks": "AKS's, by",
    "gke": "GKE's, by",
    "eks": "EKS's, by",
    "addon_manager": "the addon manager's, by",
}


def owner_of(change: Change, live: Mapping[str, Any] | None, cluster: Cluster) -> Owner | None:
    """Who owns what the change touches; None where nobody is seen who would put it back, or nothing is there yet."""
    if live is None or change.action not in ("patch", "delete"):
        return None
    asked = Asked(change, live)
    whole = [owner for find in _WHOLE if (owner := find(asked))]
    parts = [part for part in (cainjector(asked), service_ca(asked), istiod(asked, cluster), enforcer(asked)) if part] if change.action == "patch" else []
    claimed = frozenset().union(*(paths for dummy, paths in parts))
    of_parts = [owner for owner, dummy in parts]
    found = [*of_parts, *whole] if claimed >= set(asked.touched) else [*whole, *of_parts]
    if not found:
        return None
    first, *others = found
    return replace(first, because="; ".join([first.because, *(f"also {_words(other)}" for other in others)]))


def _words(owner: Owner) -> str:
    """`Helm's release cert-manager/cert-manager (annotations ...)`."""
    return f"{_WORDS.get(owner.kind, owner.kind)} {owner.name} ({owner.because})"
