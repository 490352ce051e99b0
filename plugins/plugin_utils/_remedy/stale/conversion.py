# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a CRD may do without its conversion webhook. Pure. PRIVATE to the collection.

With strategy None the API server changes apiVersion alone. That is right only where every version that is served has the fields of the one that is stored;
elsewhere it would hand out, and at the next write store, objects that lack what their version calls otherwise.
Source: k8s.io/apiextensions-apiserver pkg/apiserver/conversion (nop converter); Kubernetes documentation, versions in CustomResourceDefinitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def unsafe(crd: Mapping[str, Any]) -> str | None:
    """Why the conversion may not be ended; None where it may."""
    spec, stored = crd.get("spec") or {}, (crd.get("status") or {}).get("storedVersions")
    versions = {str(one["name"]): one for one in spec.get("versions") or ()}
    storage = next((name for name, one in versions.items() if one.get("storage")), None)
    if storage is None or not stored:
        return "which versions of its objects are stored is not known"
    if list(stored) != [storage]:
        others = ", ".join(name for name in stored if name != storage)
        return f"objects may be stored as {others} still (status.storedVersions), and new ones are stored as {storage}: rewrite them first"
    schema = versions[storage].get("schema")
    for name, one in versions.items():
        if name == storage or not one.get("served"):
            continue
        if schema is None or one.get("schema") != schema:
            return f"it serves {name} too, whose fields are not proven to be those of {storage}, which is stored: stop serving {name} first"
    return None
