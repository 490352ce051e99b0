# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure parts of TLS: alerts, first bytes, CertificateRequest; and the chain by each of the ways that Python versions have."""

from __future__ import annotations

import ssl
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._classify import classify
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe import tls


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "certificate required"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "bad certificate"),
        ("TLSV1_ALERT_UNKNOWN_CA", "unknown certificate authority"),
        ("SSLV3_ALERT_CERTIFICATE_UNKNOWN", "unknown certificate"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "protocol version not supported"),
        ("TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "no application protocol"),
        ("TLSV1_UNRECOGNIZED_NAME", "unrecognized name"),
        ("UNSUPPORTED_PROTOCOL", None),
        ("WRONG_VERSION_NUMBER", None),
        ("EXCESSIVE_MESSAGE_SIZE", None),
    ],
)
def test_alerts(reason: str, words: str | None) -> None:
    assert tls.alert_words(reason) == words


@pytest.mark.parametrize(
    "reason",
    [
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_ALERT_INTERNAL_ERROR",
        "UNSUPPORTED_PROTOCOL",
        "BAD_SIGNATURE",
    ],
)
def test_the_api_servers_texts_get_the_same_cause(reason: str) -> None:
    stream = tls.TlsStream(None, tls.client_context(), "a.b.svc", has_certificate=False)  # type: ignore[arg-type]
    error = ssl.SSLError(1, reason)
    error.reason = reason
    failure = stream.failure(error)
    text = f'Internal error occurred: failed calling webhook "a.b.c": failed to call webhook: Post "https://s.n.svc:443/?timeout=10s": {failure.error}'
    assert classify(text)["cause"] == failure.cause, failure.error


@pytest.mark.parametrize(
    ("data", "is_tls"),
    [
        (b"\x16\x03\x01\x02\x00", True),
        (b"\x15\x03\x03\x00\x02", True),
        (b"\x16", True),
        (b"HTTP/", False),
        (b"\x16\x68\x69\x20\x21", False),
        (b"\x00\x00\x12\x04\x00", False),
    ],
)
def test_first_bytes(data: bytes, is_tls: bool) -> None:
    assert tls.looks_like_tls(data) is is_tls


def record(*messages: tuple[int, bytes]) -> bytes:
    body = b"".join(bytes((kind,)) + len(content).to_bytes(3, "big") + content for kind, content in messages)
    return b"\x16\x03\x03" + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize(
    ("seen", "asks"),
    [
        (record((2, b"x" * 40), (11, b"y" * 300), (13, b"z"), (14, b"")), True),
        (record((2, b"x" * 40)) + record((11, b"y" * 300)) + record((13, b"z" * 9)), True),
        (record((2, b"x" * 40), (11, b"\x0d" * 300), (14, b"")), False),
        (record((2, b"x" * 40)) + b"\x14\x03\x03\x00\x01\x01" + record((13, b"z")), False),
        (record((2, b"x" * 40))[:-3], False),
        (b"HTTP/1.1 400", False),
        (b"", False),
    ],
)
def test_certificate_request(seen: bytes, asks: bool) -> None:
    assert tls.asks_for_certificate(seen) is asks


DER = b"\x30\x03\x02\x01\x01"


class Engine:
    def get_unverified_chain(self) -> list[Any]:
        return [SimpleNamespace(public_bytes=lambda: ssl.DER_cert_to_PEM_cert(DER)), SimpleNamespace(public_bytes=lambda: ssl.DER_cert_to_PEM_cert(DER))]


@pytest.mark.parametrize(
    ("session", "count"),
    [
        pytest.param(SimpleNamespace(get_unverified_chain=lambda: [DER, DER]), 2, id="Python 3.13"),
        pytest.param(SimpleNamespace(_sslobj=Engine()), 2, id="Python 3.10 to 3.12"),
        pytest.param(SimpleNamespace(_sslobj=object(), getpeercert=lambda binary_form: DER), 1, id="Python 3.9"),
        pytest.param(SimpleNamespace(_sslobj=object(), getpeercert=lambda binary_form: None), 0, id="no certificate"),
    ],
)
def test_chain(session: Any, count: int) -> None:
    assert tls._chain(session) == [DER] * count
