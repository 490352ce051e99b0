# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""stale_webhooks: what has outlived the application that it called: webhook configurations and APIServices are deleted, conversions of CRDs ended.
Only where it is proven that nothing is behind it any more, never what calls a URL, and never what was made just now. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..._diagnosis.text import fill
from ..change import Change, Risk, each_once, mending
from ..edit import Edit
from ..planner import Planner, Wanted
from ..reference import Reference, Selection
from ..request import Request, whole
from ..stale import conversion, orphan
from ..stale.orphan import Proof

if TYPE_CHECKING:
    from ..._diagnosis.case import Case
    from ..._diagnosis.mesh import Configuration

ROLE = "stale_webhooks"
CODES = ("WD101", "WD809", "WD810", "WD855")
CRD = "CustomResourceDefinition"
_ISTIODS = Selection("apps/v1", "Deployment", None, "app=istiod")


@dataclass(frozen=True)
class Suspect:
    """One object that a finding calls a remainder, with all of its call-outs."""

    target: Reference
    finding: Mapping[str, Any]
    cases: tuple[Case, ...]

    @property
    def services(self) -> list[tuple[str, str]]:
        return sorted({(case.wanted["namespace"], case.wanted["name"]) for case in self.cases if case.wanted})


def reads(request: Request) -> Iterator[Wanted]:
    for suspect in _suspects(request):
        yield suspect.target
        if suspect.finding["code"] == "WD101":
            yield from orphan.reads(suspect.services)
        elif suspect.finding["code"] == "WD855":
            yield _ISTIODS
            yield from (Reference("v1", "Service", name, namespace) for namespace, name in suspect.services)


def plan(request: Request) -> list[Change]:
    minutes = whole(request.options, "minimum_age_minutes", 1, 100_000, "minutes")
    return each_once(change for suspect in _suspects(request) for change in _of(request, suspect, minutes))


def _suspects(request: Request) -> Iterator[Suspect]:
    """The objects of each finding, each once for a finding."""
    for finding in request.of(*CODES):
        found: dict[Reference, None] = {}
        for case in request.cases(finding):
            found[_object(case)] = None
        for target in found:
            yield Suspect(target, finding, tuple(case for case in request.cluster.cases if _object(case) == target))


def _object(case: Case) -> Reference:
    about = case.callout["object"]
    return Reference(about["api_version"], about["kind"], about["name"])


def _of(request: Request, suspect: Suspect, minutes: int) -> Iterator[Change]:
    live = request.read(suspect.target)
    if live is None:
        why = request.unreadable(suspect.target)
        if why:
            yield _by_hand(suspect, f"it cannot be read: {why}")
        return
    young = orphan.too_young(live, request, minutes)
    if young:
        yield _by_hand(suspect, f"{young} (stale_webhooks_minimum_age_minutes is {minutes})")
        return
    proof = _PROOFS[suspect.finding["code"]](request, suspect, live)
    if not proof.orphaned:
        yield _by_hand(suspect, "; ".join(proof.lines), _retarget(request, suspect))
    elif suspect.target.kind == CRD:
        yield from _end_conversion(suspect, live, proof)
    else:
        yield _delete(suspect, live, proof)


# ---- proofs, one for each finding


def _application_is_gone(request: Request, suspect: Suspect, live: Mapping[str, Any]) -> Proof:
    return orphan.proven(request, live)


def _does_not_convert(request: Request, suspect: Suspect, live: Mapping[str, Any]) -> Proof:
    """WD809: the rule has compared the CRD with the version of the webhook that runs."""
    return Proof(True, tuple(suspect.finding["evidence"][:1]))


def _of_old_cert_manager(request: Request, suspect: Suspect, live: Mapping[str, Any]) -> Proof:
    """WD810: only versions up to 0.11 use it, and none of them is installed."""
    if any(service is None for service in orphan.services_of(live)):
        return Proof(False, ("it calls a URL, or is served by the API server itself",))
    if {case.id for case in suspect.cases} - set(suspect.finding["affects"]):
        return Proof(False, ("other webhooks are in the same configuration",))
    seen = request.cluster.cert_manager
    if not seen.complete:
        return Proof(False, ("the observation is of files, so whether an old cert-manager is installed is not known",))
    webhooks = seen.components("webhook")
    old = [one for one in webhooks if one.version is None or one.version < (0, 12, 0)]
    if old:
        return Proof(False, (f"{old[0].label} is of version {old[0].item['version'] or 'unknown'}, and may use it",))
    newer = [f"{one.label} is of version {one.item['version']}, and does not use it" for one in webhooks]
    return Proof(True, (*suspect.finding["evidence"][:1], *(newer or ["no webhook of cert-manager is in the cluster"])))


def _of_gone_istiod(request: Request, suspect: Suspect, live: Mapping[str, Any]) -> Proof:
    """WD855, looked at anew: no istiod of its revision, nobody who asks for it, and it is no tag that could follow another revision."""
    configuration = _configuration(request, suspect)
    gone = request.cluster.mesh.is_gone(configuration) if configuration else []
    if configuration is None or not gone or any(service is None for service in orphan.services_of(live)):
        return Proof(False, ("it is not proven that its istiod is gone",))
    rest = request.cluster.mesh.remainder(configuration)
    if rest.retarget:
        return Proof(False, (f"it is to follow revision {rest.live}, which runs, instead of going",))
    if not rest.removable:
        asking = [f"namespace {name}" for name in rest.namespaces] + list(rest.workloads)
        return Proof(False, (f"{', '.join(asking[:5])} still asks for it: move that first" if asking else "the namespaces could not be read",))
    why = request.unreadable(_ISTIODS)
    if why or _ISTIODS not in request.answers:
        return Proof(False, (f"which istiods there are cannot be read: {why or 'it was not asked'}",))
    revision = configuration.revision or "default"
    alive = [one for one in request.select(_ISTIODS) if (one["metadata"].get("labels") or {}).get("istio.io/rev", "default") == revision]
    if alive:
        return Proof(False, (f"{Reference.of(alive[0]).words} of revision {revision} is there by now",))
    return Proof(True, tuple(gone))


_PROOFS = {"WD101": _application_is_gone, "WD809": _does_not_convert, "WD810": _of_old_cert_manager, "WD855": _of_gone_istiod}


def _configuration(request: Request, suspect: Suspect) -> Configuration | None:
    return next((one for one in request.cluster.mesh.configurations if (one.kind, one.name) == (suspect.target.kind, suspect.target.name)), None)


def _retarget(request: Request, suspect: Suspect) -> tuple[str, ...]:
    """What a person does instead of deleting it, where that is known."""
    configuration = _configuration(request, suspect) if suspect.finding["code"] == "WD855" else None
    rest = request.cluster.mesh.remainder(configuration) if configuration else None
    if configuration is None or rest is None or not rest.live:
        return ()
    if rest.retarget:
        step = fill("istioctl tag set {tag} --revision {live} --overwrite", {"tag": configuration.tag or "default", "live": rest.live})
        return (step,) if step else ()
    steps = [fill("kubectl label namespace {name} istio.io/rev={live} --overwrite", {"name": name, "live": rest.live}) for name in rest.namespaces[:5]]
    return tuple(step for step in steps if step)


# ---- changes


def _abandoned_by(suspect: Suspect, live: Mapping[str, Any]) -> tuple[str, ...]:
    """Helm, where the release was in the namespace in which the application is proven to be gone: an uninstalled release puts nothing back."""
    annotations = live["metadata"].get("annotations") or {}
    namespaces = {namespace for namespace, dummy in suspect.services}
    known = suspect.finding["code"] == "WD101" and annotations.get("meta.helm.sh/release-namespace") in namespaces
    return ("helm",) if known else ()


def _delete(suspect: Suspect, live: Mapping[str, Any], proof: Proof) -> Change:
    return Change(
        remedy=ROLE,
        **mending([suspect.finding]),
        target=suspect.target,
        action="delete",
        reason="; ".join(proof.lines),
        risk=Risk.HIGH,
        callouts=tuple(case.id for case in suspect.cases),
        abandoned_by=_abandoned_by(suspect, live),
    )


def _end_conversion(suspect: Suspect, live: Mapping[str, Any], proof: Proof) -> Iterator[Change]:
    why_not = conversion.unsafe(live)
    if why_not:
        yield _by_hand(suspect, f"{'; '.join(proof.lines)}. Its conversion cannot simply be ended: {why_not}")
        return
    edit = Edit(live)
    edit.set("/spec/conversion", {"strategy": "None"})
    if edit:
        yield Change(
            remedy=ROLE,
            **mending([suspect.finding]),
            target=suspect.target,
            action="patch",
            edit=edit,
            reason=f"{'; '.join(proof.lines)}; its objects are all stored in the version that is served, so nothing has to be converted",
            risk=Risk.HIGH,
            callouts=tuple(case.id for case in suspect.cases),
            abandoned_by=_abandoned_by(suspect, live),
        )


def _by_hand(suspect: Suspect, why: str, steps: tuple[str, ...] = ()) -> Change:
    return Change(
        remedy=ROLE,
        **mending([suspect.finding]),
        target=suspect.target,
        action="manual",
        reason=why,
        risk=Risk.HIGH,
        manual=steps or _own_steps(suspect),
        part="by hand",
    )


def _own_steps(suspect: Suspect) -> tuple[str, ...]:
    """The finding's steps; one about a Service that several objects name has the commands of one of them only."""
    steps = tuple(suspect.finding["remedy"]["manual"])
    name, resource = suspect.target.name, suspect.target.resource
    if suspect.target.kind == CRD or any(name in step.split() for step in steps):
        return steps
    commands = (f"kubectl get {resource} {name} -o yaml > {name}.yaml", f"kubectl delete {resource} {name}")
    return (*(step for step in steps if step.startswith("# ")), *commands)


PLANNER = Planner(ROLE, CODES, reads, plan, {"minimum_age_minutes": 10})
