# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control plane's credentials and command lines. The lab's processes get an environment of their own, never the caller's."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from . import addresses, pki
from .pki import Pair

# As on kubeadm clusters without the line that saves them: addresses, but no .svc.
NO_PROXY = ",".join(["127.0.0.1", "localhost", "172.31.0.0/24", str(addresses.SERVICE_NETWORK), str(addresses.POD_NETWORK)])

# The controllers that the lab needs. Left out: those that would tear down nodes and pods that no kubelet reports on, and those that would
# put objects of their own into every namespace.
CONTROLLERS = (
    "endpointslice-controller",
    "endpoints-controller",  # Kubernetes 1.30 routes by Endpoints
    "replicaset-controller",
    "deployment-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "namespace-controller",
    "clusterrole-aggregation-controller",
)
# Where pods really run: they have a ServiceAccount and its token, and a Deployment that is deleted takes them along.
CONTROLLERS_OF_REAL_PODS = ("serviceaccount-controller", "root-ca-certificate-publisher-controller", "garbage-collector-controller")

# Groups of Kubernetes users; system:masters bypasses RBAC.
_USERS = {
    "admin": ("kubernetes-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
    "proxy": ("system:kube-proxy", None),
}


def make_credentials(folder: Path, authorities: Mapping[str, Pair], now: datetime, front: str) -> None:
    """Write what the control plane's processes read: certificates, keys, kubeconfigs for the API server of the node `front`."""
    folder.mkdir(parents=True, exist_ok=True)
    authorities["cluster"].write(folder, "ca")
    authorities["front_proxy"].write(folder, "front-proxy-ca")
    own = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost", "127.0.0.1"]
    names = [*own, addresses.API_SERVICE, *addresses.CONTROL_PLANES, *addresses.CONTROL_PLANES.values()]
    pki.issue(authorities["cluster"], "kube-apiserver", now, names=names).write(folder, "apiserver")
    pki.issue(authorities["front_proxy"], "front-proxy-client", now, usage="client").write(folder, "front-proxy-client")
    to_kubelets = pki.issue(authorities["cluster"], "kube-apiserver-kubelet-client", now, usage="client", organization="system:masters")
    to_kubelets.write(folder, "apiserver-kubelet-client")
    for node, address in addresses.WORKERS.items():
        pki.issue(authorities["cluster"], f"system:node:{node}", now, names=[node, address], organization="system:nodes").write(folder, "kubelet")
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "sa.key").touch(mode=0o600)
    (folder / "sa.key").write_text(pki.key_pem(key), encoding="ascii")
    (folder / "sa.pub").write_text(pki.public_pem(key), encoding="ascii")
    for name, (user, group) in _USERS.items():
        pki.issue(authorities["cluster"], user, now, usage="client", organization=group).write(folder, name)
        write_kubeconfig(folder / f"{name}.kubeconfig", folder, name, front)


def write_kubeconfig(path: Path, folder: Path, user: str, node: str, token: str | None = None) -> None:
    """Write a kubeconfig (JSON is YAML) for the API server of a node (or BALANCER), with a token or the client certificate that `folder` has for the user."""
    cluster = {"server": addresses.api_server(node), "certificate-authority-data": _encoded(folder / "ca.crt")}
    if token:
        credentials = {"token": token}
    else:
        credentials = {"client-certificate-data": _encoded(folder / f"{user}.crt"), "client-key-data": _encoded(folder / f"{user}.key")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user}}],
        "current-context": "lab",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")


def instance_name(name: str, node: str) -> str:
    """Of a process that there is one of for each API server."""
    number = list(addresses.CONTROL_PLANE_NODES).index(node) + 1
    return name if number == 1 else f"{name}-{number}"


def kubeconfig_name(user: str, node: str | None = None) -> str:
    """For the API server of a node; null: for the one that everybody uses."""
    return f"{user}-{node}.kubeconfig" if node else f"{user}.kubeconfig"


def write_kubeconfigs(state: Path, user: str, front: str, nodes: Iterable[str], token: str | None = None) -> None:
    """Write a user's kubeconfigs: for the API server that everybody uses (that of the node `front`, or BALANCER), and for each."""
    for name, node in {kubeconfig_name(user): front, **{kubeconfig_name(user, node): node for node in nodes}}.items():
        write_kubeconfig(state / "kubeconfigs" / name, state / "pki", user, node, token)


def etcd(binary: Path, data: Path, *, client: str = addresses.ETCD, quota_mb: int | None = None) -> list[str]:
    """quota_mb: how big its file may get; default etcd's own, 2 GiB."""
    peer = f"http://127.0.0.1:{int(client.rpartition(':')[2]) + 1}"
    quota = [] if quota_mb is None else [f"--quota-backend-bytes={quota_mb * 1024 * 1024}"]
    return [
        str(binary),
        "--name=lab",
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=lab={peer}",
        "--unsafe-no-fsync=true",  # nothing here must survive a power cut
        "--log-level=warn",
        *quota,
    ]


def api_server(binary: Path, credentials: Path, node: str, *, endpoint_routing: bool, events_apart: bool = False, real_pods: bool = False) -> list[str]:
    """events_apart: Events are stored in an etcd of their own, as on big clusters. real_pods: a kubelet runs pods, with ServiceAccounts."""
    address = addresses.CONTROL_PLANES[node]
    flags = {
        "advertise-address": address,
        "bind-address": address,
        "secure-port": addresses.API_PORT,
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "client-ca-file": credentials / "ca.crt",
        # Pods that nobody runs have no ServiceAccount: no kubelet would use its token.
        **({} if real_pods else {"disable-admission-plugins": "ServiceAccount"}),
        "enable-admission-plugins": "NodeRestriction",
        "etcd-servers": addresses.ETCD,
        "event-ttl": "24h",
        "kubelet-client-certificate": credentials / "apiserver-kubelet-client.crt",
        "kubelet-client-key": credentials / "apiserver-kubelet-client.key",
        "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
        "proxy-client-cert-file": credentials / "front-proxy-client.crt",
        "proxy-client-key-file": credentials / "front-proxy-client.key",
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-client-ca-file": credentials / "front-proxy-ca.crt",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": credentials / "sa.pub",
        "service-account-signing-key-file": credentials / "sa.key",
        "service-cluster-ip-range": addresses.SERVICE_NETWORK,
        "tls-cert-file": credentials / "apiserver.crt",
        "tls-private-key-file": credentials / "apiserver.key",
    }
    routing = ["--enable-aggregator-routing=true"] if endpoint_routing else []
    events = [f"--etcd-servers-overrides=/events#{addresses.ETCD_OF_EVENTS}"] if events_apart else []
    return [str(binary), *(f"--{name}={value}" for name, value in flags.items()), *routing, *events]


def controller_manager(binary: Path, credentials: Path, *, real_pods: bool = False) -> list[str]:
    return [
        str(binary),
        f"--kubeconfig={credentials / 'controller-manager.kubeconfig'}",
        *([f"--root-ca-file={credentials / 'ca.crt'}"] if real_pods else []),
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        "--use-service-account-credentials=true",  # each controller with its own rights, as kubeadm does
        *(f"--{name}={value}" for name, value in manager_flags(real_pods=real_pods).items()),
    ]


def manager_flags(*, real_pods: bool) -> dict[str, str]:
    """The flags of every kube-controller-manager of a lab."""
    return {
        "controllers": ",".join((*CONTROLLERS, *(CONTROLLERS_OF_REAL_PODS if real_pods else ()))),
        "concurrent-service-endpoint-syncs": "10",
        "kube-api-qps": "500",  # the default of 20 a second would be most of the lab's start
        "kube-api-burst": "1000",
    }


def scheduler(binary: Path, credentials: Path, folder: Path) -> list[str]:
    config: dict[str, Any] = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        # The default of 50 a second would be most of what thousands of pods take.
        "clientConnection": {"kubeconfig": str(credentials / "scheduler.kubeconfig"), "qps": 500, "burst": 1000},
    }
    path = folder / "kube-scheduler.json"
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")
    return [str(binary), f"--config={path}", "--secure-port=0"]


def kubelet(binary: Path, credentials: Path, pods: Path) -> list[str]:
    """The worker's kubelet, as far as the lab has one: port forwarding (tests/lab/kubelet)."""
    (address,) = addresses.WORKERS.values()
    return [
        str(binary),
        f"-listen={address}:{addresses.KUBELET_PORT}",
        f"-pods={pods}",
        f"-certificate={credentials / 'kubelet.crt'}",
        f"-key={credentials / 'kubelet.key'}",
        f"-client-ca={credentials / 'ca.crt'}",
    ]


def kube_proxy(binary: Path, credentials: Path, folder: Path, node: str) -> list[str]:
    """kube-proxy as on most clusters (iptables), without what a namespace forbids: conntrack's sizes are the host's."""
    config: dict[str, Any] = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(credentials / "proxy.kubeconfig")},
        "clusterCIDR": str(addresses.POD_NETWORK),
        "hostnameOverride": node,
        "nodePortAddresses": ["127.0.0.1/32"],
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "iptables": {"minSyncPeriod": "0s", "syncPeriod": "30s"},
    }
    path = folder / f"kube-proxy-{node}.json"
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")
    return [str(binary), f"--config={path}"]


def proxy_environment() -> dict[str, str]:
    """The variables that kubeadm copies into the static pods of a node that has them."""
    proxy = f"http://{addresses.PROXY}:{addresses.PROXY_PORT}"
    return {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": NO_PROXY}


def tinyproxy(folder: Path, kind: str) -> list[str]:
    """A real forward proxy.

    refusing: it may open the tunnel, but cannot reach the other end. forbidding: CONNECT to port 443 is against its policy.
    unavailable: it hands on what its own upstream says, a 503.
    """
    ports = {"refusing": [443, addresses.WEBHOOK_PORT], "forbidding": [563], "unavailable": []}[kind]
    lines = [f"Port {addresses.PROXY_PORT}", f"Listen {addresses.PROXY}", "Timeout 60", "MaxClients 100", "LogLevel Info"]
    if kind == "unavailable":
        lines.append(f"Upstream http {addresses.PROXY}:{addresses.UPSTREAM_PORT}")
    path = folder / "tinyproxy.conf"
    path.write_text("\n".join([*lines, *(f"ConnectPort {port}" for port in ports), ""]), encoding="ascii")
    return ["tinyproxy", "-d", "-c", str(path)]


def haproxy(folder: Path, servers: Iterable[tuple[str, str]]) -> list[str]:
    """The load balancer in front of API servers, (name, address) each, as kubeadm's "Options for Software Load Balancing" has it.

    It asks a server that is down every second, so that a lab is soon up; and the settings for logging, which nobody reads, are left out.
    """
    lines = [
        "global",
        "    maxconn 2000",
        "defaults",
        "    mode http",
        "    option http-server-close",
        "    option redispatch",
        "    retries 1",
        "    timeout http-request 10s",
        "    timeout queue 20s",
        "    timeout connect 5s",
        "    timeout client 35s",
        "    timeout server 35s",
        "    timeout http-keep-alive 10s",
        "    timeout check 10s",
        "frontend apiserver",
        f"    bind {addresses.BALANCER_ADDRESS}:{addresses.API_PORT}",
        "    mode tcp",
        "    default_backend apiserverbackend",
        "backend apiserverbackend",
        "    option httpchk",
        "    http-check connect ssl",
        "    http-check send meth GET uri /healthz",
        "    http-check expect status 200",
        "    mode tcp",
        "    balance roundrobin",
        "    default-server downinter 1s",
        *(f"    server {name} {address}:{addresses.API_PORT} check verify none" for name, address in servers),
    ]
    path = folder / "haproxy.cfg"
    path.write_text("\n".join([*lines, ""]), encoding="ascii")
    return ["haproxy", "-db", "-f", str(path)]


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
