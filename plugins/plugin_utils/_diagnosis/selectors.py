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


def labels_of_namespace(facts: Mapping[str, Any], name: str, selector: Mapping[str, Any] | None) -> Mapping[str, str] | None:
    """The labels of a namespace as far as `selector` asks for them; None where they are not known.

    The label with its name is on every namespace (Kubernetes 1.21+ puts it there), also on one that could not be read.
    """
    for namespace in facts["namespaces"]:
        if namespace["name"] == name:
            return dict(namespace.get("labels") or {})
    return {NAMESPACE_NAME: name} if keys(selector) <= {NAMESPACE_NAME} else None
