# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the API server of this machine keeps what it knows, and with which files it is asked there. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host import k3s
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import environment

DEFAULT_PORT = 2379
_BY_HTTP = ("https://", "http://")


class Access(NamedTuple):
    """Who asks: paths as the process sees them. `pid`: of the process in whose file system they are."""

    ca: str
    certificate: str
    key: str
    pid: int | None


class Store(NamedTuple):
    """`servers`: as --etcd-servers has them. `embedded`: whether a member of etcd runs in the API server's own process. `unknown`: why there are none."""

    servers: list[str]
    access: Access
    embedded: bool
    unknown: str


def of_flags(arguments: Mapping[str, str], pid: int | None) -> Store:
    access = Access(arguments.get("etcd-cafile", ""), arguments.get("etcd-certfile", ""), arguments.get("etcd-keyfile", ""), pid)
    return Store(_split(arguments.get("etcd-servers", "")), access, False, "--etcd-servers of the API server is not known")


def of_k3s(host: Host, pid: int | None, unit: str | None) -> Store:
    """k3s hides its flags, but what it uses lies at the same places everywhere: a member of etcd, else SQLite, else the socket of kine.

    The folder of etcd alone says nothing: it is there without a member, too. A server without etcd has a balancer at the port, which leads to the others.
    """
    external = _external(host, pid, unit)
    if external:
        return external
    folder = k3s.server_folder(host, unit, pid)
    tls = f"{folder}/tls/etcd"
    access = Access(f"{tls}/server-ca.crt", f"{tls}/client.crt", f"{tls}/client.key", None)
    with_others = k3s.is_set(host, unit, "disable-etcd")
    own = not with_others and host.exists(f"{folder}/db/etcd/member")
    servers = [f"https://127.0.0.1:{DEFAULT_PORT}"] if own or with_others else []
    if not servers and (host.exists(f"{folder}/db/state.db") or host.exists(f"{folder}/kine.sock")):
        servers = [f"unix://{folder}/kine.sock"]
    return Store(servers, access, own, f"neither a member of etcd nor kine is in {folder}, so where k3s keeps its data is not known")


def _external(host: Host, pid: int | None, unit: str | None) -> Store | None:
    """An etcd that is not of k3s. Of databases nothing is kept, for their addresses hold passwords."""
    variables = (environment(host, pid) if pid else None) or {}

    def told(name: str) -> str:
        return k3s.told(host, unit, f"datastore-{name}") or variables.get(f"K3S_DATASTORE_{name.upper()}", "")

    endpoint = told("endpoint")
    if not endpoint.startswith(_BY_HTTP):
        return None
    return Store(_split(endpoint), Access(told("cafile"), told("certfile"), told("keyfile"), pid), False, "")


def _split(servers: str) -> list[str]:
    return [server.strip() for server in servers.split(",") if server.strip()]
