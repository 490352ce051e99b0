# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label selectors of the facts: in words, and what can be known about them. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .text import clean

NAMESPACE_NAME = "kubernetes.io/metadata.name"


def selects_everything(selector: Mapping[str, Any] | None) -> bool:
    return selector is None or not (selector.get("match_labels") or selector.get("match_expressions"))


def selector_text(selector: Mapping[str, Any]) -> str:
    """As `kubectl get -l` takes it: `a=b,c in (x,y),!d`."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("match_labels") or {}).items())]
    for expression in selector.get("match_expressions") or ():
        key, operator, values = expression["key"], expression["operator"], expression.get("values") or []
        if operator in ("In", "NotIn"):
            parts.append(f"{key} {operator.lower()} ({','.join(values)})")
        else:
            parts.append(key if operator == "Exists" else f"!{key}")
    return clean(",".join(parts), 200)


def keys(selector: Mapping[str, Any] | None) -> set[str]:
    """The label keys that decide."""
    if selector is None:
        return set()
    return {*(selector.get("match_labels") or {}), *(expression["key"] for expression in selector.get("match_expressions") or ())}


def labels_for(labels: Mapping[str, str], selector: Mapping[str, Any] | None) -> dict[str, str]:
    """`labels`, with what the selector asks for where nothing stands against it. Whether it then selects them has to be asked."""
    result = dict(labels)
    for key, value in ((selector or {}).get("match_labels") or {}).items():
        result.setdefault(key, value)
    for expression in (selector or {}).get("match_expressions") or ():
        if expression["operator"] == "In" and expression.get("values"):
            result.setdefault(expression["key"], expression["values"][0])
        elif expression["operator"] == "Exists":
            result.setdefault(expression["key"], "")
    return result
