# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD6xx: the API server itself. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

WD610 = Entry(
    code="WD610",
    title="One API server fails to call what another calls without trouble",
    severity=Severity.ERROR,
    cause=None,
    meaning="Call-outs fail at one API server instance and work at another. Behind a load balancer requests fail by turns. The fault is at that instance: "
    "its network, its firewall, proxy "
    "variables in its environment, its clock or its start options, not the webhooks.",
    decided="Each instance was asked by itself for the same call-outs; at this one all fail that work elsewhere.",
    confirm=(
        "kubectl -n kube-system get pods -l component=kube-apiserver -o wide",
        "kubectl --server https://{instance} get --raw /readyz",
    ),
    fix=(
        "# Compare this instance with a good one: manifest, flags, environment, routes, firewall, time.",
        "kubectl -n kube-system get pods -l component=kube-apiserver -o yaml",
    ),
    source="the differential verdict (docs/architecture.md)",
    blames="cluster",
)

# How to restart one instance, for every entry that ends in that. {restart} and the values of its commands: restart.py.
_RESTART = (
    "# {dead_webhooks}.",
    "# {restart}.",
    "crictl stop --timeout {stop_seconds} $(crictl ps --name kube-apiserver --quiet)",
    "crictl --config {rke2_crictl} stop --timeout {rke2_seconds} $(crictl --config {rke2_crictl} ps --name kube-apiserver --quiet)",
    "kubectl patch kubeapiserver/cluster --type=merge --patch {redeployment_patch}",
    "# One instance at a time, the worst first: go on only when the number in the subject is newer (a new process) and /readyz of its own address is 200.",
)
_READ = "openssl s_client -connect {instance} -servername apiserver-loopback-client </dev/null 2>/dev/null | openssl x509 -noout -subject -dates"

WD601 = Entry(
    code="WD601",
    title="Several API servers were started together, and their loopback certificates end on the same day",
    severity=Severity.INFO,
    cause=None,
    meaning="The certificate by which kube-apiserver talks to itself lives as long as was set when the process started. Instances that were started "
    "together lose it "
    "together: up to 1.35 all of them fail alike, from 1.36 on their liveness probes restart all of them at once, uncoordinated.",
    decided="The certificates of several instances, read with the server name apiserver-loopback-client, end within 24 hours, in less than 90 days. "
    "Closer to the end WD690 says it of each.",
    confirm=(_READ,),
    fix=("# Restart them on different days, so that they never end together again.", *_RESTART),
    source="k8s.io/apiserver pkg/server/options/serving_with_loopback.go",
    blames="cluster",
)

WD690 = Entry(
    code="WD690",
    title="The API server's loopback certificate is expired or expires soon",
    severity=Severity.ERROR,
    cause="loopback_certificate_expired",
    meaning="kube-apiserver makes a certificate for talking to itself when it starts (for 365 days up to 1.32, 1,096 days from 1.33 on, other times with some "
    "providers) and never renews it; it is on no disk, and no check of certificates on disk sees it. When it ends, live look-ups of its admission "
    "plugins fail with "
    "`x509: certificate has expired` (creating pods where a ResourceQuota or LimitRange is), its informers stop as soon as their connection breaks, "
    "and webhooks "
    "that are served through kubernetes.default.svc fail. Only requests that meet this instance are hit. From 1.36 on a livez check goes red an hour "
    "after the end, "
    "and a liveness probe then restarts the process.",
    decided="The instance was asked for the server name apiserver-loopback-client, and the subject of the certificate is `apiserver-loopback-client@<start "
    "time>`; or the API server's own words of the last hour say that a call to itself failed so, and no good certificate was read since. "
    "An error once it is expired, a warning in the last 30 days. k3s (port 6443) and the supervisor of RKE2 (9345) are never asked: their listener "
    "would put the "
    "name into the cluster's certificate.",
    confirm=(_READ, "kubectl --server https://{instance} get --raw /livez/loopback-serving-certificate"),
    fix=_RESTART,
    source="k8s.io/client-go util/cert/cert.go; k8s.io/apiserver pkg/server/options/serving_with_loopback.go; kubernetes/kubernetes#86552, #121580, "
    "#130047, #136477",
    blames="cluster",
)

ENTRIES = (WD601, WD610, WD690)
