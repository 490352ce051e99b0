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

WD690 = Entry(
    code="WD690",
    title="The API server's loopback certificate is expired or expires soon",
    severity=Severity.ERROR,
    cause="loopback_certificate_expired",
    meaning="kube-apiserver makes a certificate for talking to itself when it starts, valid for a year (1.33 and newer: three years), and never renews it. "
    "When it ends, its controllers and "
    "admission plugins fail with `x509: certificate has expired`, and webhooks that are served through kubernetes.default.svc fail with them. From 1.36 on "
    "a liveness check then "
    "restarts the process.",
    decided="The instance was asked for the server name apiserver-loopback-client, and the subject of the certificate is `apiserver-loopback-client@<start "
    "time>`. An error once it is "
    "expired, a warning in the last 30 days.",
    confirm=("openssl s_client -connect {instance} -servername apiserver-loopback-client </dev/null 2>/dev/null | openssl x509 -noout -subject -dates",),
    fix=(
        "# Restart this kube-apiserver, one node at a time, and see that the certificate has a new start time in its subject.",
        "# kubeadm, on that node (the kubelet starts it again):",
        "crictl ps --name kube-apiserver -q | xargs crictl stop",
        "# On a managed control plane ask the provider.",
    ),
    source="k8s.io/client-go util/cert/cert.go; k8s.io/apiserver pkg/server/options/serving_with_loopback.go",
    blames="cluster",
)

ENTRIES = (WD610, WD690)
