# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS over any stream, offering what kube-apiserver's client offers, and trusting nothing and nobody. PRIVATE to the collection.

Certificates are not judged here: what is served comes back as PEM, and `cabundle_verify` says whether the API server
would trust it. So weak keys and signatures have to be *seen* (security level 0).
"""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import Any, Callable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline, OutOfTime
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.dial import Stream
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import ProbeFailed

HANDSHAKE_TIMEOUT = 10.0  # seconds; TLSHandshakeTimeout of client-go (transport/cache.go)
_READ = 32 * 1024
_MOST_SEEN = 256 * 1024

# Go's default cipher suites for TLS 1.2 (crypto/tls defaults.go): a server that shares none of them fails in the API server too.
_CIPHERS = ":".join(
    f"ECDHE-{key}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")
    for key in ("ECDSA", "RSA")
)

# Alerts about the client's certificate (the API server's texts are classified by the same list) ...
_ABOUT_CERTIFICATE = ("certificate required", "bad certificate", "unknown certificate", "unknown certificate authority")
# ... and those by which some servers refuse a client that sent none (OpenSSL in TLS 1.2: handshake failure), but which mean other things as well.
_PERHAPS_ABOUT_CERTIFICATE = ("handshake failure", "access denied")


@lru_cache(maxsize=64)
def client_context(client_cert: str | None = None, client_key: str | None = None) -> ssl.SSLContext:
    """A context that verifies nothing. Raises OSError where the client certificate or its key cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # Go's client default
    context.set_ciphers(_CIPHERS + ":@SECLEVEL=0")
    context.set_alpn_protocols(["http/1.1"])  # k8s.io/apiserver pkg/util/webhook/client.go, NextProtos
    if client_cert:
        context.load_cert_chain(client_cert, client_key, password=lambda: "")  # never ask on a terminal
    return context


class TlsStream:
    """A TLS session over `raw`, itself a Stream. Closed without close_notify, recv raises ssl.SSLEOFError."""

    def __init__(self, raw: Stream, context: ssl.SSLContext, server_name: str, has_certificate: bool) -> None:
        self._raw = raw
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=askable(server_name))
        self._has_certificate = has_certificate
        self._seen = bytearray()  # what the server sent during the handshake
        self._open = False

    def handshake(self, deadline: Deadline) -> None:
        """Raises ProbeFailed (phase tls)."""
        try:
            self._pump(self._tls.do_handshake, deadline.sooner(HANDSHAKE_TIMEOUT))
        except OutOfTime:
            raise self._not_tls() or ProbeFailed("tls", "tls_timeout", "net/http: TLS handshake timeout", permanent=True) from None
        except ssl.SSLEOFError as error:
            raise self._not_tls() or ProbeFailed("tls", "connection_closed", "EOF") from error
        except ssl.SSLError as error:
            raise self._not_tls() or self.failure(error) from error
        except OSError as error:
            raise self._not_tls() or ProbeFailed("tls", "connection_closed", f"read: {(error.strerror or str(error)).lower()}") from error
        self._open = True
        self._seen.clear()

    def send(self, data: bytes, deadline: Deadline) -> None:
        self._pump(lambda: self._tls.write(data), deadline)

    def recv(self, size: int, deadline: Deadline) -> bytes:
        try:
            return self._pump(lambda: self._tls.read(size), deadline)
        except ssl.SSLZeroReturnError:
            return b""

    def close(self) -> None:
        self._raw.close()

    def described(self) -> dict[str, Any]:
        """The `tls` key of a result: version, and the chain as served, leaf first, as PEM (before Python 3.10 the leaf alone)."""
        return {"version": self._tls.version(), "chain": [ssl.DER_cert_to_PEM_cert(der) for der in _chain(self._tls)]}

    def failure(self, error: ssl.SSLError) -> ProbeFailed:
        """What an error of OpenSSL means: an alert of the server's, or what this side could not accept.

        In TLS 1.3 the server judges the client's certificate after the handshake: its alert comes with the first read.
        """
        reason = error.reason or str(error)
        alert = alert_words(reason)
        if alert is None:
            words = _OURS.get(reason, reason.lower().replace("_", " "))
            return ProbeFailed("tls", "tls_alert", f"tls: {words}", permanent=True)
        asked = not self._has_certificate and (self._open or asks_for_certificate(bytes(self._seen)))
        about_certificate = alert in _ABOUT_CERTIFICATE or (asked and alert in _PERHAPS_ABOUT_CERTIFICATE)
        cause = "client_certificate_required" if about_certificate else "tls_alert"
        return ProbeFailed("tls", cause, f"remote error: tls: {alert}", permanent=True)

    def _not_tls(self) -> ProbeFailed | None:
        if self._seen and not looks_like_tls(bytes(self._seen[:5])):
            return ProbeFailed("tls", "tls_not_spoken", "tls: first record does not look like a TLS handshake", permanent=True)
        return None

    def _pump(self, operation: Callable[[], Any], deadline: Deadline) -> Any:
        """Run an operation of the TLS engine, carrying bytes between it and the raw stream until it is done."""
        while True:
            try:
                result = operation()
            except ssl.SSLWantReadError:
                self._flush(deadline)
                self._feed(deadline)
                continue
            except ssl.SSLError:
                self._say_goodbye(deadline)
                raise
            self._flush(deadline)
            return result

    def _feed(self, deadline: Deadline) -> None:
        data = self._raw.recv(_READ, deadline)
        if not data:
            self._incoming.write_eof()
            return
        self._incoming.write(data)
        if not self._open and len(self._seen) < _MOST_SEEN:
            self._seen += data

    def _flush(self, deadline: Deadline) -> None:
        data = self._outgoing.read()
        if data:
            self._raw.send(data, deadline)

    def _say_goodbye(self, deadline: Deadline) -> None:
        """Send the alert that the engine has ready, so that the server's log says why; the failure is known already."""
        try:
            self._flush(deadline)
        except (OutOfTime, OSError):
            self._outgoing.read()


def askable(server_name: str) -> str | None:
    """The name in the form in which SNI can carry it, None where it cannot: then the server is asked for no name, as by Go."""
    try:
        return server_name.encode("idna").decode("ascii") or None
    except UnicodeError:
        return None


def looks_like_tls(record: bytes) -> bool:
    """Whether the first bytes of a server are a TLS record, by the rule of Go's crypto/tls (conn.go, readRecordOrCCS)."""
    return record[0] in (0x15, 0x16) and (len(record) < 3 or record[1] < 0x10)


def alert_words(reason: str) -> str | None:
    """The words of Go's crypto/tls for an alert that OpenSSL reports (`TLSV13_ALERT_CERTIFICATE_REQUIRED`), None if it is none."""
    prefix, mark, name = reason.partition("_ALERT_")
    if not mark:
        prefix, _mark, name = reason.partition("_")
        if name not in _BARE_ALERTS:
            return None
    if prefix not in ("SSLV3", "TLSV1", "TLSV13"):
        return None
    words = name.lower().replace("_", " ")
    return _GO_ALERTS.get(words, words)


def asks_for_certificate(seen: bytes) -> bool:
    """Whether a TLS 1.2 server sent CertificateRequest in the clear part of its handshake (RFC 5246 7.4.4); False for TLS 1.3, where it is encrypted."""
    messages = bytearray()
    while len(seen) >= 5 and seen[0] == 0x16:
        length = int.from_bytes(seen[3:5], "big")
        messages += seen[5 : 5 + length]
        seen = seen[5 + length :]
    while len(messages) >= 4:
        if messages[0] == 13:
            return True
        del messages[: 4 + int.from_bytes(messages[1:4], "big")]
    return False


def _chain(tls: ssl.SSLObject) -> list[bytes]:
    """The served certificates as DER. Public from Python 3.13, in the engine from 3.10."""
    if hasattr(tls, "get_unverified_chain"):
        return list(tls.get_unverified_chain() or ())
    engine: Any = getattr(tls, "_sslobj", None)
    if hasattr(engine, "get_unverified_chain"):
        return [ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in engine.get_unverified_chain() or ()]
    leaf = tls.getpeercert(binary_form=True)
    return [leaf] if leaf else []


_BARE_ALERTS = ("UNRECOGNIZED_NAME", "UNSUPPORTED_EXTENSION", "CERTIFICATE_UNOBTAINABLE", "BAD_CERTIFICATE_STATUS_RESPONSE", "BAD_CERTIFICATE_HASH_VALUE")
# Where Go's words (crypto/tls alert.go) are not OpenSSL's.
_GO_ALERTS = {
    "unknown ca": "unknown certificate authority",
    "certificate unknown": "unknown certificate",
    "certificate expired": "expired certificate",
    "certificate revoked": "revoked certificate",
    "protocol version": "protocol version not supported",
    "insufficient security": "insufficient security level",
    "decode error": "error decoding message",
    "decrypt error": "error decrypting message",
    "bad record mac": "bad record MAC",
}
# Go's words for what the client itself refuses.
_OURS = {
    "UNSUPPORTED_PROTOCOL": "server selected unsupported protocol version",
    "WRONG_SSL_VERSION": "server selected unsupported protocol version",
    "EXCESSIVE_MESSAGE_SIZE": "handshake message exceeds the maximum size",
    "WRONG_CIPHER_RETURNED": "server chose an unconfigured cipher suite",
}
