# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers in the arguments of a container: `--secure-port=10250`, or `--secure-port` and `10250`. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..edit import Edit, pointer
from .parameters import PORT


@dataclass(frozen=True)
class Told:
    """Where a container is told a number. field: args or command; position: of the element; text: what that element is to be, with {port}."""

    field: str
    position: int
    number: int
    text: str


def told(container: Mapping[str, Any], argument: str) -> Told | None:
    """The last place where this argument (`--secure-port={port}`) is given, as the last one counts where flags are parsed; None where nowhere."""
    before, after = argument.split(PORT)
    whole = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    found = None
    for field in ("command", "args"):
        elements = container.get(field) or []
        for position, element in enumerate(elements):
            match = whole.fullmatch(str(element))
            if match:
                found = Told(field, position, int(match[1]), argument)
            elif before.endswith("=") and not after and element == before[:-1] and str(next(iter(elements[position + 1 :]), "")).isdigit():
                found = Told(field, position + 1, int(elements[position + 1]), PORT)
    return found


def tell(edit: Edit, container: str, argument: str, number: int) -> None:
    """Have the container (its pointer) told this number, where it is told one now, else at the end of its arguments."""
    now = edit.get(container)
    place = told(now, argument)
    if place:
        edit.set(container + pointer(place.field, place.position), place.text.replace(PORT, str(number)))
    elif now.get("args"):
        edit.set(container + "/args/-", argument.replace(PORT, str(number)))
    else:
        edit.set(container + "/args", [argument.replace(PORT, str(number))])
