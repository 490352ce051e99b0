# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach one API server and who to be there: a value, and what is derived from it. PRIVATE to the collection."""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError


@dataclass(frozen=True)
class Settings:
    """Certificates and keys are PEM. `ca` empty: the system's roots. `proxy`: a URL, None for no proxy (already decided by no_proxy)."""

    server: str
    cluster: str
    ca: bytes = b""
    client_cert: bytes = b""
    client_key: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()  # Impersonate-Group, a header that is repeated
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = None
    proxy_headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return urlsplit(self.server).hostname or ""


_PROTOCOLS = ["http/1.1"]


class _Context(ssl.SSLContext):
    """Holds every certificate against one name, whatever the library that uses it passes (urllib3 1.26 passes none for an address).

    Its protocols are set once: urllib3 sets them again for each connection, which frees what OpenSSL copies into the greetings that other threads make
    meanwhile, and the server then refuses a garbled one (decode_error).
    """

    name: str
    _protocols: list[str] | None = None

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        wanted = list(alpn_protocols)
        if wanted != self._protocols:
            super().set_alpn_protocols(wanted)
            self._protocols = wanted

    def wrap_socket(self, sock: Any, *args: Any, **kwargs: Any) -> Any:
        return super().wrap_socket(sock, *args, **{**kwargs, "server_hostname": self.name})


def tls_context(settings: Settings) -> ssl.SSLContext:
    """A client context that trusts as Go does, so that what kubectl accepts is accepted here.

    Any certificate of the bundle is an anchor (PARTIAL_CHAIN), and the extensions that Python >= 3.13 demands of
    a CA by default (VERIFY_X509_STRICT) are not demanded: clusters of old age lack them.
    """
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.name = settings.server_name or settings.host
    context.set_alpn_protocols(_PROTOCOLS)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif settings.ca:
        context.verify_flags |= getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)
        try:
            context.load_verify_locations(cadata=settings.ca.decode("ascii", "replace"))
        except ssl.SSLError as error:
            raise ConfigurationError(
                f"{settings.cluster}: the certificate authority to trust is not PEM ({error.reason or error}). Expected one or more BEGIN CERTIFICATE blocks."
            ) from error
    else:
        context.load_default_certs()
    if settings.client_cert:
        _load_client_certificate(context, settings)
    return context


def bypasses_proxy(server: str, no_proxy: str) -> bool:
    """Whether `no_proxy` (comma-separated names, domains, addresses, CIDRs, or *) excludes the server's host. Pure."""
    host = (urlsplit(server).hostname or "").lower()
    address = _address(host)
    for entry in (item.strip().lower() for item in no_proxy.split(",")):
        if entry == "*":
            return True
        if not entry:
            continue
        if address is not None:
            try:
                if address in ipaddress.ip_network(entry, strict=False):
                    return True
            except ValueError:
                pass  # a name, which is compared below
        name = entry.lstrip(".").rsplit(":", 1)[0] if entry.count(":") == 1 else entry.lstrip(".")
        if host == name or host.endswith("." + name):
            return True
    return False


def environment_proxy(server: str, environ: Mapping[str, str]) -> tuple[str | None, str]:
    """The (proxy, no_proxy) of the environment for this server, as Go and the Python client read them; loopback is never proxied."""
    url = urlsplit(server)
    address = _address(url.hostname or "")
    if url.hostname == "localhost" or (address is not None and address.is_loopback):
        return None, ""
    name = "https_proxy" if url.scheme == "https" else "http_proxy"
    return environ.get(name) or environ.get(name.upper()) or None, environ.get("no_proxy") or environ.get("NO_PROXY") or ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _load_client_certificate(context: ssl.SSLContext, settings: Settings) -> None:
    """Python's ssl reads certificates from files only: the key lies in a file of mode 0600 for as long as that takes."""
    with tempfile.TemporaryDirectory(prefix="webhook-doctor-") as directory:
        path = Path(directory) / "client.pem"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(settings.client_cert.rstrip() + b"\n" + settings.client_key)
        try:
            context.load_cert_chain(path)
        except ssl.SSLError as error:
            raise ConfigurationError(
                f"{settings.cluster}: client certificate and key cannot be used ({error.reason or error}). Expected both as PEM, the key without passphrase."
            ) from error
