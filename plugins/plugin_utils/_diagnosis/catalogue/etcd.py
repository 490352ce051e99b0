# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD87x: etcd is full, and what fills it. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity
from ..stored_limits import THRESHOLDS

_DELETE = (
    "# {garbage_count} of them may go without harm: of earlier revisions of Certificates that are ready, or Orders that nobody owns and that are over. The "
    "next "
    "{garbage_batch} of them:",
    "kubectl -n {garbage_namespace} delete {garbage_kind} {garbage_names} --wait=false",
    "# Not: all {garbage_kind}. What is in flight is made anew, as a new order that counts against the authority's rate limits; and not with the controller "
    "stopped: "
    "Challenges have a finalizer that only it takes off.",
)
_OVH = (
    "# {ovh}: how much is used, and of how much, in bytes (the API of your account): GET /cloud/project/<serviceName>/kube/<kubeId>/metrics/etcdUsage.",
    "# {ovh}: one node more raises the quota of a Free cluster by 25 MB at once (10 MB and 25 MB for each node, at most 400 MB; it is not taken back); a "
    "Standard "
    "cluster has an etcd of its own.",
)

WD870 = Entry(
    code="WD870",
    title="etcd is full: the cluster's storage quota is reached",
    severity=Severity.ERROR,
    cause="etcd_quota_exceeded",
    meaning="Every write to the cluster is refused; reads go on, and so do plain deletions. What depends on writes goes stale: endpoints of new pods are not "
    "recorded "
    "(`no endpoints "
    "available for service`), leases are not renewed and controllers lose their leadership, no pod is made (FailedCreate), no certificate renewed, and most "
    "events about it are lost as well. Webhooks are not at fault.",
    decided="An event or condition of the last hour holds etcd's or the provider's words: `etcdserver: mvcc: database space exceeded`, `ETCD storage quota "
    "exceeded`, "
    "`quota computation: etcdserver: not capable`, `The OVHcloud storage quota has been reached`. Call-outs whose Service selects ready pods that no "
    "EndpointSlice has stand under it.",
    confirm=(
        # A dry run is not stored, so it is not refused either.
        "kubectl -n default create configmap webhook-doctor-write-test",
        "kubectl -n default delete configmap webhook-doctor-write-test --ignore-not-found",
    ),
    fix=(
        "# Delete first: what has no finalizer can still be deleted (ConfigMaps, Secrets, CertificateRequests, ReplicaSets, Events); updates are refused, "
        "and so is "
        "deleting pods and what has a finalizer, because that is written first. Begin with what there is most of: {biggest}.",
        *_DELETE,
        "# Deleted objects make room after etcd's compaction (5 minutes) and defragmentation; {own_etcd} keeps refusing until its alarm is "
        "taken off, on a control-plane node: etcdctl defrag, then etcdctl alarm disarm.",
        *_OVH,
    ),
    source="etcd server/etcdserver/apply (quotaApplierV3, applierV3Capped); OVHcloud's documentation of the quota",
    blames="cluster",
)

WD871 = Entry(
    code="WD871",
    title="A kind of object has run away and fills etcd",
    severity=Severity.WARNING,
    cause=None,
    meaning="There are far more objects of this kind than a cluster needs, usually because whatever makes them does not remove them. They fill etcd (whose "
    "quota is 2 GiB by "
    "default, and some tens of MB on some managed clusters), and slow down everything that lists them. Once the quota is reached every write fails.",
    decided="The API server was asked how many there are (one request for each of the kinds that are known for it). It is told from these numbers on: "
    + "; ".join(f"{count} {resource}{'.' + group if group else ''}" for (group, resource), count in THRESHOLDS.items())
    + "; and on OVHcloud where a kind alone takes half of the quota.",
    confirm=("kubectl get --raw /metrics | grep {resource}", "kubectl get {resource} -A --no-headers --chunk-size=500"),
    fix=(
        "# See who makes them, and have him keep fewer (a retention, a history limit, a clean-up job); then delete the old ones.",
        "kubectl get {resource} -A --sort-by=.metadata.creationTimestamp --no-headers",
        *_OVH,
    ),
    source="OVHcloud's list of what fills quotas; metrics apiserver_resource_objects and (before 1.34) apiserver_storage_objects",
    blames="cluster",
)

WD872 = Entry(
    code="WD872",
    title="CertificateRequests, Orders or Challenges of cert-manager have run away",
    severity=Severity.WARNING,
    cause=None,
    meaning="cert-manager keeps every CertificateRequest (with its Order) for ever unless revisionHistoryLimit says otherwise (the default up to 1.17; from "
    "1.18 on it is 1), and a "
    "Certificate that never gets ready may make thousands. They fill etcd; once its quota is reached every write fails. An upgrade does not clean them up "
    "where the "
    "Certificate is not ready.",
    decided="There are at least 1000 of them and more than 10 for each Certificate (or, on OVHcloud, they take half of the quota). Which of them may go is "
    "decided by ownership: the "
    "Certificate is there, ready and not being issued, and the request is of an earlier revision.",
    confirm=(
        "kubectl get certificaterequests -A --no-headers --chunk-size=500",
        "kubectl -n {certificate_namespace} describe certificate {certificate}",
    ),
    fix=(
        "# First see to Certificates that are not ready ({unready}): as long as they are not, they make new requests.",
        "# Then let cert-manager keep one revision only; it removes the older ones of Certificates that are ready itself (for all of them from version 1.18 "
        "on).",
        'kubectl -n {certificate_namespace} patch certificate {certificate} --type merge -p \'{{"spec":{{"revisionHistoryLimit":1}}}}\'',
        *_DELETE,
        *_OVH,
    ),
    source="cert-manager pkg/controller/certificates/revisionmanager; issues 3458, 6157, 7828",
    blames="cluster",
    role="certificate_requests",
)

ENTRIES = (WD870, WD871, WD872)
