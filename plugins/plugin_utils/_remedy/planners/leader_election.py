# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""leader_election: cert-manager's controller and cainjector get the lease that they need. Pure. PRIVATE to the collection.

What is done depends on what stands in their way:
- the Role or RoleBinding for leader election is missing, or lacks something: it is made, or completed, where they elect now;
- nobody can be given rights there (GKE Autopilot's kube-system, a namespace that does not exist), or another namespace is asked for: both parts elect
  elsewhere, and Role and RoleBinding are made there first;
- everything is as it must be, and nobody alive holds the lease: the part is restarted.
Another installation that holds the lease is left in peace: with a lease of its own each, both would work on the same Certificates.
Sources: cert-manager deploy/charts/cert-manager/templates/{rbac,cainjector-rbac,deployment,cainjector-deployment}.yaml; cmd/controller/app (flags win over
the configuration file).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.cert_manager_election import lease_of

from ..._diagnosis.cert_manager import Component
from ..._diagnosis.lease_holder import abandoned_for, is_its_own, other_leader
from ..._diagnosis.text import clean, listing
from ..change import Change, Risk, Values
from ..edit import Edit, pointer
from ..election_rights import is_bound, missing_rules, new_binding, new_role, references, subject_of
from ..planner import Planner
from ..reference import Reference
from ..request import InvalidOption, Request
from ..rolling_restart import restart

ROLE = "leader_election"
# WD811 forbids, and is not mended.
CODES = ("WD802", "WD803", "WD811")
_FLAG = "--leader-election-namespace"
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# Seconds: a candidate asks for the lease every 15 s, and what cainjector writes comes after that.
_PATIENCE = 180


@dataclass(frozen=True)
class Part:
    """Controller or cainjector of one installation, the findings about it, and where it is to elect."""

    component: Component
    findings: tuple[Mapping[str, Any], ...]
    target: str

    @property
    def account(self) -> str:
        return str(self.component.item["service_account"] or "default")

    @property
    def now(self) -> str:
        """The namespace in which it elects now."""
        lease = self.component.lease_key
        if lease is None:
            raise ValueError(f"{self.component.label} elects nobody; `_parts` takes no such component")
        return lease[0]

    @property
    def deployment(self) -> Reference:
        return Reference("apps/v1", "Deployment", self.component.name, self.component.namespace)

    @property
    def lease(self) -> Reference:
        """Where it is to elect."""
        key = lease_of(self.component.kind, {"leader-election-namespace": [self.target]})
        if key is None:
            raise ValueError(f"{self.component.kind} elects nobody; `_parts` takes no such component")
        return Reference("coordination.k8s.io/v1", "Lease", key[1], self.target)

    def rights(self, namespace: str) -> tuple[Reference, Reference]:
        return references(self.component.name, namespace)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(sorted({finding["code"] for finding in self.findings}))

    @property
    def proof(self) -> dict[str, Any]:
        """What shows that it is elected."""
        return {
            "callouts": tuple(sorted({callout for finding in self.findings for callout in finding["affects"]})),
            "fingerprints": tuple(sorted(finding["fingerprint"] for finding in self.findings)),
            "patience": _PATIENCE,
        }


def reads(request: Request) -> Iterator[Reference]:
    for parts in _affected(request):
        for part in parts:
            yield part.deployment
            yield part.lease
            for namespace in dict.fromkeys((part.now, part.target)):
                yield from part.rights(namespace)


def plan(request: Request) -> Iterator[Change]:
    for parts in _affected(request):
        refused = _why_refused(request, parts)
        if refused:
            yield _manual(parts, *refused, codes=tuple(finding["code"] for finding in request.of("WD811")))
        elif _elsewhere(request, parts):
            yield from _move(request, parts)
        else:
            for part in parts:
                if part.findings:
                    yield from _in_place(request, part)


def _affected(request: Request) -> Iterator[list[Part]]:
    """For each installation that has a finding or, where a namespace is asked for, that elects elsewhere: all its parts that elect."""
    asked = str(request.options["namespace"] or "")
    if asked and not _NAMESPACE.fullmatch(asked):
        raise InvalidOption(f"namespace is {asked!r}. Expected the name of a namespace; empty for the one that cert-manager runs in.")
    found = list(request.of("WD802", "WD803"))
    for installation in request.cluster.cert_manager.installations:
        parts = [
            Part(component, tuple(one for one in found if _is_about(one, component)), asked or installation.namespace)
            for component in installation.components.values()
            if component.lease_key
        ]
        if any(part.findings or (asked and part.now != asked) for part in parts):
            yield parts


def _is_about(finding: Mapping[str, Any], component: Component) -> bool:
    subject = finding["subject"]
    return (subject["kind"], subject["namespace"], subject["name"]) == ("Deployment", component.namespace, component.name)


# ---- who else elects


def _why_refused(request: Request, parts: Sequence[Part]) -> tuple[str, tuple[str, ...]] | None:
    """(why, what a person does); None where nothing speaks against it."""
    twice = next(request.of("WD811"), None)
    if twice:
        why = "cert-manager is installed twice: with a lease of its own each, both would work on the same Certificates"
        return "; ".join(filter(None, [why, *(_stranger(request, part) for part in parts)])), tuple(twice["remedy"]["manual"])
    for part in parts:
        stranger = _stranger(request, part)
        if stranger and not other_leader(part.component):
            return stranger, (f"# Find out whose it is, and whether it still runs: kubectl -n {part.now} get lease {part.lease.name} -o yaml",)
        there = (request.read(part.lease) or {}).get("spec") or {}
        if part.target != part.now and _is_held_by_another(
            request, part, there.get("holderIdentity"), there.get("renewTime"), there.get("leaseDurationSeconds")
        ):
            words = f"somebody else elects in namespace {part.target}: Lease {part.target}/{part.lease.name} is held by {clean(there['holderIdentity'], 120)}"
            return words, ("# Choose another namespace (leader_election_namespace).",)
    return None


def _stranger(request: Request, part: Part) -> str | None:
    """The words for a lease that somebody alive holds who is no pod of this part; None where that is not so, or is not known."""
    lease = request.cluster.cert_manager.lease(part.component)
    if not lease or not _is_held_by_another(request, part, lease["holder"], lease["renewed"], lease["duration_seconds"]):
        return None
    other = other_leader(part.component)
    whose = f"a pod of {other.label}, another installation" if other else f"which is no pod of {part.component.label}"
    return f"Lease {lease['namespace']}/{lease['name']} is held by {clean(lease['holder'], 120)}, {whose}"


def _is_held_by_another(request: Request, part: Part, holder: str | None, renewed: str | None, seconds: int | None) -> bool:
    return bool(holder) and not is_its_own(part.component, holder) and abandoned_for(request.cluster, renewed, seconds) is None


# ---- elsewhere


def _elsewhere(request: Request, parts: Sequence[Part]) -> list[str]:
    """Why they are to elect in another namespace; [] where they are not."""
    cluster = request.cluster
    moving = [part for part in parts if part.now != part.target]
    if not moving:
        return []
    if request.options["namespace"]:
        return [f"namespace {moving[0].target} is asked for"]
    known = {namespace["name"] for namespace in cluster.facts["namespaces"]}
    reasons = []
    for part in moving:
        other = other_leader(part.component)
        if part.findings and part.now == "kube-system" and "gke_autopilot" in cluster.platform:
            reasons.append("on GKE Autopilot nobody may create anything in kube-system")
        elif part.findings and known and part.now not in known:
            reasons.append(f"the namespace {part.now} does not exist")
        elif part.findings and other:  # each limited to namespaces of its own, else they were refused
            reasons.append(f"{other.label}, of another installation, elects in {part.now}")
    return list(dict.fromkeys(reasons))


def _move(request: Request, parts: Sequence[Part]) -> Iterator[Change]:
    target = parts[0].target
    known = {namespace["name"] for namespace in request.cluster.facts["namespaces"]}
    if known and target not in known:
        yield _manual(parts, f"the namespace {target} does not exist", (f"kubectl create namespace {target}",))
        return
    why = "; ".join(_elsewhere(request, parts))
    # Both move: a chart has one value for both, and what hinders one of them hinders the other as soon as it has to elect anew.
    codes = tuple(sorted({code for part in parts for code in part.codes}))
    for part in parts:
        deployment = request.read(part.deployment)
        if part.now == target or deployment is None:
            continue
        edit = Edit(deployment)
        if not _elect_in(edit, str(part.component.item["container"]), target):
            yield _manual([part], f"its container {part.component.item['container']} is not there any more", ("# Diagnose again.",))
            continue
        if not edit:
            continue
        rights, hindrance = _rights(request, part, target, deployment, codes, Risk.MEDIUM)
        if hindrance:
            yield hindrance
            continue
        moved = Change(
            remedy=ROLE,
            codes=codes,
            target=part.deployment,
            action="patch",
            edit=edit,
            reason=f"elect the leader in namespace {target} instead of {part.now}: {why}",
            risk=Risk.MEDIUM,
            after_=tuple(right.id for right in rights),
            values=(Values("cert-manager", {"global.leaderElection.namespace": target}),),
            rollout=True,
            notes=(f"the Role and RoleBinding {part.rights(part.now)[0].name} in {part.now} stay, if they are there: a rollback needs them",),
            **part.proof,
        )
        yield from (replace(right, only_for=moved.id) for right in rights)  # the owner of the Deployment makes them with it
        yield moved


def _elect_in(edit: Edit, container: str, namespace: str) -> bool:
    """Set the argument where it stands; the last one counts, as flags are parsed. False where the container is not there."""
    containers = edit.get("/spec/template/spec/containers") or []
    position = next((index for index, one in enumerate(containers) if one.get("name") == container), None)
    if position is None:
        return False
    place = pointer("spec", "template", "spec", "containers", position)
    edit.anchor(f"{place}/name")
    arguments = containers[position].get("args") or []
    found = [index for index, argument in enumerate(arguments) if str(argument).partition("=")[0] == _FLAG]
    if not found:
        edit.set(f"{place}/args/-" if arguments else f"{place}/args", f"{_FLAG}={namespace}" if arguments else [f"{_FLAG}={namespace}"])
    elif "=" in arguments[found[-1]]:
        edit.set(f"{place}/args/{found[-1]}", f"{_FLAG}={namespace}")
    elif found[-1] + 1 < len(arguments):
        edit.anchor(f"{place}/args/{found[-1]}")
        edit.set(f"{place}/args/{found[-1] + 1}", namespace)
    return True


# ---- where they elect now


def _in_place(request: Request, part: Part) -> Iterator[Change]:
    deployment = request.read(part.deployment)
    if deployment is None:
        return
    rights, hindrance = _rights(request, part, part.now, deployment, part.codes, Risk.LOW)
    if hindrance:
        yield hindrance
    elif rights:
        yield from rights
    elif "WD802" in part.codes:
        edit = Edit(deployment)
        restart(edit, str(request.cluster.facts["source"]["observed_at"]))
        yield Change(
            remedy=ROLE,
            codes=part.codes,
            target=part.deployment,
            action="patch",
            edit=edit,
            reason=f"nobody alive holds Lease {part.now}/{part.lease.name}, and the rights to take it are there: start the candidates anew",
            risk=Risk.MEDIUM,
            rollout=True,
            uncontested=True,
            **part.proof,
        )
    else:
        steps = (
            f"kubectl -n {part.component.namespace} logs deployment/{part.component.name} --tail=50",
            "# An admission policy or webhook may refuse the lease: the log says who. Or let both parts elect elsewhere: leader_election_namespace.",
        )
        name = part.rights(part.now)[0].name
        yield _manual([part], f"the Role and RoleBinding {name} in {part.now} are as they must be: something else refuses the lease", steps)


def _rights(
    request: Request, part: Part, namespace: str, deployment: Mapping[str, Any], codes: tuple[str, ...], risk: Risk
) -> tuple[list[Change], Change | None]:
    """(what makes Role and RoleBinding as they must be, [] where they are; what keeps that from being planned)."""
    role_reference, binding_reference = part.rights(namespace)
    for reference in (role_reference, binding_reference):
        error = request.unreadable(reference)
        if error:
            return [], _manual([part], f"{reference.words} could not be read: {error}", ("# Apply docs/rbac/remediate-leader_election.yaml.",))
    role, binding = request.read(role_reference), request.read(binding_reference)
    named = (binding or {}).get("roleRef") or {}
    if binding and (named.get("kind"), named.get("name")) != ("Role", role_reference.name):
        why = f"{binding_reference.words} is of {named.get('kind')} {named.get('name')}, which cannot be changed"
        return [], _manual([part], why, (f"kubectl -n {namespace} delete rolebinding {binding_reference.name}", "# Then plan again."))
    changes = []
    common: dict[str, Any] = {"remedy": ROLE, "codes": codes, "fingerprints": (), "risk": risk}
    if role is None:
        created = new_role(role_reference, part.component.kind, request.read(part.rights(part.now)[0]), deployment)
        reason = f"{part.component.label} may elect its leader in {namespace}: the Role is not there"
        changes.append(Change(target=role_reference, action="create", created=created, reason=reason, **common))
    else:
        edit = Edit(role)
        missing = missing_rules(role, part.component.kind)
        for rule in missing:
            edit.append("/rules", rule)
        if missing:
            verbs = listing(sorted({verb for rule in missing for verb in rule["verbs"]}))
            changes.append(Change(target=role_reference, action="patch", edit=edit, reason=f"it does not grant {verbs} on the lease", **common))
    waits = tuple(change.id for change in changes)
    if binding is None:
        created = new_binding(binding_reference, role_reference, part.account, part.component.namespace, deployment)
        reason = f"ServiceAccount {part.component.namespace}/{part.account} gets the Role: the RoleBinding is not there"
        changes.append(Change(target=binding_reference, action="create", created=created, reason=reason, after_=waits, **common))
    elif not is_bound(binding, part.account, part.component.namespace):
        edit = Edit(binding)
        edit.append("/subjects", subject_of(part.account, part.component.namespace))
        reason = f"it does not name ServiceAccount {part.component.namespace}/{part.account}"
        changes.append(Change(target=binding_reference, action="patch", edit=edit, reason=reason, after_=waits, **common))
    if changes and namespace == part.now:  # nothing follows that could show it
        changes[-1] = replace(changes[-1], **part.proof)
    return changes, None


def _manual(parts: Sequence[Part], why: str, steps: tuple[str, ...], codes: tuple[str, ...] = ()) -> Change:
    first = next((part for part in parts if part.findings), parts[0])
    return Change(
        remedy=ROLE,
        codes=tuple(sorted({code for part in parts for code in part.codes})) or codes,
        fingerprints=(),
        target=first.deployment,
        action="manual",
        reason=why,
        manual=steps,
    )


PLANNER = Planner(ROLE, CODES, reads, plan, {"namespace": ""})
