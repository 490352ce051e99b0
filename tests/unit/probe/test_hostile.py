# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that want to be read for ever: bounded time, bounded memory, the right cause."""

from __future__ import annotations

import datetime
import socket
import ssl
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.http1 import MAX_BODY, MAX_HEAD
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.certificates import issue
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.servers import PATIENCE, Behaviour, flooding, healthy, serving, silent, tls

Probe = Callable[..., dict[str, Any]]
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
JUNK = b"x" * 16384
MEMORY = 8 * 1024 * 1024  # bytes that one probe may allocate at most


def many_fields() -> Behaviour:
    return flooding(OK, b"X-Filler: y\r\n" * 1000)


FLOODS: list[tuple[str, Behaviour, str, str]] = [
    ("header line without end", flooding(OK + b"X-Long: ", JUNK), "not_an_admission_server", "header does not end"),
    ("header fields without end", many_fields(), "not_an_admission_server", "header does not end"),
    ("status line without end", flooding(b"HTTP/1.1 200 ", JUNK), "not_an_admission_server", "header does not end"),
    ("no line at all", flooding(b"", JUNK), "not_an_admission_server", "malformed HTTP response"),
    ("informational answers without end", flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "not_an_admission_server", "too many 1xx"),
    ("body without length and end", flooding(OK + b"\r\n", JUNK), "not_an_admission_server", f"longer than {MAX_BODY} bytes"),
    ("chunks without end", flooding(CHUNKED, b"4000\r\n" + JUNK + b"\r\n"), "not_an_admission_server", f"longer than {MAX_BODY}"),
    ("a chunk of 4 GB", flooding(OK + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", JUNK), "not_an_admission_server", f"longer than {MAX_BODY}"),
    ("a chunk size without end", flooding(CHUNKED, b"1" * 4096), "not_an_admission_server", "header does not end"),
    ("a chunk size that is no number", flooding(OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", JUNK), "not_an_admission_server", "chunk length"),
    ("a length of 100 GB", flooding(OK + b"Content-Length: 107374182400\r\n\r\n", JUNK), "not_an_admission_server", "announces 107374182400 bytes"),
    ("a length of a thousand digits", flooding(OK + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\n", JUNK), "not_an_admission_server", "Content-Length"),
    ("a negative length", flooding(OK + b"Content-Length: -1\r\n\r\n", JUNK), "not_an_admission_server", "Content-Length"),
    ("a field without a colon", flooding(OK + b"nonsense\r\n\r\n", JUNK), "not_an_admission_server", "malformed MIME header"),
]  # fmt: skip


@pytest.mark.parametrize(("behave", "cause", "words"), [pytest.param(*row[1:], id=row[0]) for row in FLOODS])
def test_floods(pem: Path, probe: Probe, behave: Behaviour, cause: str, words: str) -> None:
    with serving(tls(pem, behave)) as server:
        tracemalloc.start()
        began = time.monotonic()
        result = probe(host=server.host, port=server.port, review="admission", timeout=10.0)
        took = time.monotonic() - began
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (result["ok"], result["phase"], result["cause"]) == (False, "http", cause), result
    assert words in result["error"]
    assert took < 5.0, "it is the size that ends it, not the clock"
    assert peak < MEMORY
    assert len(result["error"]) < 500
    assert result["http"] is None or len(result["http"]["body"]) <= 2048


def test_limits_are_as_documented() -> None:
    assert (MAX_HEAD, MAX_BODY) == (64 * 1024, 1024 * 1024)


def test_a_certificate_chain_of_10_mb_is_not_taken(certificates: Path, probe: Probe) -> None:
    huge = issue(certificates, "huge", bulk=10 * 1024 * 1024)
    with serving(tls(huge, healthy)) as server:
        tracemalloc.start()
        result = probe(host=server.host, port=server.port, review="admission", timeout=10.0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (result["ok"], result["phase"], result["cause"]) == (False, "tls", "tls_alert"), result
    assert "handshake message exceeds the maximum size" in result["error"]
    assert result["tls"] is None
    assert peak < MEMORY


def test_a_certificate_of_40_kb_is_taken(certificates: Path, probe: Probe) -> None:
    big = issue(certificates, "big", bulk=40 * 1024)
    with serving(tls(big, healthy)) as server:
        assert probe(host=server.host, port=server.port, review="admission")["ok"]


def drips_a_handshake(connection: socket.socket) -> None:
    connection.recv(65536)
    until = time.monotonic() + PATIENCE
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while time.monotonic() < until:
        connection.sendall(b"\x03")
        time.sleep(0.05)


def floods_handshake(connection: socket.socket) -> None:
    connection.recv(65536)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        connection.sendall(b"\x16\x03\x03\x40\x00" + b"\x00" * 16384)


def floods_warnings(connection: socket.socket) -> None:
    connection.recv(65536)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        connection.sendall(b"\x15\x03\x03\x00\x02\x01\x5a" * 100)


@pytest.mark.parametrize(
    ("behave", "cause"),
    [
        pytest.param(drips_a_handshake, "tls_timeout", id="drips a handshake"),
        pytest.param(floods_handshake, "tls_timeout", id="empty handshake messages without end"),
        pytest.param(floods_warnings, "tls_alert", id="warnings without end"),
        pytest.param(lambda connection: connection.sendall(bytes(range(256)) * 256), "tls_not_spoken", id="noise"),
    ],
)
def test_handshakes(probe: Probe, behave: Behaviour, cause: str) -> None:
    began = time.monotonic()
    with serving(behave) as server:
        result = probe(host=server.host, port=server.port, review="admission", timeout=1.0)
        took = time.monotonic() - began
    assert (result["phase"], result["cause"]) == ("tls", cause), result
    assert took < 3.0


def test_never_reads(pem: Path, probe: Probe) -> None:
    """A server that stops reading cannot hold the probe up either."""

    def behave(connection: socket.socket) -> None:
        time.sleep(3)

    with serving(tls(pem, behave)) as server:
        result = probe(host=server.host, port=server.port, review="admission", timeout=1.0)
    assert (result["phase"], result["cause"]) == ("http", "deadline_exceeded")


def test_certificate_dates_and_names_do_not_stop_the_probe(certificates: Path, probe: Probe) -> None:
    """Trust is judged elsewhere: an expired certificate for somebody else still leads to an answer."""
    expired = issue(certificates, "expired", names=("ip-192-168-1-1.ec2.internal",), ends=-datetime.timedelta(days=1))
    with serving(tls(expired, healthy)) as server:
        result = probe(host=server.host, port=server.port, review="admission")
    assert result["ok"] and result["phase"] == "review"


@pytest.mark.parametrize("arguments", [("-sha1",), ("-sha256",)], ids=["SHA-1 signature", "small key"])
def test_weak_certificates_are_seen(tmp_path: Path, probe: Probe, arguments: tuple[str, ...]) -> None:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:1024",
        "-nodes",
        "-subj",
        "/CN=weak",
        "-days",
        "2",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
        *arguments,
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    weak = tmp_path / "weak.pem"
    weak.write_text((tmp_path / "cert.pem").read_text() + (tmp_path / "key.pem").read_text())
    with serving(tls(weak, healthy)) as server:
        result = probe(host=server.host, port=server.port, review="admission")
    assert result["ok"], result
    assert len(result["tls"]["chain"]) == 1


def test_sni_and_alpn_are_those_of_the_api_server(pem: Path, probe: Probe) -> None:
    asked: list[Any] = []

    def configure(context: ssl.SSLContext) -> None:
        context.set_alpn_protocols(["h2", "http/1.1"])
        context.sni_callback = lambda sock, name, ctx: asked.append(name)

    def behave(connection: ssl.SSLSocket) -> None:  # type: ignore[misc]
        asked.append(connection.selected_alpn_protocol())
        healthy(connection)

    with serving(tls(pem, behave, configure)) as server:  # type: ignore[arg-type]
        assert probe(host=server.host, port=server.port, review="admission")["ok"]
        assert probe(host=server.host, port=server.port, server_name="a" * 64 + ".example.com", review="admission")["ok"], (
            "a name that SNI cannot carry is not sent"
        )
        assert probe(host=server.host, port=server.port, server_name="127.0.0.1", review="admission")["ok"], "nor is an address"
    assert asked == ["hook.ns.svc", "http/1.1", None, "http/1.1", None, "http/1.1"]


def test_nothing_but_python_is_needed(pem: Path) -> None:
    """A direct probe imports neither kubernetes nor cryptography, nor what talks to an API server."""
    program = """
import json, sys
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.endpoint import parse_endpoints
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.run import Budget, check_all
result = check_all(parse_endpoints([{"name": "x", "host": "127.0.0.1", "port": int(sys.argv[1])}], 3), Budget(5, 4, 0))[0]
assert result["ok"], result
libraries = ("kubernetes", "cryptography", "urllib3", "websocket")
foreign = [name for name in sys.modules if name.split(".")[0] in libraries or "._kubernetes" in name or "._errors" in name]
assert not foreign, foreign
"""
    with serving(tls(pem, silent)) as server:
        subprocess.run([sys.executable, "-c", program, str(server.port)], check=True)
