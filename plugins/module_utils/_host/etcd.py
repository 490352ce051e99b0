# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The etcd behind the API server: its members, and which of them are healthy, asked as the API server itself. PRIVATE to the collection.

By gRPC, with the files that the API server's own --etcd-* flags name: etcd serves HTTP on the same port for its JSON gateway and /health only where nobody has
given HTTP another one, as k3s and RKE2 do. Messages: etcd api/etcdserverpb/rpc.proto.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.connection import NoAnswer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.datastore import DEFAULT_PORT, Access, of_flags, of_k3s
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.grpc import PROTOCOL, call
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.protobuf import Malformed, of_bytes, of_number
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings, tls_context

_AT_ONCE = 8
_MEMBERS, _STATUS, _RANGE = "/etcdserverpb.Cluster/MemberList", "/etcdserverpb.Maintenance/Status", "/etcdserverpb.KV/Range"
_LINEARIZABLE_READ = b"\x0a\x06health"  # of a key that need not exist: it takes a quorum, as /health and `etcdctl endpoint health`


def etcd(host: Host, distribution: str | None, arguments: Mapping[str, str], pid: int | None, unit: str | None = None) -> dict[str, Any]:
    """The `etcd` of the facts. `embedded`: a member of it runs in the API server's own process, and is restarted with it. `unit`: the process's service."""
    store = of_k3s(host, pid, unit) if distribution == "k3s" else of_flags(arguments, pid)
    servers = store.servers
    found: dict[str, Any] = {"servers": [_plain(server) for server in servers], "members": None, "embedded": store.embedded, "error": None}
    if not servers:
        return {**found, "error": store.unknown}
    asked = [server for server in servers if server.startswith(("https://", "http://"))]
    if not asked:
        return {**found, "error": f"{_plain(servers[0])} is no etcd that could be asked"}
    try:
        context = _context(host, store.access)
        members = _members(asked, context)
    except (ConfigurationError, NoAnswer, OSError) as error:
        return {**found, "error": str(error)}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {**found, "members": list(pool.map(lambda member: _judged(member, context), members))}


def _members(servers: Sequence[str], context: ssl.SSLContext) -> list[dict[str, Any]]:
    """The list without `healthy`, from the first that tells it. Raises NoAnswer with what each of them said."""
    said = []
    for server in servers:
        try:
            members = [_member(message) for message in of_bytes(_call(server, _MEMBERS, b"", context), 2)]
            return sorted(members, key=lambda member: (member["name"], member["client_urls"]))
        except NoAnswer as error:
            said.append(f"{_plain(server)}: {error}")
        except Malformed as error:
            said.append(f"{_plain(server)}: this is no list of members: {error}")
    raise NoAnswer("; ".join(said))


def _member(message: bytes) -> dict[str, Any]:
    texts = {number: [value.decode("utf-8", "replace") for value in of_bytes(message, number)] for number in (2, 4)}
    id = of_number(message, 1)
    return {"id": f"{id:x}" if id else None, "name": "".join(texts[2][:1]), "client_urls": texts[4], "learner": bool(of_number(message, 5))}


def _judged(member: Mapping[str, Any], context: ssl.SSLContext) -> dict[str, Any]:
    """One of `members`: healthy if one of its URLs says so, else what was said; neither where all of them lead to other members.

    k0s lets every member tell https://127.0.0.1:2379, so that each machine finds its own member under the names of all.
    """
    said, elsewhere = [] if member["client_urls"] else ["it has not started"], []
    for url in member["client_urls"]:
        try:
            status = _call(url, _STATUS, b"", context)
            if _is_another(member, status):
                elsewhere.append(_plain(url))
                continue
            problems = [text.decode("utf-8", "replace") for text in of_bytes(status, 8)]
            if not problems and not of_number(status, 4):
                problems = ["it has no leader"]
            problems = problems or _without_quorum(url, context)
            if not problems:
                return {**member, "healthy": True, "error": None}
            said.append(f"{_plain(url)}: {', '.join(problems)}")
        except NoAnswer as error:
            said.append(f"{_plain(url)}: {error}")
        except Malformed as error:
            said.append(f"{_plain(url)}: this is no status: {error}")
    if elsewhere and not said:
        return {**member, "healthy": None, "error": f"cannot be asked from here: {', '.join(elsewhere)} leads to another member"}
    return {**member, "healthy": False, "error": "; ".join(said)}


def _is_another(member: Mapping[str, Any], status: bytes) -> bool:
    """Whether it was another member that answered, by the header of the answer; a proxy in between may have no ids. Raises Malformed."""
    answered = next((of_number(header, 2) for header in of_bytes(status, 1)), 0)
    return bool(answered and member["id"]) and f"{answered:x}" != member["id"]


def _without_quorum(url: str, context: ssl.SSLContext) -> list[str]:
    try:
        _call(url, _RANGE, _LINEARIZABLE_READ, context)
    except NoAnswer as error:
        return [f"it cannot read with a quorum: {error}"]
    return []


def _call(url: str, method: str, message: bytes, context: ssl.SSLContext) -> bytes:
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port or DEFAULT_PORT
    except ValueError as error:
        raise NoAnswer(str(error)) from error
    return call(host, port, method, message, context if parts.scheme == "https" else None)


def _context(host: Host, access: Access) -> ssl.SSLContext:
    """Raises OSError, ConfigurationError."""
    files = [_file(host, path, access.pid) for path in (access.ca, access.certificate, access.key)]
    context = tls_context(Settings(server="", cluster="etcd", ca=files[0], client_cert=files[1], client_key=files[2]))
    context.check_hostname = False  # members are asked by addresses; whose certificate etcd's own CA has signed is one of them
    context.set_alpn_protocols([PROTOCOL])
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
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else url
