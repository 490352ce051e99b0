# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of the API server of this machine, in the shape of docs/architecture.md. PRIVATE to the collection."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host import container, distribution, health
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.busy import busy
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.clock import clock
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.credentials import credentials
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.etcd import etcd
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.loopback import loopback
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.manifest import manifest
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import Process
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.proxy import proxy
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.server import Server, find
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.times import stamp


def api_server(host: Host) -> dict[str, Any]:
    """What `api_server_facts` returns under `api_server`."""
    server = find(host)
    cri = container.runtime(host, server.kubelet)
    pid = server.process.pid if server.process else None
    name, listens = server.distribution.name, server.listens
    with ThreadPoolExecutor() as pool:
        served = pool.submit(loopback, listens.address, listens.port, name)
        stored = pool.submit(etcd, host, name, server.arguments, pid, server.unit)
        said = pool.submit(_health, host, server)
        container_seen = container.described(host, cri, server.container) if server.manages_by == "static_pod" else None
        ready, live, version = said.result()
        found_etcd, found_loopback = stored.result(), served.result()
    return {
        "hostname": socket.gethostname(),
        "clock": clock(host),
        "distribution": server.distribution._asdict(),
        "manages_by": server.manages_by,
        "process": described(server.process, server.arguments),
        "container": container_seen,
        "runtime": {"crictl": str(cri.crictl) if cri.crictl else None, "endpoint": cri.endpoint},
        "address": listens.address,
        "port": listens.port,
        "addresses": list(listens.addresses),
        "loopback": found_loopback.shown(),
        "ready": ready,
        "live": live,
        "version": version,
        "etcd": found_etcd,
        "busy": busy(host, server.running),
        "manifest": manifest(host, distribution.manifest(name, server.kubelet)),
        "proxy": proxy(host, pid),
        "coverage": host.coverage,
    }


def described(process: Process | None, arguments: Any) -> dict[str, Any] | None:
    """The `process` of the facts."""
    if process is None:
        return None
    return {"pid": process.pid, "started": stamp(process.started), "arguments": dict(arguments)}


def asked(host: Host, server: Server) -> health.Health | None:
    """Whom to ask for its health, None where its address is not known."""
    address, port = server.listens.address, server.listens.port
    if address is None or port is None:
        return None
    return health.Health(address, port, lambda: credentials(host, server.distribution.name))


def _health(host: Host, server: Server) -> tuple[dict[str, Any], dict[str, Any], str | None]:
    api = asked(host, server)
    if api is None:
        unknown = {**health.nothing(), "error": "the address of the API server is not known"}
        return unknown, unknown, None
    return api.ready(), api.live(), api.version()
