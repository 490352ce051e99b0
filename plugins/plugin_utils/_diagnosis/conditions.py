# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""matchConditions whose value can be told without evaluating CEL: the forms that documentation and charts use. PRIVATE to the collection.

A condition is not evaluated here, it is recognised: whatever has another form is unknown, and who asks must then not judge. As in CEL, what is unknown
on one side of `&&` or `||` does not matter where the other side decides.
Sources: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions; what Kyverno
(excludeBootstrapResources), Capsule and Deckhouse install.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import NO, UNKNOWN, YES, Request, intercepts

_STRING = r"""(?:"([^"\\]{0,253})"|'([^'\\]{0,253})')"""
_FIELD = r"request\.(resource\.group|resource\.resource|resource\.version|kind\.group|kind\.kind|namespace|operation|subResource|name|userInfo\.username)"
_COMPARED = re.compile(rf"{_FIELD} ?(==|!=) ?{_STRING}$")
_LISTED = re.compile(rf"{_FIELD} in (\[[^\[\]]{{0,2000}}\])$")
_CALLED = re.compile(rf"{_FIELD}\.(startsWith|endsWith|contains)\( ?{_STRING} ?\)$")
_PRESENT = re.compile(r"has\( ?request\.(namespace|subResource) ?\)$")
_IN_GROUP = re.compile(rf"{_STRING} in request\.userInfo\.groups$")
_SOME_GROUP = re.compile(r"request\.userInfo\.groups\.exists\( ?([a-z]{1,20}) ?, ?(.{1,2000}?) ?\)$")
_OF_GROUP = re.compile(rf"(?:(==|!=) ?{_STRING}|in (\[[^\[\]]{{0,2000}}\])|\.?(startsWith|endsWith|contains)\( ?{_STRING} ?\))$")
_ANY_STRING = re.compile(_STRING)
_SPACE = re.compile(r"\s+")
# The kinds of the resources that are asked for, as far as conditions of charts name them.
_KINDS = {
    "pods": "Pod",
    "nodes": "Node",
    "leases": "Lease",
    "events": "Event",
    "secrets": "Secret",
    "endpoints": "Endpoints",
    "services": "Service",
    "namespaces": "Namespace",
    "deployments": "Deployment",
    "replicasets": "ReplicaSet",
    "daemonsets": "DaemonSet",
    "endpointslices": "EndpointSlice",
    "certificatesigningrequests": "CertificateSigningRequest",
    "tokenreviews": "TokenReview",
    "subjectaccessreviews": "SubjectAccessReview",
}
_TESTS: Mapping[str, Callable[[str, str], bool]] = {"startsWith": str.startswith, "endsWith": str.endswith, "contains": lambda text, part: part in text}


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
    text = _SPACE.sub(" ", expression).strip()
    # Escapes and conditional expressions are not read here.
    if len(text) > 4000 or "?" in text or "\\" in text:
        return None
    return _value(text, request, Requester(tuple(groups), users), 0)


def _value(text: str, request: Request, by: Requester, depth: int) -> bool | None:
    text = text.strip()
    if depth > 8:
        return None
    for operator, decides in (("||", True), ("&&", False)):
        parts = _split(text, operator)
        if len(parts) > 1:
            values = [_value(part, request, by, depth + 1) for part in parts]
            return decides if decides in values else None if None in values else not decides
    if text.startswith("!"):
        inner = _value(text[1:], request, by, depth + 1)
        return None if inner is None else not inner
    if text.startswith("(") and text.endswith(")"):
        return _value(text[1:-1], request, by, depth + 1) if _balanced(text[1:-1]) else None
    if text in ("true", "false"):
        return text == "true"
    return _leaf(text, request, by)


def _leaf(text: str, request: Request, by: Requester) -> bool | None:
    compared = _COMPARED.match(text)
    if compared:
        wanted = _one(compared[3], compared[4])
        equal = _told(_fields(request, compared[1], by), lambda value: _equals(value, (wanted,)))
        return equal if compared[2] == "==" or equal is None else not equal
    listed = _LISTED.match(text)
    if listed:
        wanted_ones = _strings(listed[2])
        return _told(_fields(request, listed[1], by), lambda value: _equals(value, wanted_ones))
    called = _CALLED.match(text)
    if called:
        part = _one(called[3], called[4])
        return _told(_fields(request, called[1], by), lambda value: _test(value, called[2], part))
    present = _PRESENT.match(text)
    if present:
        return bool(request.namespace if present[1] == "namespace" else request.subresource)
    member = _IN_GROUP.match(text)
    if member:
        return _one(member[1], member[2]) in by.groups
    some = _SOME_GROUP.match(text)
    return _some_group(some[1], some[2].strip(), by.groups) if some else None


def _some_group(variable: str, test: str, groups: tuple[str, ...]) -> bool | None:
    """`groups.exists(g, g == "a")`, `g in [...]`, `g.startsWith("a")`."""
    if not re.match(rf"{variable}\b", test):
        return None
    told = _OF_GROUP.match(test[len(variable) :].strip())
    if not told:
        return None
    if told[1]:
        wanted = _one(told[2], told[3])
        return any((group == wanted) == (told[1] == "==") for group in groups)
    if told[4]:
        return not _strings(told[4]).isdisjoint(groups)
    return any(_TESTS[told[5]](group, _one(told[6], told[7])) for group in groups)


def _fields(request: Request, name: str, by: Requester) -> tuple[str, ...]:
    """The value of a field, or all that it may have; none where it is not known, or is absent (then CEL ends in an error)."""
    if name == "userInfo.username":
        return by.users
    if name == "kind.kind":
        return tuple(kind for kind in (_KINDS.get(request.resource),) if kind and not request.subresource)
    value = {
        "resource.group": request.group,
        "resource.resource": request.resource,
        "resource.version": request.version,
        "kind.group": request.group,
        "namespace": request.namespace,
        "operation": request.operation,
        "subResource": request.subresource,
        "name": request.name,
    }[name]
    # AdmissionRequest leaves these out where they are empty; a group may be empty.
    return () if value is None or (value == "" and name in ("namespace", "subResource", "name")) else (value,)


def _told(values: tuple[str, ...], test: Callable[[str], bool | None]) -> bool | None:
    """What the test says of all possible values, None where they differ or there is none."""
    outcomes = {test(value) for value in values}
    return outcomes.pop() if len(outcomes) == 1 else None


def _equals(value: str, wanted: Collection[str]) -> bool | None:
    if not value.endswith(":"):
        return value in wanted
    return None if any(one.startswith(value) for one in wanted) else False


def _test(value: str, function: str, part: str) -> bool | None:
    if not value.endswith(":"):
        return _TESTS[function](value, part)
    if function == "endsWith" or (function == "contains" and part not in value):
        return None
    if function == "contains" or value.startswith(part):
        return True
    return None if part.startswith(value) else False


def _one(double: str | None, single: str | None) -> str:
    return double if double is not None else single or ""


def _strings(text: str) -> set[str]:
    return {double or single for double, single in _ANY_STRING.findall(text)}


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
