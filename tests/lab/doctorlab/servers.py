# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault server's configuration (faultserver/main.go) and the certificates it serves."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from . import addresses, objects, pki
from .pki import Pair
from .targets import Target


def configure(folder: Path, targets: Iterable[Target], authorities: dict[str, Pair], now: datetime, proxy: str | None) -> Path:
    """Write the certificates and servers.json into a folder; return the path of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = list(targets)
    config: dict[str, Any] = {
        "dns": {"listen": f"{addresses.DNS}:53", "records": names(chosen)},
        "servers": [_server(target, folder, authorities, now) for target in chosen if target.listens_at],
    }
    if proxy == "unavailable":
        answer = {"behaviour": "status", "status": 503, "body": "the upstream proxy is out of service"}
        config["servers"].append({"name": "upstream-proxy", "listen": [f"{addresses.PROXY}:{addresses.UPSTREAM_PORT}"], "answer": answer})
    if proxy == "intercepting":
        certificate, key = authorities["proxy"].write(folder, "proxy-ca")
        config["proxy"] = {"listen": f"{addresses.PROXY}:{addresses.PROXY_PORT}", "certificate": str(certificate), "key": str(key)}
    path = folder / "servers.json"
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")
    return path


def pods_of_node(folder: Path, targets: Iterable[Target]) -> Path:
    """Write what the worker's kubelet reads: the addresses of its pods."""
    pods = {f"{target.namespace}/{objects.pod_name(number)}": address for target in targets if target.has_pods for number, address in enumerate(target.pods)}
    path = folder / "pods.json"
    path.write_text(json.dumps(pods, indent=1), encoding="utf-8")
    return path


def names(targets: Iterable[Target]) -> dict[str, str]:
    """The records of the lab's name server: every host that is meant to resolve."""
    return {target.external_name: target.outside for target in targets if target.make.call_out.url != "dead_name"}


def certificate(target: Target, authorities: dict[str, Pair], now: datetime) -> Pair:
    """Make the certificate that the target serves."""
    made = target.make.server.certificate
    own = [target.server_name] if target.host else [target.server_name, f"{target.server_name}.cluster.local"]
    return pki.issue(
        authorities[made.authority],
        made.common_name or target.server_name,
        now,
        names=own if made.names is None else made.names,
        begin_days=made.begin_days,
        end_days=made.end_days,
        usage=made.usage,
    )


def bundle(target: Target, authorities: dict[str, Pair]) -> str:
    """The caBundle of the target's call-out."""
    made = target.make.call_out.ca_bundle
    return made if isinstance(made, str) else "".join(authorities[name].certificate_pem for name in made)


def behaviour(target: Target) -> dict[str, Any]:
    """How the fault server treats connections and requests: the keys accept and answer of its configuration."""
    made = target.make.server
    answer = {
        "behaviour": made.answer.behaviour,
        "status": made.answer.status,
        "headers": made.answer.headers,
        "body": made.answer.body,
        "delay_seconds": made.answer.delay_seconds,
    }
    return {"accept": made.accept, "answer": answer}


def _server(target: Target, folder: Path, authorities: dict[str, Pair], now: datetime) -> dict[str, Any]:
    made = target.make.server
    server: dict[str, Any] = {"name": target.namespace, "listen": list(target.listens_at), **behaviour(target)}
    if not made.plain_http:
        path, key = certificate(target, authorities, now).write(folder, target.namespace)
        server["tls"] = {"certificate": str(path), "key": str(key), "max_version": made.max_tls_version, "client_certificate": made.client_certificate}
    return server
