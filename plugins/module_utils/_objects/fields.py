# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of an object only what is wanted, by JSON pointers (RFC 6901). Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_IDENTITY = ("name", "namespace", "uid", "resourceVersion")


def only(item: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """apiVersion, kind, what names the object and its version, and the values at these pointers to keys of mappings; what it lacks is left out."""
    metadata = item.get("metadata") or {}
    kept: dict[str, Any] = {key: item[key] for key in ("apiVersion", "kind") if key in item}
    kept["metadata"] = {key: metadata[key] for key in _IDENTITY if key in metadata}
    for field in fields:
        *way, last = [step.replace("~1", "/").replace("~0", "~") for step in field.split("/")[1:]]
        source: Any = item
        for step in way:
            source = source.get(step) if isinstance(source, Mapping) else None
        if isinstance(source, Mapping) and last in source:
            target = kept
            for step in way:
                target = target.setdefault(step, {})
            target[last] = source[last]
    return kept
