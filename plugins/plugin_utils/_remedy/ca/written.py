# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing a caBundle that nobody keeps, from a named source, verified with what is served before it is planned. Pure. PRIVATE to the collection."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..._diagnosis.ca_source import CaSource
from ..change import Change, Mending, Risk, mending
from ..edit import Edit, pointer
from ..reference import PublicKeys, Reference
from ..request import InvalidOption, Request
from .bundle import Authority, CannotVerify, Verifier, merged, served_authorities
from .injector import injector_of
from .steps import OF_THE_BUNDLE, Step, object_of

if TYPE_CHECKING:
    from ..._diagnosis.case import Case

ROLE = "ca_bundle"
_KINDS = ("ConfigMap", "Secret")
# Findings about caBundles with which calls work today.
_WORKING = frozenset({"WD306", "WD325"})
# Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation (ValidateCABundle, on updates of a CRD whose caBundle was valid).
_NOT_AGAIN = "the API server does not take back a caBundle that it cannot parse; nobody was served with it"
_AHEAD = "WD306 stays until what serves the webhook has a certificate of the new CA: issue that next"


@dataclass
class Wanted:
    """One object of which caBundles are to be written: its call-outs, each once, and the findings that ask for it."""

    cases: dict[str, Case] = field(default_factory=dict)
    findings: dict[str, Mapping[str, Any]] = field(default_factory=dict)


def wanted(steps: Iterable[Step]) -> dict[Reference, Wanted]:
    """The objects of the steps that write, with all call-outs of each that reach the same back end: they fail, or will fail, for the same reason."""
    found: dict[Reference, Wanted] = {}
    for step in steps:
        item = found.setdefault(step.target, Wanted())
        item.findings[step.finding["fingerprint"]] = step.finding
        for case in step.cases:
            item.cases[case.id] = case
            for other in case.cluster.cases:
                if object_of(other) == step.target and other.backend["id"] == case.backend["id"] and injector_of(other) is None:
                    item.cases[other.id] = other
    return found


def reads(request: Request, objects: Mapping[Reference, Wanted]) -> Iterator[Reference | PublicKeys]:
    for target, item in objects.items():
        yield target
        for case in item.cases.values():
            yield from (source for source, dummy in _sources(request, case))


def _named(options: Mapping[str, Any]) -> PublicKeys | None:
    """The option `source`. Raises InvalidOption."""
    told = options["source"]
    if not told:
        return None
    if not isinstance(told, Mapping) or set(told) != {"kind", "namespace", "name", "key"} or told["kind"] not in _KINDS or not all(map(str, told.values())):
        raise InvalidOption(f"source is {told!r}. Expected {{kind: {' or '.join(_KINDS)}, namespace, name, key}} of what holds the CA.")
    return PublicKeys("v1", str(told["kind"]), str(told["namespace"]), str(told["name"]), (str(told["key"]),))


def _sources(request: Request, case: Case) -> list[tuple[PublicKeys, str]]:
    """(what to read, who says that it is the source): what was named, else what the observation has read as the source of this caBundle."""
    named = _named(request.options)
    if named:
        return [(named, "as asked for")]
    return [(_keys(source), source.claimed_by) for source in case.ca_sources if source.state == "read" and source.namespace]


def _keys(source: CaSource) -> PublicKeys:
    return PublicKeys("v1", source.kind, str(source.namespace), source.name, (source.key,))


def changes(request: Request, objects: Mapping[Reference, Wanted]) -> Iterator[Change]:
    """One change for each object, and one for a person where something of it cannot be written."""
    if not objects:
        return
    try:
        verifier = Verifier(request.cluster.facts["version"], request.cluster.observed)
    except CannotVerify as error:
        for target, item in objects.items():
            yield _refused(target, item, [str(error)], item.cases)
        return
    for target, item in objects.items():
        yield from _of_object(request, verifier, target, item)


def _of_object(request: Request, verifier: Verifier, target: Reference, item: Wanted) -> Iterator[Change]:
    live = request.read(target)
    if live is None:
        why = request.unreadable(target)
        if why:
            yield _refused(target, item, [f"it cannot be read: {why}"], item.cases)
        return
    edit, done, refusals, why_done, ahead, on_trust = Edit(live), [], [], [], set(), False
    for case in item.cases.values():
        place = _place(case, edit)
        if place is None:
            continue  # it is gone, or calls somebody else by now
        outcome = _new_bundle(request, verifier, case, _decoded(edit.get(f"{place}/caBundle")))
        if outcome.text:
            _rely_on(edit, case, place)
            edit.set(f"{place}/caBundle", base64.b64encode(outcome.text.encode()).decode())
            done.append(case.id)
            why_done.append(outcome.why)
            on_trust = on_trust or outcome.on_trust
            if outcome.ahead:
                ahead.add(case.id)
        elif outcome.why:
            refusals.append((case.id, outcome.why))
    if edit:
        yield Change(
            remedy=ROLE,
            **_mending(item, ahead),
            target=target,
            action="patch",
            edit=edit,
            reason="; ".join(dict.fromkeys(why_done)),
            risk=Risk.MEDIUM if on_trust else Risk.LOW,
            callouts=tuple(done),
            irreversible=_NOT_AGAIN if target.kind == "CustomResourceDefinition" and _has(item, "WD304") else None,
            notes=(_AHEAD,) if ahead else (),
        )
    if refusals:
        yield _refused(target, item, [why for dummy, why in refusals], [case for case, dummy in refusals])


@dataclass(frozen=True)
class Outcome:
    """text: the new bundle, "" where there is none. why: where it comes from, or why it is refused; "" where nothing is to be done.

    ahead: the new CA does not vouch for what is served yet; the old one, which ends soon, still does.
    """

    text: str
    why: str
    on_trust: bool = False
    ahead: bool = False


def _new_bundle(request: Request, verifier: Verifier, case: Case, current: str) -> Outcome:
    chains = _served(case)
    if not chains:
        return Outcome(
            "", f"nobody saw what {case.id} is served, so no caBundle can be verified; diagnose with a vantage that reaches it (direct, port_forward)"
        )
    old = verifier.read(current)
    works = verifier.refusal(current, chains, case.callout["server_name"]) is None if current.strip() else False
    if works and not _codes(request, case) & _WORKING:
        if not _codes(request, case) or current != case.callout["ca_bundle"]:
            return Outcome("", "")  # nothing is wrong with this one, or somebody has mended it since
        return Outcome("", f"what {case.id} was seen to be served verifies with its caBundle: the API server is served another certificate, look at each pod")
    refusals = []
    for authorities, where, on_trust in _candidates(request, verifier, case, chains):
        if not authorities:
            refusals.append(where)
            continue
        fresh = [one for one in authorities if not one.expired(request.cluster.observed) and one.sha256 not in {other.sha256 for other in old}]
        if works and not fresh:
            refusals.append(f"{where} holds no CA that is not in the caBundle already")
            continue
        text = merged(old, authorities, request.cluster.observed, bool(request.options["drop_expired"]))
        refusal = verifier.refusal(text, chains, case.callout["server_name"])
        if refusal is None:
            ahead = works and verifier.refusal("".join(one.pem for one in fresh), chains, case.callout["server_name"]) is not None
            verified = "what is served verifies with both together" if ahead else "what is served verifies with it"
            return Outcome(text, f"{_name(case)}: the CA of {where}{_beside(old) if fresh else ''}; {verified}", on_trust, ahead)
        refusals.append(f"with the CA of {where} the API server would still refuse what is served: {refusal}")
    return Outcome("", "; ".join(refusals) or "no source of the CA is known: name it (ca_bundle_source)")


def _name(case: Case) -> str:
    return str(case.callout["webhook"] or case.callout["object"]["name"])


def _beside(old: Sequence[Authority]) -> str:
    return "" if not old else " beside the one that is there" if len(old) == 1 else f" beside the {len(old)} that are there"


def _has(item: Wanted, code: str) -> bool:
    return any(finding["code"] == code for finding in item.findings.values())


def _mending(item: Wanted, ahead: Collection[str]) -> Mending:
    """What the change mends. A CA that ends soon vouches for what is served until that is issued by the new one: to add the new one is a first step."""
    every = mending(item.findings.values())
    stay = {one["fingerprint"] for one in item.findings.values() if one["code"] == "WD306" and set(one["affects"]) & set(ahead)}
    return {**every, "fingerprints": tuple(one for one in every["fingerprints"] if one not in stay)}


def _codes(request: Request, case: Case) -> set[str]:
    return {finding["code"] for finding in request.of(*OF_THE_BUNDLE) if case.id in finding["affects"]}


def _candidates(request: Request, verifier: Verifier, case: Case, chains: Sequence[Sequence[str]]) -> Iterator[tuple[tuple[Authority, ...], str, bool]]:
    """(certificates, where they come from or why there are none, whether only what is served says so), the best source first."""
    for source, claimed_by in _sources(request, case):
        authorities = verifier.read(request.public(source))
        where = f"{source.words}, key {source.keys[0]} ({claimed_by})"
        why = request.unreadable(source)
        missing = f"{where} cannot be read: {why}" if why else f"{where} {'does not exist' if request.is_absent(source) else 'holds no certificate in PEM'}"
        yield authorities, where if authorities else missing, False
    if request.options["trust_served"] and not _named(request.options):
        authorities = served_authorities(verifier, chains)
        if authorities:
            yield authorities, "the served chain itself, which nothing else vouches for (ca_bundle_trust_served)", True


def _served(case: Case) -> list[tuple[str, ...]]:
    """The chains that any vantage was served by this back end under the name that the API server asks for."""
    same = [one for one in case.cluster.cases if one.backend["id"] == case.backend["id"] and one.callout["server_name"] == case.callout["server_name"]]
    return sorted({probe.chain for one in same for probe in one.probes if probe.chain})


# ---- where a caBundle stands in its object


def _place(case: Case, edit: Edit) -> str | None:
    """The pointer to what holds it; None where the call-out is not there any more, or calls somebody else than what was probed."""
    kind = case.callout["kind"]
    if kind == "apiservice":
        place = "/spec"
        service = edit.get("/spec/service")
    elif kind == "conversion":
        place = "/spec/conversion/webhook/clientConfig"
        service = edit.get(f"{place}/service")
    else:
        names = [entry["name"] for entry in edit.get("/webhooks", ())]
        if case.callout["webhook"] not in names:
            return None
        place = pointer("webhooks", names.index(case.callout["webhook"]), "clientConfig")
        service = edit.get(f"{place}/service")
    named = (service or {}).get("namespace"), (service or {}).get("name")
    same = named == (case.wanted.get("namespace"), case.wanted.get("name")) and edit.get(f"{place}/url") == (case.callout["client"] or {}).get("url")
    return place if same else None


def _rely_on(edit: Edit, case: Case, place: str) -> None:
    """The patch holds only for the entry and the back end whose certificate was verified."""
    if case.callout["webhook"]:
        edit.anchor(place.rpartition("/")[0] + "/name")
    edit.anchor(f"{place}/service" if edit.get(f"{place}/service") else f"{place}/url")


def _decoded(value: Any) -> str:
    """The text of a caBundle as it stands in the object; "" where it is not base64, which keeps nothing of it."""
    try:
        return base64.b64decode(str(value or ""), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _refused(target: Reference, item: Wanted, why: Iterable[str], callouts: Iterable[str]) -> Change:
    manual = tuple(dict.fromkeys(step for finding in item.findings.values() for step in finding["remedy"]["manual"]))
    return Change(
        remedy=ROLE,
        **mending(item.findings.values()),
        target=target,
        action="manual",
        reason="; ".join(dict.fromkeys(why)),
        manual=manual,
        callouts=tuple(callouts),
        part="by hand",
    )
