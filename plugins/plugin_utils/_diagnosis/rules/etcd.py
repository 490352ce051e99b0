# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD870 to WD872: etcd's quota, and what fills it. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..catalogue import etcd as catalogue
from ..certificate_garbage import CURRENT, OWNER_STAYS, Garbage, judge_garbage
from ..finding import Finding, Subject
from ..severity import Severity
from ..stored import MB, certificate_run_away, ovh_quota, run_away, stored_kinds
from ..text import listing

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster import Cluster

_BATCH = 50  # names of one command
_RESOURCES = {"CertificateRequest": "certificaterequests", "Order": "orders", "Challenge": "challenges"}


def quota_is_reached(cluster: Cluster) -> Iterator[Finding]:
    texts = [text for text in cluster.texts if text.current and text.said["cause"] == "etcd_quota_exceeded"]
    if not texts:
        return
    stale = [case for case in cluster.cases if _endpoints_are_not_written(case)]
    kinds = stored_kinds(cluster)
    garbage = _garbage(cluster)
    found = catalogue.WD870.found(
        Subject(kind="etcd", name=str(cluster.facts["source"]["cluster"])),
        [
            *(text.line() for text in texts[-3:]),
            *(f"Service {case.wanted['namespace']}/{case.wanted['name']} selects ready pods, and no EndpointSlice has them" for case in stale[:3]),
            *([f"stored: {listing([one.line() for one in kinds if one.count], 6)}"] if any(one.count for one in kinds) else []),
            *_quota_line(cluster),
            *_garbage_lines(garbage),
        ],
        affects=[case.id for case in stale],
        severity=Severity.ERROR,
        root="etcd quota",
        values={"biggest": listing([one.line() for one in kinds if one.count], 3) or None, **_garbage_values(garbage), **_place(cluster)},
    ).explaining("WD103", "WD104")
    yield replace(found, impact="every write to the cluster")


def _endpoints_are_not_written(case: Case) -> bool:
    """Whether ready pods stand behind a Service without any usable endpoint: whoever writes EndpointSlices does not get them written."""
    return case.without_endpoints and any(pod["ready"] and not pod["terminating"] for pod in case.backend.get("pods") or ())


def kind_has_run_away(cluster: Cluster) -> Iterator[Finding]:
    for one in run_away(cluster):
        yield catalogue.WD871.found(
            Subject(kind="etcd", name=one.name),
            [f"there are {one.line()}", *_quota_line(cluster)],
            root=f"stored {one.name}",
            values={"resource": one.name, **_place(cluster)},
        )


def certificates_have_run_away(cluster: Cluster) -> Iterator[Finding]:
    kinds = certificate_run_away(cluster)
    if not kinds:
        return
    store = cluster.apps["certificate_store"]
    certificates = {(one["namespace"], one["name"]): one for one in store["certificates"]}
    owners = Counter((one["namespace"], one["owner"]["name"]) for one in store["objects"] if one["kind"] == "CertificateRequest" and one["owner"])
    most = owners.most_common(3)
    owned = next((one.count for one in stored_kinds(cluster) if one.resource == "certificates"), len(certificates))
    unready = [f"{namespace}/{name}" for (namespace, name), dummy in owners.most_common() if not certificates.get((namespace, name), {"ready": True})["ready"]]
    limitless = next((key for key, dummy in owners.most_common() if key in certificates and certificates[key]["history_limit"] is None), None)
    garbage = _garbage(cluster)
    yield catalogue.WD872.found(
        Subject(kind="etcd", name="certificaterequests.cert-manager.io"),
        [
            f"there are {listing([one.line() for one in kinds])}{f', for {owned} Certificates' if owned else ''}",
            *(f"{count} CertificateRequests of Certificate {namespace}/{name}" for (namespace, name), count in most),
            *_quota_line(cluster),
            *_garbage_lines(garbage),
        ],
        root="stored certificaterequests",
        values={
            "unready": unready or None,
            "certificate": limitless[1] if limitless else None,
            "certificate_namespace": limitless[0] if limitless else None,
            **_garbage_values(garbage),
            **_place(cluster),
        },
    )


def _place(cluster: Cluster) -> dict[str, object]:
    """Whose etcd it is: steps for another one are left out."""
    return {"ovh": "OVHcloud" if "ovh" in cluster.platform else None, "own_etcd": None if cluster.platform.managed else "an etcd of one's own then"}


def _quota_line(cluster: Cluster) -> list[str]:
    quota, size = ovh_quota(cluster), (cluster.apps.get("etcd") or {}).get("bytes")
    lines = [f"etcd's file has {size / MB:.0f} MB (with what was deleted and not yet defragmented)"] if size else []
    if not quota:
        return lines
    nodes = cluster.facts["platform"]["node_count"]
    return [*lines, f"OVHcloud: the quota of a Free cluster with {nodes} nodes is {quota // MB} MB ({listing(cluster.platform.because('ovh'), 1)})"]


def _garbage(cluster: Cluster) -> Garbage:
    store = cluster.apps.get("certificate_store") or {}
    sizes = {
        kind: one["mean_bytes"] for one in store.get("stored") or () for kind, plural in _RESOURCES.items() if plural == one["resource"] and one["mean_bytes"]
    }
    return judge_garbage(store.get("certificates") or (), store.get("objects") or (), sizes)


def _garbage_lines(garbage: Garbage) -> Iterator[str]:
    if garbage.deletable:
        counts = listing([f"{count} {_RESOURCES[kind]}" for kind, count in sorted(garbage.counts().items())])
        along = f", with {len(garbage.with_them)} Orders and Challenges that they own" if garbage.with_them else ""
        freed = f"; that frees about {garbage.freed / MB:.1f} MB" if garbage.freed else ""
        yield f"{counts} may be deleted without harm{along}{freed}"
    for reason, keys in garbage.kept.items():
        if reason not in (OWNER_STAYS, CURRENT):
            yield f"{len(keys)} stay: {reason} (such as {keys[0][0]} {keys[0][1]}/{keys[0][2]})"


def _garbage_values(garbage: Garbage) -> dict[str, object]:
    """The first batch of what may go: one kind in one namespace, the one that has most of it."""
    if not garbage.deletable:
        return {}
    (kind, namespace), dummy = Counter((kind, namespace) for kind, namespace, name in garbage.deletable).most_common(1)[0]
    names = [name for of_kind, of_namespace, name in garbage.deletable if (of_kind, of_namespace) == (kind, namespace)][:_BATCH]
    return {
        "garbage_count": len(garbage.deletable),
        "garbage_batch": len(names),
        "garbage_namespace": namespace,
        "garbage_kind": _RESOURCES[kind],
        "garbage_names": names,
    }


CASE_RULES = ()
CLUSTER_RULES = (quota_is_reached, kind_has_run_away, certificates_have_run_away)
