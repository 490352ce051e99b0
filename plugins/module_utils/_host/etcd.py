# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The etcd behind the API server: its members, and which of them are healthy, asked as the API server itself. PRIVATE to the collection.

By HTTP: etcd's JSON gateway (/v3/cluster/member/list) and /health, with the files that the API server's own --etcd-* flags name.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.https import NoAnswer, ask
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings, tls_context

_RANCHER = "/var/lib/rancher/{}/server"
# k3s and RKE2 leave etcd's own port to gRPC and put HTTP on another (pkg/etcd/etcd.go, listenClientHTTPURLs).
_RANCHER_HTTP = "https://127.0.0.1:2382"
_AT_ONCE = 8


class Access(NamedTuple):
    """Who asks: paths as the process sees them. `pid`: of the process in whose file system they are."""

    ca: str
    certificate: str
    key: str
    pid: int | None


def etcd(host: Host, distribution: str | None, arguments: Mapping[str, str], addresses: Sequence[str], pid: int | None) -> dict[str, Any]:
    """The `etcd` of the facts. `addresses`: this machine's. `embedded`: a member runs in the API server's own process, and is restarted with it."""
    found: dict[str, Any] = {"servers": [], "members": None, "embedded": False, "error": None}
    servers, access, ways = _known(host, distribution, arguments, pid)
    found["servers"] = [_plain(server) for server in servers]
    found["embedded"] = distribution == "k3s" and bool(servers)
    if not servers:
        return {**found, "error": _without(distribution)}
    asked = [server for server in (*ways, *servers) if server.startswith(("https://", "http://"))]
    if not asked:
        return {**found, "error": f"{servers[0]} is no etcd that can be asked by HTTP"}
    try:
        context = _context(host, access)
        members = _members(asked, context)
    except (ConfigurationError, NoAnswer, OSError) as error:
        return {**found, "error": str(error)}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found["members"] = list(pool.map(lambda member: _member(member, ways, addresses, context), members))
    return found


def _known(host: Host, distribution: str | None, arguments: Mapping[str, str], pid: int | None) -> tuple[list[str], Access, list[str]]:
    """Its URLs, how to ask, and where HTTP is spoken besides."""
    servers = [server.strip() for server in arguments.get("etcd-servers", "").split(",") if server.strip()]
    access = Access(arguments.get("etcd-cafile", ""), arguments.get("etcd-certfile", ""), arguments.get("etcd-keyfile", ""), pid)
    if distribution in ("k3s", "rke2"):
        folder = _RANCHER.format(distribution)
        if not host.exists(f"{folder}/db/etcd"):
            return ([] if distribution == "k3s" else servers), access, []
        tls = f"{folder}/tls/etcd"
        return servers or ["https://127.0.0.1:2379"], Access(f"{tls}/server-ca.crt", f"{tls}/client.crt", f"{tls}/client.key", None), [_RANCHER_HTTP]
    return servers, access, []


def _without(distribution: str | None) -> str:
    if distribution == "k3s":
        return "k3s has no embedded etcd here, and the address of its database is no flag that can be seen"
    return "--etcd-servers of the API server is not known"


def _members(servers: Sequence[str], context: ssl.SSLContext) -> list[dict[str, Any]]:
    """The list, from the first that tells it. Raises NoAnswer with what each of them said."""
    said = []
    for server in servers:
        try:
            answer = _ask(server, "/v3/cluster/member/list", context, b"{}")
            members = json.loads(answer.body)["members"] if answer.status == 200 else None
            if isinstance(members, list) and all(isinstance(member, dict) for member in members):
                return members
            said.append(f"{_plain(server)}: HTTP {answer.status}")
        except NoAnswer as error:
            said.append(f"{_plain(server)}: {error}")
        except (ValueError, KeyError, TypeError):
            said.append(f"{_plain(server)}: this is no list of members")
    raise NoAnswer("; ".join(said), reached=True)


def _member(member: Mapping[str, Any], ways: Sequence[str], addresses: Sequence[str], context: ssl.SSLContext) -> dict[str, Any]:
    """One of `members`: healthy is null where it is there, but does not speak HTTP where it can be asked from here."""
    urls = [str(url) for url in member.get("clientURLs") or ()]
    shown = {"name": str(member.get("name") or ""), "client_urls": urls, "learner": bool(member.get("isLearner")), "healthy": False, "error": None}
    if not urls:
        return {**shown, "error": "it has not started"}
    own = any(urlsplit(url).hostname in addresses for url in urls)
    healthy, error = _health([*ways, *urls] if own else urls, context)
    return {**shown, "healthy": healthy, "error": error}


def _health(urls: Sequence[str], context: ssl.SSLContext) -> tuple[bool | None, str | None]:
    """Whether one of its URLs says so, and if none does, what was said."""
    said, mute = [], False
    for url in urls:
        try:
            answer = _ask(url, "/health", context)
            content = json.loads(answer.body)
        except NoAnswer as error:
            mute = mute or error.reached
            said.append(f"{_plain(url)}: {error}")
        except ValueError:
            said.append(f"{_plain(url)}: HTTP {answer.status}, not JSON")
        else:
            if answer.status == 200 and isinstance(content, dict) and str(content.get("health")).lower() == "true":
                return True, None
            reason = str(content.get("reason") or "") if isinstance(content, dict) else ""
            said.append(f"{_plain(url)}: HTTP {answer.status}{f', {reason}' if reason else ''}")
            return False, "; ".join(said)
    return (None if mute else False), "; ".join(said)


def _ask(url: str, path: str, context: ssl.SSLContext, body: bytes | None = None) -> Any:
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port or 2379
    except ValueError as error:
        raise NoAnswer(str(error), reached=False) from error
    return ask(host, port, path, context if parts.scheme == "https" else None, body=body)


def _context(host: Host, access: Access) -> ssl.SSLContext:
    """Raises OSError, ConfigurationError."""
    files = [_file(host, path, access.pid) for path in (access.ca, access.certificate, access.key)]
    context = tls_context(Settings(server="", cluster="etcd", ca=files[0], client_cert=files[1], client_key=files[2]))
    context.check_hostname = False  # members are asked by addresses; whose certificate etcd's own CA has signed is one of them
    return context


def _file(host: Host, path: str, pid: int | None) -> bytes:
    """As the process sees it, else as the machine does. Raises OSError that names it."""
    if not path:
        return b""
    inside = f"/proc/{pid}/root{path}"
    try:
        return host.read(inside if pid and host.exists(inside) else path)
    except OSError as error:
        raise OSError(f"{path} cannot be read: {error.strerror}.{host.advice()}") from error


def _plain(url: str) -> str:
    """Without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
