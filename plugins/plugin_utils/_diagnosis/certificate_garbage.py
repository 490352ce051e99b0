# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CertificateRequests, Orders and Challenges may be deleted without harm. Pure. PRIVATE to the collection.

A Certificate owns its CertificateRequests, each of these its Order, that its Challenges; what is owned goes with its owner. A request may go if its
Certificate is there, ready and not being issued, and the request is of an earlier revision than the one that is in use: then nobody looks at it again.
Whatever is in flight stays, because a request that is deleted is made anew, and counts as a new order against the authority's limits. So do all requests of
a Certificate that was never ready: what keeps it from that has to be mended first.
Source: cert-manager pkg/controller/certificates/revisionmanager (the same rule, for Certificates with a revisionHistoryLimit), docs of ownership.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CURRENT = "it is the current revision, or one of those that are kept"
OWNER_STAYS = "its owner stays"
KEEP = 1  # newest revisions of each Certificate beside which the older ones may go

Key = tuple[str, str, str]  # kind, namespace, name


@dataclass(frozen=True)
class Garbage:
    """deletable: what may be deleted, by kind, namespace and name; with_them: what goes along, because it is owned by one of these.

    kept: reason -> what stays because of it. freed: about so many bytes, None where no size is known.
    """

    deletable: tuple[Key, ...] = ()
    with_them: tuple[Key, ...] = ()
    kept: Mapping[str, tuple[Key, ...]] = field(default_factory=dict)
    freed: int | None = None

    def counts(self) -> Counter[str]:
        return Counter(kind for kind, dummy, other in self.deletable)


def judge_garbage(
    certificates: Iterable[Mapping[str, Any]], objects: Sequence[Mapping[str, Any]], mean_bytes: Mapping[str, int] | None = None, keep: int = KEEP
) -> Garbage:
    """Judge `certificates` and `objects` of `apps.certificate_store`. mean_bytes: kind -> about how big one is in etcd. keep: newest revisions that stay."""
    by_uid = {one["uid"]: one for one in certificates if one["uid"]}
    by_name = {(one["namespace"], one["name"]): one for one in certificates}
    present = {one["uid"] for one in objects if one["uid"]}
    newest = {key: revisions[:keep] for key, revisions in _newest(objects).items()}
    ordering = {one["owner_uid"] for one in objects if one["kind"] == "Order" and one["state"] == "pending" and one["owner_uid"]}
    deletable: list[Key] = []
    gone: set[str] = set()
    kept: dict[str, list[Key]] = defaultdict(list)
    for one in objects:
        if one["kind"] == "CertificateRequest":
            reason = _request_stays(one, by_uid, by_name, newest) or ("its Order is in flight" if one["uid"] in ordering else None)
        elif one["kind"] == "Order" and not one["owner"]:
            reason = _orphan_stays(one)
        else:
            continue
        if reason:
            kept[reason].append(_key(one))
        else:
            deletable.append(_key(one))
            gone.add(one["uid"] or "")
    with_them: list[Key] = []
    for kind in ("Order", "Challenge"):  # the owner of a Challenge is an Order
        for one in objects:
            if one["kind"] != kind or (not one["owner"] and kind == "Order"):  # judged above
                continue
            if one["owner_uid"] and one["owner_uid"] in gone:
                with_them.append(_key(one))
                gone.add(one["uid"] or "")
            elif one["owner"]:
                kept[OWNER_STAYS if one["owner_uid"] in present else "its owner is not there: the garbage collector will see to it"].append(_key(one))
            elif kind == "Challenge":
                kept["nobody owns it"].append(_key(one))
    sizes = mean_bytes or {}
    known = [sizes[kind] for kind, dummy, other in (*deletable, *with_them) if kind in sizes]
    return Garbage(tuple(sorted(deletable)), tuple(sorted(with_them)), {why: tuple(sorted(kept[why])) for why in sorted(kept)}, sum(known) if known else None)


def _newest(objects: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str | None], list[int]]:
    """The revisions of each Certificate's requests, newest first."""
    found: dict[tuple[str, str | None], set[int]] = defaultdict(set)
    for one in objects:
        if one["kind"] == "CertificateRequest" and one["owner"] and one["revision"] is not None:
            found[(one["namespace"], one["owner"]["name"])].add(one["revision"])
    return {key: sorted(revisions, reverse=True) for key, revisions in found.items()}


def _request_stays(
    one: Mapping[str, Any],
    by_uid: Mapping[str, Mapping[str, Any]],
    by_name: Mapping[tuple[str, str], Mapping[str, Any]],
    newest: Mapping[tuple[str, str | None], list[int]],
) -> str | None:
    """Why a CertificateRequest must stay; None where it may go."""
    if one["deleting"]:
        return "it is being deleted"
    owner = one["owner"]
    if not owner or owner["kind"] != "Certificate":
        return "no Certificate owns it: somebody made it and may still read it"
    certificate = by_uid.get(one["owner_uid"]) or (by_name.get((one["namespace"], owner["name"])) if not one["owner_uid"] else None)
    if certificate is None:
        return "its Certificate is not there: the garbage collector will see to it"
    if certificate["issuing"]:
        return "its Certificate is being issued"
    if not certificate["ready"]:
        return "its Certificate is not ready: mend that first, else it is made again"
    if one["revision"] is None or certificate["revision"] is None:
        return "which revision it is of is not known"
    if one["state"] == "pending":
        return "it is in flight"
    if one["revision"] >= certificate["revision"] or one["revision"] in newest[(one["namespace"], owner["name"])]:
        return CURRENT
    return None


def _orphan_stays(order: Mapping[str, Any]) -> str | None:
    if order["deleting"]:
        return "it is being deleted"
    return None if order["state"] == "finished" else "an Order that nobody owns, and that is not known to be over"


def _key(one: Mapping[str, Any]) -> Key:
    return (str(one["kind"]), str(one["namespace"]), str(one["name"]))
