# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a call-out is called for a request under its matchConditions, as far as that can be told. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import NO, UNKNOWN, YES, Request, intercepts


@dataclass(frozen=True)
class Requester:
    """Who makes a request. groups: all of the user's. users: the names under which it may be known, none where anybody may make it; a name that ends in a
    colon stands for all that begin like it."""

    groups: tuple[str, ...]
    users: tuple[str, ...] = ()


def intercepts_under_conditions(callout: Mapping[str, Any], request: Request, groups: Collection[str], users: tuple[str, ...] = ()) -> str:
    """`_matching.intercepts`, with the conditions that are recognised. groups, users: of who makes the request, see Requester."""
    conditions = callout.get("match_conditions") or []
    if not conditions:
        return intercepts(callout, request)
    values = [holds(str(condition["expression"]), request, groups, users) for condition in conditions]
    verdict = NO if False in values else intercepts({**callout, "match_conditions": []}, request)
    return UNKNOWN if verdict == YES and None in values else verdict


def holds(expression: str, request: Request, groups: Collection[str], users: tuple[str, ...] = ()) -> bool | None:
    """Whether the condition is true for this request; None where its form is not recognised, or evaluating it is an error (a field that is not there)."""
    return _read(expression)(request, Requester(tuple(groups), users))


def all_hold(callout: Mapping[str, Any], request: Request, by: Requester) -> bool:
    """Whether all conditions of the call-out are true for certain."""
    return all(_read(str(condition["expression"]))(request, by) for condition in callout.get("match_conditions") or ())


def ask_for_the_namespace(callout: Mapping[str, Any]) -> bool:
    """Whether the conditions may be true in one namespace and not in another."""
    return any("request.namespace" in str(condition["expression"]) for condition in callout.get("match_conditions") or ())


@lru_cache(maxsize=1024)
def _read(expression: str) -> Callable[[Request, Requester], bool | None]:
    """The condition as a function; the same few are asked for very many requests."""
    from .condition_forms import read  # many patterns to compile, and few clusters have conditions

    return read(expression)
