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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import Request

    from .conditions import Requester

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
# Fields of AdmissionRequest -> of Request.
_ATTRIBUTES = {
    "resource.group": "group",
    "resource.resource": "resource",
    "resource.version": "version",
    "kind.group": "group",
    "namespace": "namespace",
    "operation": "operation",
    "subResource": "subresource",
    "name": "name",
}
_TESTS: Mapping[str, Callable[[str, str], bool]] = {"startsWith": str.startswith, "endsWith": str.endswith, "contains": lambda text, part: part in text}

_Test = Callable[["Request", "Requester"], "bool | None"]


def _unknown(_request: Request, _by: Requester) -> bool | None:
    return None


def read(expression: str) -> _Test:
    """The condition as a function of request and requester: true, false, or None where its form is not recognised or evaluating it is an error."""
    text = _SPACE.sub(" ", expression).strip()
    # Escapes and conditional expressions are not read here.
    if len(text) > 4000 or "?" in text or "\\" in text:
        return _unknown
    return _test_of(text, 0)


def _test_of(text: str, depth: int) -> _Test:
    text = text.strip()
    if depth > 8:
        return _unknown
    for operator, decides in (("||", True), ("&&", False)):
        parts = _split(text, operator)
        if len(parts) > 1:
            return _joined([_test_of(part, depth + 1) for part in parts], decides)
    if text.startswith("!"):
        inner = _test_of(text[1:], depth + 1)
        return lambda request, by: None if (value := inner(request, by)) is None else not value
    if text.startswith("(") and text.endswith(")"):
        return _test_of(text[1:-1], depth + 1) if _balanced(text[1:-1]) else _unknown
    if text in ("true", "false"):
        return lambda request, by: text == "true"
    return _leaf(text)


def _joined(tests: list[_Test], decides: bool) -> _Test:
    def joined(request: Request, by: Requester) -> bool | None:
        values = [test(request, by) for test in tests]
        return decides if decides in values else None if None in values else not decides

    return joined


def _leaf(text: str) -> _Test:
    compared = _COMPARED.match(text)
    if compared:
        wanted, same = {_one(compared[3], compared[4])}, compared[2] == "=="
        return _of_field(compared[1], lambda value: None if (equal := _equals(value, wanted)) is None else equal == same)
    listed = _LISTED.match(text)
    if listed:
        wanted_ones = _strings(listed[2])
        return _of_field(listed[1], lambda value: _equals(value, wanted_ones))
    called = _CALLED.match(text)
    if called:
        function, part = called[2], _one(called[3], called[4])
        return _of_field(called[1], lambda value: _test(value, function, part))
    present = _PRESENT.match(text)
    if present:
        field = present[1]
        return lambda request, by: bool(request.namespace if field == "namespace" else request.subresource)
    member = _IN_GROUP.match(text)
    if member:
        group = _one(member[1], member[2])
        return lambda request, by: group in by.groups
    some = _SOME_GROUP.match(text)
    if some:
        variable, test = some[1], some[2].strip()
        return lambda request, by: _some_group(variable, test, by.groups)
    return _unknown


def _of_field(name: str, test: Callable[[str], bool | None]) -> _Test:
    """What the test says of all values that the field may have; None where they differ or there is none."""

    def told(request: Request, by: Requester) -> bool | None:
        outcomes = {test(value) for value in _fields(request, name, by)}
        return outcomes.pop() if len(outcomes) == 1 else None

    return told


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
    if name.startswith("kind.") and request.subresource:
        return ()  # evictions, tokens and scales have kinds of other groups
    if name == "kind.kind":
        return tuple(kind for kind in (_KINDS.get(request.resource),) if kind)
    value: str | None = getattr(request, _ATTRIBUTES[name])
    # AdmissionRequest leaves these out where they are empty; a group may be empty.
    return () if value is None or (value == "" and name in ("namespace", "subResource", "name")) else (value,)


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
