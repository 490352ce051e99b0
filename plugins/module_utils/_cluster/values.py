# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading objects that may be anything: a dump edited by hand, an old API version, a hostile server. PRIVATE to the collection.

Each function returns what it promises whatever it is given; what a shape cannot do without is asked for with `required`.
"""

from __future__ import annotations

from typing import Any


class Malformed(Exception):
    """An object lacks what it cannot be understood without; the text says what."""


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """A string that is not empty, else None."""
    return value if isinstance(value, str) and value else None


def texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def integer(value: Any) -> int | None:
    """An int, also from a string of digits, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16 else None


def labels(value: Any) -> dict[str, str]:
    return {key: item for key, item in mapping(value).items() if isinstance(key, str) and isinstance(item, str)}


def required(owner: Any, key: str) -> str:
    """The string under `key`. Raises Malformed."""
    found = text(mapping(owner).get(key))
    if found is None:
        raise Malformed(f"{key} is missing")
    return found


def name_of(obj: Any) -> str:
    """metadata.name. Raises Malformed."""
    name = text(mapping(mapping(obj).get("metadata")).get("name"))
    if name is None:
        raise Malformed("metadata.name is missing")
    return name


def namespace_of(obj: Any) -> str:
    """metadata.namespace; kubectl leaves it out of nothing, but other tools do: then it is `default`."""
    return text(mapping(mapping(obj).get("metadata")).get("namespace")) or "default"


def owner_of(metadata: Any) -> dict[str, str | None] | None:
    """The controller among the ownerReferences, else the first of them, as {kind, name}."""
    references = mappings(mapping(metadata).get("ownerReferences"))
    chosen = next((reference for reference in references if reference.get("controller") is True), references[0] if references else None)
    return {"kind": text(chosen.get("kind")), "name": text(chosen.get("name"))} if chosen else None


def condition_of(status: Any, kind: str) -> dict[str, Any]:
    """The condition of this type; {} where there is none."""
    return next((item for item in mappings(mapping(status).get("conditions")) if item.get("type") == kind), {})


def bounded(value: str, longest: int) -> str:
    return value if len(value) <= longest else value[: longest - 1] + "…"
