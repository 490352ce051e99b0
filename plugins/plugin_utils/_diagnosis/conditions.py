# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""matchConditions whose value can be told without evaluating CEL: the forms that documentation and charts use. PRIVATE to the collection.

A condition is not evaluated here, it is recognised: whatever has another form is unknown, and who asks must then not judge.
Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import NO, UNKNOWN, YES, Request, intercepts

_STRING = r"""(?:"([^"\\]{0,253})"|'([^'\\]{0,253})')"""
_COMPARED = re.compile(rf"request\.(resource\.group|resource\.resource|resource\.version|namespace|operation|subResource) ?(==|!=) ?{_STRING}$")
_LISTED = re.compile(r"request\.(resource\.group|resource\.resource|namespace|operation) in (\[[^\[\]]{0,2000}\])$")
_IN_GROUP = re.compile(rf"{_STRING} in request\.userInfo\.groups$")
_ANY_STRING = re.compile(_STRING)
_SPACE = re.compile(r"\s+")


def intercepts_under_conditions(callout: Mapping[str, Any], request: Request, groups: Collection[str]) -> str:
    """`_matching.intercepts`, with the conditions that are recognised. groups: the groups of the user who makes the request."""
    conditions = callout.get("match_conditions") or []
    if not conditions:
        return intercepts(callout, request)
    values = [holds(str(condition["expression"]), request, groups) for condition in conditions]
    verdict = NO if False in values else intercepts({**callout, "match_conditions": []}, request)
    return UNKNOWN if verdict == YES and None in values else verdict


def holds(expression: str, request: Request, groups: Collection[str]) -> bool | None:
    """Whether the condition is true for this request; None where its form is not recognised."""
    text = _SPACE.sub(" ", expression).strip()
    # Escapes and conditional expressions are not read here.
    if len(text) > 4000 or "?" in text or "\\" in text:
        return None
    return _value(text, request, groups, 0)


def _value(text: str, request: Request, groups: Collection[str], depth: int) -> bool | None:
    text = text.strip()
    if depth > 8:
        return None
    for operator, decides in (("||", True), ("&&", False)):
        parts = _split(text, operator)
        if len(parts) > 1:
            values = [_value(part, request, groups, depth + 1) for part in parts]
            return decides if decides in values else None if None in values else not decides
    if text.startswith("!"):
        inner = _value(text[1:], request, groups, depth + 1)
        return None if inner is None else not inner
    if text.startswith("(") and text.endswith(")"):
        return _value(text[1:-1], request, groups, depth + 1) if _balanced(text[1:-1]) else None
    if text in ("true", "false"):
        return text == "true"
    return _leaf(text, request, groups)


def _leaf(text: str, request: Request, groups: Collection[str]) -> bool | None:
    compared = _COMPARED.match(text)
    if compared:
        wanted = compared[3] if compared[3] is not None else compared[4]
        return (_field(request, compared[1]) == wanted) == (compared[2] == "==")
    listed = _LISTED.match(text)
    if listed:
        return _field(request, listed[1]) in {double or single for double, single in _ANY_STRING.findall(listed[2])}
    member = _IN_GROUP.match(text)
    if member:
        return (member[1] if member[1] is not None else member[2]) in groups
    return None


def _field(request: Request, name: str) -> str:
    return {
        "resource.group": request.group,
        "resource.resource": request.resource,
        "resource.version": request.version,
        "namespace": request.namespace or "",
        "operation": request.operation,
        "subResource": request.subresource,
    }[name]


def _split(text: str, operator: str) -> list[str]:
    """At the operators that stand outside of brackets and strings."""
    parts, depth, start, index, quote = [], 0, 0, 0, ""
    while index < len(text):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif depth == 0 and text.startswith(operator, index):
            parts.append(text[start:index])
            index += len(operator)
            start = index
            continue
        index += 1
    return [*parts, text[start:]]


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0
