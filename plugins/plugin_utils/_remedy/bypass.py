# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The temporary change of a webhook configuration that lets some requests past a dead webhook. Pure. PRIVATE to the collection.

What is in a namespace passes by an exception in namespaceSelector, by the label that the API server puts on every namespace (1.21). That selector does not
spare what is in no namespace, so there a match condition excepts the very objects (CEL; Kubernetes 1.30, beta and on since 1.28). Nothing else gets past.
Sources: kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/ (namespaceSelector, matchConditions).
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._diagnosis.needs import Need
from .._diagnosis.selectors import NAMESPACE_NAME
from .._diagnosis.text import clean, listing
from .change import Change, Risk
from .edit import Edit, pointer
from .reference import Reference

if TYPE_CHECKING:
    from .._diagnosis.case import Case

REMEDY = "bypass"
CONDITION = "webhook-doctor-bypass"
_CONDITIONS_SINCE, _CONDITIONS_STABLE = 28, 30


@dataclass(frozen=True)
class Blocked:
    """A change that does not get past a webhook: `needs` are those of its requests that the webhook is asked about."""

    change: Change
    case: Case
    needs: tuple[Need, ...]

    @property
    def webhook(self) -> str:
        return str(self.case.callout["webhook"])

    @property
    def namespaces(self) -> set[str]:
        return {place for need in self.needs if (place := _namespace(need))}

    @property
    def objects(self) -> set[tuple[str, str, str]]:
        """(group, resource, name) of what no namespaceSelector spares."""
        return {(need.request.group, need.request.resource, str(need.request.name)) for need in self.needs if _namespace(need) is None}

    @property
    def words(self) -> str:
        asked = listing(list(dict.fromkeys(need.what for need in self.needs)), 3)
        owner = self.case.callout["object"]
        return (
            f"webhook {self.webhook} of {owner['kind']} {owner['name']} does not answer ({self.case.judgement.cause}), fails closed, and is asked about {asked}"
        )


@dataclass(frozen=True)
class Obstacle:
    """Why no bypass can be made for a change, and what a person can do, line by line."""

    why: str
    manual: tuple[str, ...]


def obstacle(blocked: Blocked, live: Mapping[str, Any] | None, allow_fail_open: bool) -> Obstacle | None:
    """None where a bypass can be made."""
    if live is None:
        owner = blocked.case.callout["object"]
        way_out = f"# Bring back what answers for the webhook first, or see why {owner['kind']} {clean(owner['name'])} cannot be read:"
        return Obstacle("its configuration could not be read", (way_out, shlex.join(["kubectl", "get", owner["kind"].lower(), clean(owner["name"])])))
    if blocked.objects and not allow_fail_open and not _has_conditions(blocked.case):
        version = (blocked.case.cluster.facts.get("version") or {}).get("git_version") or "of this version"
        return Obstacle(
            f"what is in no namespace can be excepted only by match conditions, which Kubernetes {version} does not have (1.28 has them)",
            (
                "# Bring back what answers for the webhook first, or allow the webhook to fail open for the time of the repair:",
                "ansible-playbook kubeops.webhook_doctor.remediate "
                f"-e webhook_doctor_remedies={blocked.change.remedy} -e webhook_doctor_allow_fail_open=true -e webhook_doctor_max_risk=high --check --diff",
            ),
        )
    return None


def bypass(target: Reference, blocked: Sequence[Blocked], live: Mapping[str, Any], after: Iterable[str] = ()) -> Change:
    """blocked: those without an obstacle. live: the configuration as it is when the bypass is made. after: what is made before it."""
    edit = Edit(live)
    positions = {entry["name"]: position for position, entry in enumerate(live.get("webhooks") or ())}
    by_webhook: dict[str, list[Blocked]] = defaultdict(list)
    for one in blocked:
        by_webhook[one.webhook].append(one)
    words, fail_open = [], False
    for webhook, ones in sorted(by_webhook.items()):
        entry = pointer("webhooks", positions[webhook])
        edit.anchor(f"{entry}/name")
        namespaces = sorted(set().union(*(one.namespaces for one in ones)))
        objects = sorted(set().union(*(one.objects for one in ones)))
        if objects and not _has_conditions(ones[0].case):
            edit.set(f"{entry}/failurePolicy", "Ignore")
            words.append(f"{webhook} fails open")
            fail_open = True
            continue
        if namespaces:
            _add(edit, f"{entry}/namespaceSelector/matchExpressions", {"key": NAMESPACE_NAME, "operator": "NotIn", "values": namespaces})
            words.append(f"{webhook} leaves out {'namespace' if len(namespaces) == 1 else 'namespaces'} {listing(namespaces)}")
        if objects:
            _add(edit, f"{entry}/matchConditions", {"name": CONDITION, "expression": _condition(objects)})
            words.append(f"{webhook} leaves out {listing([f'{resource}/{name}' for dummy, resource, name in objects])}")
    return Change(
        remedy=REMEDY,
        codes=tuple(sorted({code for one in blocked for code in one.change.codes})),
        fingerprints=(),
        target=target,
        action="patch",
        edit=edit,
        reason=f"for the time of the repair, {'; '.join(words)}: {'; '.join(dict.fromkeys(one.words for one in blocked))}",
        risk=Risk.HIGH if fail_open else Risk.MEDIUM,
        after_=tuple(after),
        temporary=True,
        notes=("put back as soon as what waits for it is made and verified", *_beta(blocked, edit)),
    )


def entry_of(configuration: Mapping[str, Any], webhook: str) -> Mapping[str, Any] | None:
    return next((entry for entry in configuration.get("webhooks") or () if entry.get("name") == webhook), None)


def as_callout(callout: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The call-out of the facts, with the selectors, conditions and policy that its entry in the configuration has."""
    return {
        **callout,
        "failure_policy": entry.get("failurePolicy") or "Fail",
        "namespace_selector": _selector(entry.get("namespaceSelector")),
        "object_selector": _selector(entry.get("objectSelector")),
        "match_conditions": list(entry.get("matchConditions") or ()),
    }


def _selector(selector: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if selector is None:
        return None
    return {"match_labels": selector.get("matchLabels") or {}, "match_expressions": list(selector.get("matchExpressions") or ())}


def _namespace(need: Need) -> str | None:
    """The namespace by whose labels a namespaceSelector decides: for a Namespace its own."""
    request = need.request
    if request.namespaced:
        return request.namespace
    return request.name if (request.group, request.resource) == ("", "namespaces") else None


def _has_conditions(case: Case) -> bool:
    return _minor(case) >= _CONDITIONS_SINCE


def _minor(case: Case) -> int:
    """Of Kubernetes; 0 where it is not known."""
    return int((case.cluster.facts.get("version") or {}).get("minor") or 0)


def _beta(blocked: Sequence[Blocked], edit: Edit) -> tuple[str, ...]:
    conditions = any("/matchConditions" in path for path in edit.after)
    return (
        ("match conditions are beta in this version of Kubernetes, and can be switched off",)
        if conditions and _minor(blocked[0].case) < _CONDITIONS_STABLE
        else ()
    )


def _condition(objects: Iterable[tuple[str, str, str]]) -> str:
    """True for all but these. Names may hold nearly anything (those of ClusterRoles do), so they are quoted as CEL quotes."""
    excepted = [
        f"(request.resource.group == '{group}' && request.resource.resource == '{resource}' && request.name == '{_quoted(name)}')"
        for group, resource, name in objects
    ]
    return f"!({' || '.join(excepted)})"


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")


def _add(edit: Edit, path: str, item: Mapping[str, Any]) -> None:
    if edit.get(path) is None:
        edit.set(path, [item])
    else:
        edit.set(f"{path}/-", item)
