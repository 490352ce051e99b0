# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run that was killed has left: changes that were to be there for a time only. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

from .changing import Changer
from .kinds import TEMPORARY
from .marks import SELECTOR, Unreadable, marks_of
from .port import Port


def left(port: Port) -> list[tuple[dict[str, Any], str | None]]:
    """What is changed for a time: (which object, None or why its note cannot be read). Raises Unreachable."""
    found: list[tuple[dict[str, Any], str | None]] = []
    selections = [{"api_version": version, "kind": kind, "label_selector": SELECTOR} for version, kind in TEMPORARY]
    for answer in port.read(selections):
        for item in answer["objects"]:
            target = {"api_version": item["apiVersion"], "kind": item["kind"], "namespace": None, "name": item["metadata"]["name"]}
            try:
                if any(mark.temporary for mark in marks_of(item)):
                    found.append((target, None))
            except Unreadable as error:
                found.append((target, str(error)))
    return found


def heal(port: Port, changer: Changer) -> list[tuple[str, str | None]]:
    """Take back what earlier runs meant to take back: (what, None or why it could not be). Only who holds the lock may call it. Raises Unreachable."""
    return [(f"{target['kind']} {target['name']}", problem or changer.taken_back(target, accept=lambda mark: mark.temporary)) for target, problem in left(port)]
