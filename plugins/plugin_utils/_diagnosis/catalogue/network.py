# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD2xx: the way from the API server to the back end. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_NET = "Go net; k8s.io/apiserver pkg/util/webhook/client.go"
_LISTENS = "kubectl -n {pod_namespace} exec {pod} -- ss -ltn"

WD201 = Entry(
    code="WD201",
    title="Nothing listens on the port",
    severity=Severity.ERROR,
    cause="connection_refused",
    meaning="The connection is refused: the address exists, and no process listens there. The pod is ready without listening on the Service's targetPort, "
    "the process listens on "
    "another port or only on localhost, or with hostNetwork the port was taken.",
    decided="The API server says `connection refused` although the Service has ready endpoints; or, where it cannot be asked, its service proxy is refused "
    "too, or port-forward "
    "is (the process itself), or this host is while it reaches other pods.",
    confirm=(
        "kubectl -n {namespace} get endpointslice -l {slices} -o wide",
        _LISTENS,
        "curl -vk https://{endpoint}/ --connect-timeout 3",
    ),
    fix=(
        "# Make the process, the container port and the Service's targetPort agree; let the readiness probe ask the port that serves the webhook.",
        "kubectl -n {namespace} get service {service} -o yaml",
        "kubectl -n {pod_namespace} logs {pod} --all-containers --tail=50",
    ),
    source=_NET,
)

WD204 = Entry(
    code="WD204",
    title="The webhook's host name does not resolve",
    severity=Severity.ERROR,
    cause="dns_failure",
    meaning="The host in the URL of the webhook does not resolve where the API server runs. URL webhooks use the DNS of the control-plane host, not the "
    "cluster's.",
    decided="The API server says `no such host` or `server misbehaving`; or, where it cannot be asked, a host inside the cluster's network cannot resolve "
    "it either.",
    confirm=("# On a control-plane node:", "getent hosts {url_host}"),
    fix=(
        "# Correct the name, or add it to the DNS that the control-plane hosts use. For something inside the cluster use clientConfig.service instead.",
        "kubectl edit {resource} {config}",
    ),
    source=_NET,
)

WD205 = Entry(
    code="WD205",
    title="The provider's control plane refuses the address",
    severity=Severity.ERROR,
    cause="address_not_allowed",
    meaning="The managed control plane only dials addresses of its own network. On EKS, pods of an overlay network (not addressed by the VPC CNI) are such "
    "that it cannot reach.",
    decided="The API server says `Address is not allowed`.",
    confirm=("kubectl -n {namespace} get endpointslice -l {slices} -o wide", "kubectl get nodes -o wide"),
    fix=(
        "# Let the webhook's pods use the node's network (hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet) on a port that is free on every node.",
        "# Not possible on Fargate; there the pod must get an address of the VPC.",
    ),
    source="EKS; not upstream",
)

WD206 = Entry(
    code="WD206",
    title="The connection is closed before TLS",
    severity=Severity.ERROR,
    cause="connection_closed",
    meaning="Something accepts the connection and drops it before a handshake: a sidecar or proxy that demands mTLS, a load balancer without a target, a "
    "process that is just going "
    "down, a tunnel that breaks.",
    decided="The API server says `connection reset by peer` or `EOF`, and no vantage got as far as a certificate.",
    confirm=("openssl s_client -connect {endpoint} -servername {server_name} </dev/null", "kubectl -n {pod_namespace} logs {pod} --all-containers --tail=50"),
    fix=(
        "# Find who accepts the connection: a mesh sidecar with strict mTLS must let the API server's plain TLS through on this port, or stay out of the pod.",
        "kubectl -n {pod_namespace} get pod {pod} -o jsonpath='{{.spec.containers[*].name}}'",
    ),
    source=_NET,
)

WD210 = Entry(
    code="WD210",
    title="Packets to the back end are dropped",
    severity=Severity.ERROR,
    cause="connect_timeout",
    meaning="Nothing answers the API server's attempt to connect: a firewall or security group without a rule for the pod's port, a NetworkPolicy that "
    "does not admit the control "
    "plane, or a pod network that does not reach it.",
    decided="The API server runs out of time (`context deadline exceeded`, `i/o timeout`), and other vantages tell the phase: its service proxy or a host "
    "that reaches pods gets no "
    "answer to TCP connect, or the process answers in time to somebody else.",
    confirm=(
        "# On a control-plane node (curl says whether it hangs at connecting):",
        "curl -vk https://{endpoint}{path} --connect-timeout 5",
        "kubectl -n {namespace} get networkpolicy",
    ),
    fix=(
        "# Allow TCP from the control plane to {endpoint}: the rule needs the pod's port, not the Service's.",
        "# GKE private cluster: a firewall rule from the control plane's CIDR to the nodes. EKS: the node security group. Elsewhere: host firewall, CNI "
        "routes.",
        "# A NetworkPolicy has to admit the control plane's addresses, with konnectivity the konnectivity-agent pods.",
        "kubectl -n {namespace} get networkpolicy -o yaml",
    ),
    source=_NET,
)

WD211 = Entry(
    code="WD211",
    title="There is no route to the back end",
    severity=Severity.ERROR,
    cause="no_route",
    meaning="The control plane's host, or a router on the way, says that the address cannot be reached: pod addresses that are not routed to it, or a rule "
    "that rejects.",
    decided="The API server says `no route to host` or `network is unreachable`; or its service proxy does.",
    confirm=("# On a control-plane node:", "ip route get {address}"),
    fix=(
        "# Route the pod network to the control plane (CNI, BGP, VPC routes), or let the webhook's pods use the node's network.",
        "kubectl get pods -A -o wide --field-selector spec.nodeName={node}",
    ),
    source=_NET,
)

WD212 = Entry(
    code="WD212",
    title="The call runs out of time",
    severity=Severity.ERROR,
    cause="deadline_exceeded",
    meaning="The API server gave up after timeoutSeconds, and nothing tells in which phase: connecting, TLS, or waiting for the answer.",
    decided="The API server says `context deadline exceeded`, and no other vantage could watch the same back end, or all of them get a quick answer.",
    confirm=(
        "# On a control-plane node (curl shows the phase in which it hangs):",
        "curl -vk https://{endpoint}{path} --max-time {timeout}",
        "kubectl -n {namespace} get endpointslice -l {slices} -o wide",
    ),
    fix=(
        "# Let the API server say in which phase it hangs: with a longer time limit Go's own limits end first. Then make the request again.",
        "kubectl patch {resource} {config} --type=json -p {longer}",
        "# Diagnose again with more vantages (rights for the service proxy and port-forward, or from a control-plane node).",
        "# If all of them are quick: look at the hop that only the API server takes, kube-proxy on its node and proxies in its environment.",
    ),
    source=_NET,
)

WD220 = Entry(
    code="WD220",
    title="A forward proxy stands between the API server and its webhooks",
    severity=Severity.ERROR,
    cause="proxied",
    meaning="The API server has HTTPS_PROXY in its environment and sends calls of webhooks there. The proxy cannot resolve `<service>.<namespace>.svc`, or "
    "intercepts TLS with a "
    "certificate of its own. Every webhook fails alike, healthy ones too; what else is wrong with them shows when the proxy is out of the way.",
    decided="After the URL the API server's text has nothing but a phrase that is none of Go's (`Service Unavailable`, `Unable to connect`: the proxy's "
    "answer to CONNECT); or it calls "
    "the authority unknown for several back ends whose certificates verify from everywhere else. Such a phrase counts for nothing where the "
    "environment of every API server could be seen, and none has a proxy.",
    confirm=(
        "kubectl -n kube-system get pods -l component=kube-apiserver -o yaml | grep -i -A1 _proxy",
        "# On a control-plane node:",
        "tr '\\0' '\\n' < /proc/$(pgrep -xo kube-apiserver)/environ | grep -i _proxy",
    ),
    fix=(
        "# On every control-plane node: let NO_PROXY in the environment of kube-apiserver cover its webhooks, then let the kubelet restart it.",
        "# It lacks at least {missing}.",
        "# Up to 1.36 it needs .svc (CIDRs, .cluster.local and .svc.cluster.local do not help); from 1.37 on also the Service and pod CIDRs. Set all of them.",
        "# {where}.",
        "ansible-playbook -i inventory.ini kubeops.webhook_doctor.no_proxy -e {no_proxy_part} --check --diff",
    ),
    source="k8s.io/apiserver pkg/util/webhook/client.go; golang.org/x/net/http/httpproxy; kubernetes/kubernetes#107446",
    blames="cluster",
)

WD221 = Entry(
    code="WD221",
    title="The tunnel from the API server to the nodes fails",
    severity=Severity.ERROR,
    cause="egress_proxy",
    meaning="The API server reaches nodes through an egress proxy (konnectivity; the tunnel of k3s and RKE2), and that fails. Logs, exec and port-forward "
    "mostly fail with it. The "
    "webhooks are not at fault.",
    decided="The API server's text names the tunnel: `No agent available`, `proxy error from … while dialing`, `dial timeout, backstop` and others.",
    confirm=("kubectl -n kube-system get pods -l k8s-app=konnectivity-agent -o wide",),
    fix=(
        "# Bring the agents up, and let them reach the server: firewall from the nodes to the konnectivity server, NetworkPolicies that admit the agents.",
        "kubectl -n kube-system logs -l k8s-app=konnectivity-agent --tail=50 --prefix",
        "# k3s and RKE2: the tunnel to port 9345 or 6443 of the server; see egress-selector-mode.",
    ),
    source="k8s.io/apiserver pkg/server/egressselector; kubernetes-sigs/apiserver-network-proxy",
    blames="cluster",
)

WD230 = Entry(
    code="WD230",
    title="Some endpoints fail, others answer",
    severity=Severity.ERROR,
    cause=None,
    meaning="Several endpoints are ready, and some of them do not answer as they should. Each call goes to any of them, so requests fail now and then, "
    "which looks like a glitch and "
    "passes when repeated.",
    decided="The same vantage gets through to some endpoints and not to others; or the API server's calls pass and fail by turns.",
    confirm=("kubectl -n {namespace} get endpointslice -l {slices} -o wide", "curl -vk https://{dead}/ --connect-timeout 3"),
    fix=(
        "# Look at the failing endpoints' pods and nodes; a readiness probe that asks the webhook's own port would have taken them out.",
        "kubectl -n {namespace} get pods -l {selector} -o wide",
        "kubectl -n {pod_namespace} delete pod {pod}",
    ),
    source="k8s.io/apiserver pkg/util/proxy/proxy.go (a random ready endpoint); kube-proxy",
)

ENTRIES = (WD201, WD204, WD205, WD206, WD210, WD211, WD212, WD220, WD221, WD230)
