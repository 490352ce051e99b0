# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certificate_requests: those of cert-manager's records that nobody needs any more are deleted, in batches. Pure. PRIVATE to the collection.

Which may go is decided by _diagnosis/certificate_garbage.py, from objects that are read for it with their status: what is in flight stays, and so does
everything of a Certificate that is not ready. So that it does not come back, Certificates with too many get a revisionHistoryLimit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.certificate_records import REVISION, certificate_record, request_record

from ..._diagnosis.certificate_garbage import CURRENT, OWNER_STAYS, Garbage, judge_garbage
from ..._diagnosis.text import listing
from ..change import Change, Risk
from ..edit import Edit, pointer
from ..planner import Planner
from ..reference import Reference, Selection
from ..request import Request, switch, whole

ROLE = "certificate_requests"
CODES = ("WD870", "WD872")
_GROUP, _ACME = "cert-manager.io/v1", "acme.cert-manager.io/v1"
_KINDS = {"CertificateRequest": _GROUP, "Order": _ACME, "Challenge": _ACME}
_CERTIFICATES = Selection(_GROUP, "Certificate")
# Requests and certificates themselves are big, and decide nothing.
_FIELDS = (
    "/metadata/ownerReferences",
    "/metadata/deletionTimestamp",
    pointer("metadata", "annotations", REVISION),
    "/status/conditions",
    "/status/state",
)
# From this version on what has no revisionHistoryLimit has 1. Source: cert-manager's release notes of 1.18.
_LIMITS_ITSELF = (1, 18, 0)
_SHOWN = 3
_IRREVERSIBLE = (
    "they are records of certificates that were issued or refused: nobody reads them again, keys and certificates are in Secrets, which stay, and "
    "cert-manager makes new records when it issues again"
)


def reads(request: Request) -> Iterator[Selection]:
    if _codes(request):
        yield _CERTIFICATES
        yield from _records()


def plan(request: Request) -> Iterator[Change]:
    codes = _codes(request)
    if not codes:
        return
    keep = whole(request.options, "keep", 1, 100, "revisions")
    size = whole(request.options, "batch_size", 1, 500, "objects")
    limit = switch(request.options, "limit")
    for selection in (_CERTIFICATES, *_records()):
        error = request.unreadable(selection)
        if error:
            yield _unreadable(selection, error, codes)
            return
    certificates = [certificate_record(dict(item)) for item in request.select(_CERTIFICATES)]
    # They were read with their status: what has none has not been begun.
    records = [{**one, "state": one["state"] or "pending"} for selection in _records() for one in map(request_record, map(dict, request.select(selection)))]
    garbage = judge_garbage(certificates, records, keep=keep)
    batches = list(_batches(request, garbage, records, codes, size))
    yield from batches
    if limit:
        yield from _limits(request, records, codes, keep, batches)
    yield from _not_ready(certificates, records, codes, keep)


def _codes(request: Request) -> tuple[str, ...]:
    """The findings that these records are the cause of: of a full etcd where there are so many that the diagnosis has looked at each."""
    many = bool((request.cluster.apps.get("certificate_store") or {}).get("objects"))
    return tuple(sorted({finding["code"] for finding in request.of(*CODES) if finding["code"] == "WD872" or many}))


def _records() -> list[Selection]:
    return [Selection(api_version, kind, fields=_FIELDS) for kind, api_version in _KINDS.items()]


# ---- deleting


def _batches(request: Request, garbage: Garbage, records: Sequence[Mapping[str, Any]], codes: tuple[str, ...], size: int) -> Iterator[Change]:
    before = Counter(one["kind"] for one in records)
    after = before - Counter(kind for kind, dummy, other in (*garbage.deletable, *garbage.with_them))
    for kind in _KINDS:
        references = [Reference(_KINDS[kind], kind, name, namespace) for of_kind, namespace, name in garbage.deletable if of_kind == kind]
        batches = [tuple(references[start : start + size]) for start in range(0, len(references), size)]
        for number, targets in enumerate(batches, 1):
            yield Change(
                remedy=ROLE,
                codes=codes,
                fingerprints=(),
                target=targets[0],
                targets=targets,
                action="delete",
                reason=f"batch {number} of {len(batches)}: {len(targets)} of {len(references)} {kind}s that nobody needs any more ({_count(before)} before, "
                f"{_count(after)} after all batches)",
                risk=Risk.HIGH,
                part=f"batch-{number}",
                irreversible=_IRREVERSIBLE,
                uncontested=True,
                notes=tuple(_notes(request, garbage)) if number == 1 else (),
            )


def _count(counts: Mapping[str, int]) -> str:
    return listing([f"{counts.get(kind, 0)} {kind}s" for kind in _KINDS])


def _notes(request: Request, garbage: Garbage) -> Iterator[str]:
    along = Counter(kind for kind, dummy, other in garbage.with_them)
    if along:
        yield f"what they own goes along: {_count(along)}"
    if along["Challenge"] and not any(one.runs for one in request.cluster.cert_manager.components("controller")):
        yield "cert-manager's controller does not run, and only it takes the finalizer off Challenges: they go once it runs again"
    for reason, keys in garbage.kept.items():
        if reason not in (OWNER_STAYS, CURRENT):
            yield f"{len(keys)} stay: {reason} (such as {keys[0][0]} {keys[0][1]}/{keys[0][2]})"


# ---- keeping fewer


def _limits(request: Request, records: Sequence[Mapping[str, Any]], codes: tuple[str, ...], keep: int, batches: Sequence[Change]) -> Iterator[Change]:
    versions = [one.version for one in request.cluster.cert_manager.components("controller")]
    if keep == 1 and versions and all(version and version >= _LIMITS_ITSELF for version in versions):
        return
    owned = _owned(records)
    for item in request.select(_CERTIFICATES):
        certificate = certificate_record(dict(item))
        number = owned[(certificate["namespace"], certificate["name"])]
        if certificate["history_limit"] is not None or number <= keep:
            continue
        edit = Edit(item)
        edit.set("/spec/revisionHistoryLimit", keep)
        yield Change(
            remedy=ROLE,
            codes=codes,
            fingerprints=(),
            target=Reference.of(item),
            action="patch",
            edit=edit,
            reason=f"it has {number} CertificateRequests and no limit: once it is ready cert-manager removes all but the newest {keep} itself",
            risk=Risk.MEDIUM,  # what cert-manager has removed then no rollback brings back
            after_=tuple(batch.id for batch in batches) if "WD870" in codes else (),  # a full etcd refuses updates
            notes=tuple(_made_from(item)),
        )


def _owned(records: Sequence[Mapping[str, Any]]) -> Counter[tuple[str, str]]:
    """(namespace, name) of a Certificate -> how many CertificateRequests it has."""
    return Counter((one["namespace"], one["owner"]["name"]) for one in records if one["kind"] == "CertificateRequest" and one["owner"])


def _made_from(certificate: Mapping[str, Any]) -> Iterator[str]:
    for owner in certificate["metadata"].get("ownerReferences") or ():
        if owner["kind"] in ("Ingress", "Gateway"):
            yield (
                f"it is made from {owner['kind']} {owner['name']}, whose next change takes the limit away: set the annotation "
                "cert-manager.io/revision-history-limit there"
            )


def _not_ready(certificates: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]], codes: tuple[str, ...], keep: int) -> Iterator[Change]:
    owned = _owned(records)
    found = [(owned[(one["namespace"], one["name"])], one["namespace"], one["name"]) for one in certificates if not one["ready"]]
    found = sorted((one for one in found if one[0] > keep), reverse=True)
    if found:
        names = [f"{namespace}/{name} ({number})" for number, namespace, name in found]
        yield Change(
            remedy=ROLE,
            codes=codes,
            fingerprints=(),
            target=Reference(_GROUP, "Certificate", found[0][2], found[0][1]),
            action="manual",
            reason=f"the CertificateRequests of Certificates that are not ready stay, because they would be made again: {listing(names)}",
            manual=(
                "# See why they are not ready, mend that, then plan again.",
                *(f"kubectl -n {namespace} describe certificate {name}" for dummy, namespace, name in found[:_SHOWN]),
            ),
            part="not-ready",
        )


def _unreadable(selection: Selection, error: str, codes: tuple[str, ...]) -> Change:
    return Change(
        remedy=ROLE,
        codes=codes,
        fingerprints=(),
        target=Reference("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{selection.kind.lower()}s.{selection.api_version.partition('/')[0]}"),
        action="manual",
        reason=f"the {selection.kind}s could not be read: {error}",
        manual=("# Apply docs/rbac/remediate-certificate_requests.yaml.",),
    )


PLANNER = Planner(ROLE, CODES, reads, plan, {"keep": 1, "batch_size": 100, "limit": True})
