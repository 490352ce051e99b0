# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to one server within a deadline: urllib3's connection pool, sockets that stop in time, errors in the vocabulary's words. PRIVATE to the collection.

A read time-out bounds the silence between two packets, so that a server which drips a byte a second is read for
ever. The sockets made here therefore ask before each read how much of the whole request's time is left.
Imports urllib3 (part of what `kubernetes` brings): import this file lazily.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

try:
    import urllib3
    import urllib3.exceptions
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.response import HTTPHeaderDict  # 1.26 has it nowhere more public
except ImportError:
    urllib3 = None
    HTTPConnection = HTTPSConnection = HTTPConnectionPool = HTTPSConnectionPool = object  # Transport refuses to be made

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import MissingLibrary, Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings, tls_context

_CHUNK = 64 * 1024
_POOL_SIZE = 16


class _Deadline(threading.local):
    """When the request that this thread makes must be over (time.monotonic), None outside of one."""

    at: float | None = None


_deadline = _Deadline()


def _limit(sock: socket.socket) -> None:
    if _deadline.at is not None:
        left = _deadline.at - time.monotonic()
        if left <= 0:
            raise socket.timeout("the request's time is over")
        sock.settimeout(left)


class _BoundedSocket(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _limit(self)
        return super().recv_into(*args, **kwargs)


class _BoundedTlsSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _limit(self)
        return super().recv_into(*args, **kwargs)


def _bounded(sock: socket.socket) -> _BoundedSocket:
    timeout = sock.gettimeout()
    bounded = _BoundedSocket(family=sock.family, type=sock.type, proto=sock.proto, fileno=sock.detach())
    bounded.settimeout(timeout)
    return bounded


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _bounded(super()._new_conn())


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _bounded(super()._new_conn())


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class Transport:
    """A pool of connections to `settings.server`; safe for threads. Raises MissingLibrary, ConfigurationError."""

    def __init__(self, settings: Settings) -> None:
        if urllib3 is None:
            raise MissingLibrary("kubernetes >= 24.2.0", "its dependency urllib3 speaks to the API server")
        self.settings = settings
        self.context: ssl.SSLContext | None = None
        options: dict[str, Any] = {"maxsize": _POOL_SIZE, "retries": False}
        if settings.server.startswith("https:"):
            self.context = tls_context(settings)
            self.context.sslsocket_class = _BoundedTlsSocket
            options.update(ssl_context=self.context, cert_reqs="CERT_REQUIRED" if settings.verify else "CERT_NONE")
            if not settings.verify:
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the user asked for it with validate_certs
        self._manager = self._make_manager(options)
        self._manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def _make_manager(self, options: dict[str, Any]) -> Any:
        proxy = self.settings.proxy
        if not proxy:
            return urllib3.PoolManager(**options)
        if proxy.lower().startswith("socks"):
            from urllib3.contrib.socks import SOCKSProxyManager

            return SOCKSProxyManager(proxy, **options)
        return urllib3.ProxyManager(proxy, proxy_headers=dict(self.settings.proxy_headers), **options)

    def send(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes | None,
        timeout: float,
        max_bytes: int,
        only: tuple[bytes, ...] = (),
        connect_timeout: float | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers, body of one exchange that takes at most `timeout` seconds; `only`, `connect_timeout`: see Api.request. Raises Unreachable."""
        _deadline.at = time.monotonic() + timeout
        try:
            limits = urllib3.Timeout(connect=min(timeout, connect_timeout or timeout), read=timeout)
            return self._exchange(method, url, _header_dict(headers), body, limits, max_bytes, only)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise explained(error, self.settings, timeout) from error
        finally:
            _deadline.at = None

    def _exchange(
        self, method: str, url: str, headers: Any, body: bytes | None, limits: Any, max_bytes: int, only: tuple[bytes, ...]
    ) -> tuple[int, Mapping[str, str], bytes]:
        response = self._manager.urlopen(
            method,
            url,
            headers=headers,
            body=body,
            timeout=limits,
            redirect=False,
            preload_content=False,
            enforce_content_length=True,
        )
        content = bytearray()
        picked = _Lines(only) if only and response.status == 200 else None
        read = 0
        try:
            for chunk in response.stream(_CHUNK, decode_content=True):
                read += len(chunk)
                content += picked.of(chunk) if picked else chunk
                if read > max_bytes:
                    raise Unreachable(
                        f"{self.settings.server}: the answer to {method} {url} is larger than {max_bytes >> 20} MiB and was not read further",
                        "invalid_response",
                    )
        except BaseException:
            response.close()  # half-read connections must not go back into the pool
            raise
        response.release_conn()
        return response.status, response.headers, bytes(content + (picked.of(b"\n") if picked else b""))


class _Lines:
    """Picks the lines that begin with certain bytes out of a stream."""

    def __init__(self, beginnings: tuple[bytes, ...]) -> None:
        self._wanted = re.compile(rb"^(?:" + b"|".join(map(re.escape, beginnings)) + rb").*\n", re.MULTILINE)
        self._rest = b""

    def of(self, chunk: bytes) -> bytes:
        """The wanted lines that end in this chunk."""
        whole, newline, rest = (self._rest + chunk).rpartition(b"\n")
        self._rest = rest
        return b"".join(self._wanted.findall(whole + newline))


def _header_dict(headers: Sequence[tuple[str, str]]) -> Any:
    """A header may stand several times, as Impersonate-Group does."""
    found = HTTPHeaderDict()
    for name, value in headers:
        found.add(name, value)
    return found


def explained(error: BaseException, settings: Settings, timeout: float) -> Unreachable:
    """An Unreachable that says in one paragraph what kept `settings.server` from answering, with its cause."""
    chain = _chain(error)
    via = f" through the proxy {without_credentials(settings.proxy)}" if settings.proxy else ""
    where = f"{settings.server}{via}"
    verification = next((item for item in chain if isinstance(item, ssl.SSLCertVerificationError)), None)
    if verification is not None:
        cause = _VERIFICATION.get(verification.verify_code, "certificate_invalid")
        return Unreachable(
            f"{where}: the API server's certificate was not accepted: {verification.verify_message}. {_VERIFICATION_ADVICE.get(cause, '')}".rstrip(), cause
        )
    words = " ".join(str(item) for item in chain).lower()
    for matches, cause, text in _EXPLANATIONS:
        if matches(chain, words):
            return Unreachable(f"{where}: {text.format(timeout=timeout, detail=_one_line(chain[-1]))}", cause)
    return Unreachable(f"{where}: {_one_line(chain[-1])}", "unknown")


def without_credentials(url: str | None) -> str:
    """A proxy's URL with user and password replaced by ***."""
    scheme, mark, rest = (url or "").partition("://")
    if not mark:
        scheme, rest = "", url or ""
    return scheme + mark + ("***@" + rest.rsplit("@", 1)[1] if "@" in rest else rest)


def _one_line(error: BaseException) -> str:
    """An error's text, which may quote whatever the server sent, as one printable line."""
    return "".join(character if character.isprintable() else "?" for character in " ".join(str(error)[:1000].split()))[:300]


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what caused it, outermost first; urllib3 keeps some causes in args or `reason`."""
    chain: list[BaseException] = []
    current: Any = error
    while isinstance(current, BaseException) and current not in chain and len(chain) < 10:
        chain.append(current)
        inner = [arg for arg in (*current.args, getattr(current, "reason", None), getattr(current, "original_error", None)) if isinstance(arg, BaseException)]
        current = current.__cause__ or (inner[0] if inner else current.__context__)
    return chain


def _is(*types: type) -> Any:
    return lambda chain, words: any(isinstance(item, types) for item in chain)


def _named(name: str) -> Any:
    """An exception of urllib3, which may not be there."""
    return lambda chain, words: any(isinstance(item, getattr(urllib3.exceptions, name)) for item in chain)


def _says(*texts: str) -> Any:
    return lambda chain, words: any(text in words for text in texts)


def _errno(*numbers: int) -> Any:
    return lambda chain, words: any(isinstance(item, OSError) and item.errno in numbers for item in chain)


# OpenSSL's X509_V_ERR_* (openssl/x509_vfy.h).
_VERIFICATION = {
    2: "unknown_authority", 18: "unknown_authority", 19: "unknown_authority", 20: "unknown_authority", 21: "unknown_authority",
    9: "certificate_not_yet_valid", 10: "certificate_expired", 62: "name_mismatch", 64: "name_mismatch",
}  # fmt: skip
_VERIFICATION_ADVICE = {
    "unknown_authority": "Give the CA of this cluster with ca_cert or in the kubeconfig (certificate-authority).",
    "name_mismatch": "Connect by a name or address that the certificate holds, or set tls-server-name in the kubeconfig.",
    "certificate_expired": "Renew the API server's certificate (kubeadm certs renew apiserver); validate_certs=false reads the cluster meanwhile.",
    "certificate_not_yet_valid": "Compare the clocks of this host and of the API server.",
}

# Asked in order: the first that matches names the cause.
_EXPLANATIONS: tuple[tuple[Any, str, str], ...] = (
    (_is(socket.gaierror), "dns_failure", "the name does not resolve ({detail}). Check the server's address in the kubeconfig or host."),
    (
        _named("ProxyError"),
        "proxied",
        "the proxy does not pass the request ({detail}). Check proxy and no_proxy, or proxy-url in the kubeconfig.",
    ),
    (_errno(errno.ECONNREFUSED), "connection_refused", "connection refused. Nothing listens there: check address and port, and that the API server runs."),
    (_errno(errno.EHOSTUNREACH, errno.ENETUNREACH), "no_route", "{detail}. Check routes, VPN and firewalls between this host and the API server."),
    (_says("handshake operation timed out"), "tls_timeout", "the TLS handshake did not end within {timeout:g} s."),
    (
        _named("ConnectTimeoutError"),
        "connect_timeout",
        "no connection within {timeout:g} s. Check address, VPN and firewalls between this host and the API server.",
    ),
    (_is(socket.timeout), "deadline_exceeded", "no complete answer within {timeout:g} s."),
    (
        _says("wrong_version_number", "wrong version number", "http_request", "record layer failure"),
        "tls_not_spoken",
        "no TLS is spoken there. Should the address begin with http:// or name another port?",
    ),
    (_says("certificate_required", "certificate required"), "client_certificate_required", "a client certificate is required."),
    # Before TLS's other errors: a server that hangs up says no alert, and one that wants a client certificate may be gone before its alert is read.
    (
        _is(ssl.SSLEOFError, ssl.SSLZeroReturnError),
        "connection_closed",
        "the connection was closed within TLS. Does a Kubernetes API server listen there, and does it want a client certificate?",
    ),
    (_is(ssl.SSLError), "tls_alert", "the TLS handshake failed ({detail})."),
    (_errno(errno.ECONNRESET, errno.EPIPE), "connection_closed", "the connection was reset. Does a Kubernetes API server listen there?"),
    (_named("ProtocolError"), "connection_closed", "the connection broke, or no HTTP is spoken there ({detail})."),
)
