# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who will put a change back: the shape. owners.py finds them. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Owner:
    """kind: helm, argo_cd, flux, kustomize, olm, operator, cainjector, service_ca, istiod, aks, gke, eks, or addon_manager. name: of the release,
    application, or object that owns it.

    because: how it is known, in the API's words. durable: the fix in the owner's own words, line by line (a values file, a Kustomize patch, an annotation).
    """

    kind: str
    name: str
    because: str
    durable: tuple[str, ...] = ()

    def shown(self) -> dict[str, object]:
        return {"kind": self.kind, "name": self.name, "because": self.because, "durable": list(self.durable)}
