# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters are given, checked once at the door. PRIVATE to the collection.

Facts, probes and verdicts may come from a bundle that somebody edited, or from the wrong variable. What is wrong is said by name here, so that the
judgement behind the door can rely on the shapes of docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

_SOURCE_OF_FACTS = "Expected: ansible_facts.kubernetes_webhooks as kubeops.webhook_doctor.webhook_facts returns it."
_FACTS: dict[str, type | tuple[type, ...]] = {
    "source": Mapping,
    "callouts": Sequence,
    "backends": Sequence,
    "namespaces": Sequence,
    "control_plane": Mapping,
    "evidence": Sequence,
    "coverage": Sequence,
}


class InvalidObservation(Exception):
    """What was handed in is not what a module of this collection returned."""


def checked_facts(facts: Any) -> Mapping[str, Any]:
    """The facts, if they have every part that is judged. Raises InvalidObservation."""
    if not isinstance(facts, Mapping):
        raise InvalidObservation(f"the facts are a {type(facts).__name__}. {_SOURCE_OF_FACTS}")
    for key, kind in _FACTS.items():
        if not isinstance(facts.get(key), kind) or isinstance(facts.get(key), str):
            what = "is missing" if key not in facts else f"is a {type(facts[key]).__name__}"
            raise InvalidObservation(f"facts.{key} {what}. {_SOURCE_OF_FACTS}")
    known = {backend.get("id") for backend in facts["backends"]}
    for callout in facts["callouts"]:
        if not isinstance(callout, Mapping) or not isinstance(callout.get("id"), str):
            raise InvalidObservation("an item of facts.callouts has no id. Expected: what kubeops.webhook_doctor.webhook_facts returns.")
        if callout.get("backend") not in known:
            raise InvalidObservation(f"call-out {callout['id']}: its back end {callout.get('backend')!r} is not among facts.backends.")
    return facts


def checked_list(items: Any, name: str, module: str) -> list[Mapping[str, Any]]:
    """A list of results, each with a name. Raises InvalidObservation."""
    if items is None:
        return []
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise InvalidObservation(f"{name} is a {type(items).__name__}. Expected: the list `results` of kubeops.webhook_doctor.{module}.")
    for index, item in enumerate(items):
        if not isinstance(item, Mapping) or "name" not in item or "callouts" not in item:
            raise InvalidObservation(f"{name}[{index}] has no name or no callouts. Expected: an item of `results` of kubeops.webhook_doctor.{module}.")
    return list(items)


def plain(value: Any) -> Any:
    """The same in dicts and lists of Python's own.

    What a filter is given, Ansible has wrapped, to notice which values are looked at: every look costs some microseconds, and judging two hundred
    call-outs takes a million looks. One pass here takes a tenth of that. Not for a filter that looks at a part only, and once.
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def moment(text: str) -> datetime:
    """An ISO 8601 time as aware UTC. Raises InvalidObservation."""
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, AttributeError) as error:
        raise InvalidObservation(f"{text!r} is not a time. Expected: ISO 8601, such as 2026-11-20T18:00:00Z.") from error
    return parsed.replace(tzinfo=timezone.utc) if parsed.tzinfo is None else parsed.astimezone(timezone.utc)
