# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user's JMESPath expression picks out of a list. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .checked import InvalidObservation


def picked(items: Sequence[dict[str, Any]], expression: str, key: str, what: str, example: str) -> list[dict[str, Any]]:
    """Those items that the expression picks, in their order; `key` is what tells them apart, `what` what they are called. Raises InvalidObservation."""
    try:
        import jmespath  # only by those who select: loading it takes 10 ms
    except ImportError as error:
        raise InvalidObservation(f"selecting {what} needs the Python library jmespath on the controller: pip install jmespath.") from error
    expected = f"Expected: an expression that picks {what}, such as {example}."
    try:
        found = jmespath.search(expression, items)
    except jmespath.exceptions.JMESPathError as error:
        raise InvalidObservation(f"the selection {expression!r} is not valid JMESPath: {error}. {expected}") from error
    known = {item[key] for item in items}
    if not isinstance(found, list) or not all(isinstance(item, Mapping) and item.get(key) in known for item in found):
        raise InvalidObservation(f"the selection {expression!r} does not pick {what}. {expected}")
    chosen = {item[key] for item in found}
    return [item for item in items if item[key] in chosen]
