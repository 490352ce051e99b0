# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD6xx: the API server itself. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

WD605 = Entry(
    code="WD605",
    title="NO_PROXY of an API server does not cover what it calls",
    severity=Severity.WARNING,
    cause=None,
    meaning="The API server has HTTPS_PROXY in its environment, and its NO_PROXY leaves calls within the cluster to the proxy. Nothing that was seen "
    "fails because of "
    "it, but these calls depend on the proxy: as soon as it does not let them pass, all of them fail (WD220).",
    decided="NO_PROXY is read by Go's rules, and held against the call-outs of this cluster: webhooks are recognised by `<service>.<namespace>.svc` up to 1.36 "
    "(only a domain helps, CIDRs and .cluster.local do not) and by the dialled address from 1.37 on, aggregated APIs always by address, the API server "
    "itself by "
    "--bind-address. Nothing is said where no call-out needs it, or where calls fail already.",
    confirm=(
        "kubectl -n kube-system get pods -l component=kube-apiserver -o yaml | grep -i -A1 _proxy",
        "# On a control-plane node:",
        "tr '\\0' '\\n' < /proc/$(pgrep -xo kube-apiserver)/environ | grep -i _proxy",
    ),
    fix=(
        "# Add to NO_PROXY: {missing}.",
        "# {where}.",
        "ansible-playbook -i inventory.ini kubeops.webhook_doctor.no_proxy -e {no_proxy_part} --check --diff",
        "# Or take the proxy out of the API server's environment: it needs one only for URL webhooks, an OIDC issuer or a cloud's API outside.",
    ),
    source="golang.org/x/net/http/httpproxy; k8s.io/apiserver pkg/util/webhook/client.go; kube-aggregator pkg/apiserver/handler_proxy.go",
    blames="cluster",
)

WD606 = Entry(
    code="WD606",
    title="A component of the control plane reaches the API server through a proxy",
    severity=Severity.WARNING,
    cause=None,
    meaning="kube-controller-manager or kube-scheduler has HTTPS_PROXY in its environment, and its NO_PROXY covers no address of the API server. Where "
    "the proxy does "
    "not let it pass nobody is elected: nothing is scheduled, no pod replaced, no namespace deleted.",
    decided="The pod is visible (kubeadm's static pods), and NO_PROXY, read by Go's rules, covers neither the control plane's endpoint of kubeadm-config nor "
    "the API server of the same node.",
    confirm=(
        "kubectl -n kube-system get pods -l component={component} -o yaml | grep -i -A1 _proxy",
        "kubectl -n kube-system get lease {component} -o yaml",
    ),
    fix=(
        "# Add to NO_PROXY, or take the proxy variables out: {missing}.",
        "# On every control-plane node, one at a time: the manifest of that component in /etc/kubernetes/manifests; the kubelet restarts it.",
        "ansible-playbook -i inventory.ini kubeops.webhook_doctor.no_proxy -e no_proxy_manifests=complete --check --diff",
    ),
    source="cmd/kubeadm/app/util/env.go GetProxyEnvVars; golang.org/x/net/http/httpproxy",
    blames="cluster",
)

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
_FIRST = "# {dead_webhooks}."
_ROTATE = (
    "# {playbook} does it one instance at a time, behind guards, and proves it (docs/rotating.md). inventory.ini: your control-plane hosts, in a group "
    "kube_control_plane.",
    "ansible-playbook -i inventory.ini {playbook} --check",
)
_RESTART = (
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
    fix=("# Restart them on different days, so that they never end together again.", _FIRST, *_RESTART),
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
    confirm=(_READ, "kubectl --server https://{livez_instance} get --raw /livez/loopback-serving-certificate"),
    fix=(_FIRST, *_ROTATE, *_RESTART),
    source="k8s.io/client-go util/cert/cert.go; k8s.io/apiserver pkg/server/options/serving_with_loopback.go; kubernetes/kubernetes#86552, #121580, "
    "#130047, #136477",
    blames="cluster",
)

ENTRIES = (WD601, WD605, WD606, WD610, WD690)
