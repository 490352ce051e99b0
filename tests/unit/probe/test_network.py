# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, addresses, connections and proxies."""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._classify import classify
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe import dial
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.certificates import issue
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.servers import Behaviour, dead_port, healthy, serving, silent, tls

Probe = Callable[..., dict[str, Any]]


def resolver(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str, int], Any]) -> None:
    """Names are answered by `answer`; addresses, which need no resolver, as ever."""
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        return real(host, port, *args, **kwargs) if kwargs.get("flags") else answer(host, port)

    monkeypatch.setattr(dial.socket, "getaddrinfo", getaddrinfo)


def entry(address: str, port: int) -> tuple[Any, ...]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.SOCK_STREAM, 6, "", (address, port, 0, 0) if ":" in address else (address, port)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("[::1]", "[::1]")])
def test_refused(probe: Probe, host: str, shown: str) -> None:
    with dead_port(host.strip("[]")) as port:
        result = probe(host=host, port=port, review="admission")
    assert (result["ok"], result["phase"], result["cause"]) == (False, "connect", "connection_refused")
    assert result["error"] == f"dial tcp {shown}:{port}: connect: connection refused"
    assert result["peer"]["address"] == f"{shown}:{port}"
    assert result["elapsed_ms"]["tls"] is None


def test_ipv6(certificates: Path, probe: Probe) -> None:
    with serving(tls(issue(certificates, "six", names=("::1",)), healthy), host="::1") as server:
        result = probe(host="::1", port=server.port, server_name="::1", review="admission")
    assert result["ok"], result
    assert result["peer"]["address"] == f"[::1]:{server.port}"


def test_a_dropped_syn_is_a_connect_timeout(probe: Probe) -> None:
    """Linux drops the SYN of a connection for which a full accept queue has no room."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _filler in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        time.sleep(0.2)
        began = time.monotonic()
        result = probe(host="127.0.0.1", port=full.getsockname()[1], review="admission", timeout=1.0, retries=3)
        took = time.monotonic() - began
        for filler in fillers:
            filler.close()
    assert (result["ok"], result["phase"], result["cause"]) == (False, "connect", "connect_timeout")
    assert result["error"].endswith(": i/o timeout")
    assert result["attempts"] == 1, "a time-out has already cost a whole attempt"
    assert 1.0 <= took < 2.0


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ECONNREFUSED, "connection_refused"),
        (errno.ETIMEDOUT, "connect_timeout"),
        (errno.EHOSTUNREACH, "no_route"),
        (errno.ENETUNREACH, "no_route"),
        (errno.EHOSTDOWN, "no_route"),
        (errno.ECONNRESET, "connection_closed"),
        (errno.EMFILE, "unknown"),
    ],
)
def test_errors_of_connect(number: int, cause: str) -> None:
    failure = dial.connect_failure(OSError(number, os.strerror(number)), "192.0.2.1:443")
    assert (failure.phase, failure.cause) == ("connect", cause)
    if cause != "unknown":
        text = f'Internal error occurred: failed calling webhook "a.b.c": failed to call webhook: Post "https://s.n.svc:443/?timeout=10s": {failure.error}'
        assert classify(text)["cause"] == cause, "the same text from the API server is classified alike"


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch, probe: Probe) -> None:
    def nobody(host: str, port: int) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    resolver(monkeypatch, nobody)
    result = probe(host="nosuch.example.com", port=443, review="admission")
    assert (result["ok"], result["phase"], result["cause"]) == (False, "resolve", "dns_failure")
    assert result["error"] == "lookup nosuch.example.com: no such host"
    assert result["peer"] == {"address": None}
    assert result["elapsed_ms"]["connect"] is None


@pytest.mark.parametrize("host", ["a" * 64 + ".example.com", "a..b", "\u00fc" * 70])
def test_a_host_that_cannot_be_a_name(probe: Probe, host: str) -> None:
    result = probe(host=host, port=443, server_name="", review="admission")
    assert (result["phase"], result["cause"]) == ("resolve", "dns_failure"), result


def test_a_resolver_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, probe: Probe) -> None:
    release = threading.Event()
    resolver(monkeypatch, lambda host, port: release.wait(10) and [])
    began = time.monotonic()
    result = probe(host="slow.example.com", port=443, review="admission", timeout=0.5)
    took = time.monotonic() - began
    release.set()
    assert (result["phase"], result["cause"], result["error"]) == ("resolve", "dns_failure", "lookup slow.example.com: i/o timeout")
    assert took < 1.5


def test_the_second_address_is_tried(monkeypatch: pytest.MonkeyPatch, pem: Path, probe: Probe) -> None:
    with serving(tls(pem, healthy)) as server:
        resolver(monkeypatch, lambda host, port: [entry("::1", port), entry("127.0.0.1", port)])
        result = probe(host="two.example.com", port=server.port, review="admission")
    assert result["ok"] and result["peer"]["address"] == f"127.0.0.1:{server.port}"


def test_the_first_failure_is_reported(monkeypatch: pytest.MonkeyPatch, probe: Probe) -> None:
    with dead_port("::1") as port:
        resolver(monkeypatch, lambda host, _port: [entry("::1", port), entry("127.0.0.1", 1)])
        result = probe(host="two.example.com", port=port, review="admission")
    assert result["cause"] == "connection_refused"
    assert result["peer"]["address"] == f"[::1]:{port}" and f"[::1]:{port}" in result["error"]


# Proxies.


def forward_proxy(seen: list[str]) -> Behaviour:
    """A real little proxy: CONNECT, then bytes in both directions."""

    def behave(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        seen.append(head.decode())
        host, _colon, port = head.split(b" ")[1].rpartition(b":")
        with socket.create_connection((host.decode().strip("[]"), int(port)), timeout=5) as target:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            pair = {connection: target, target: connection}
            while True:
                for ready in select.select(list(pair), [], [], 10)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    pair[ready].sendall(data)

    return behave


def proxy_says(data: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(data)

    return behave


def test_through_a_proxy(monkeypatch: pytest.MonkeyPatch, pem: Path, probe: Probe) -> None:
    seen: list[str] = []
    with serving(tls(pem, healthy)) as server, serving(forward_proxy(seen)) as proxy:
        result = probe(host="127.0.0.1", port=server.port, review="admission", proxy=f"http://user:p%40ss@127.0.0.1:{proxy.port}")
    assert result["ok"], result
    assert seen[0].startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n")
    assert "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in seen[0]
    assert result["peer"]["address"] == f"127.0.0.1:{proxy.port}"


def test_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch, pem: Path, probe: Probe) -> None:
    with serving(tls(pem, healthy)) as server, dead_port() as port:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        assert probe(host="127.0.0.1", port=server.port, review="admission")["ok"]


PROXIES: list[tuple[str, Behaviour, str]] = [
    ("503", proxy_says(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nnope"), "answered CONNECT hook.example.com:443: 503 Service Unavailable"),
    ("403", proxy_says(b"HTTP/1.0 403 Access violation\r\n\r\n"), "403 Access violation"),
    ("407", proxy_says(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), "407 Proxy Authentication Required"),
    ("garbage", proxy_says(b"\x05\x00what?\r\n"), "did not answer CONNECT hook.example.com:443: malformed HTTP response"),
    ("closes", proxy_says(b""), "did not answer CONNECT hook.example.com:443: EOF"),
    ("silence", silent, "did not answer CONNECT hook.example.com:443 in time"),
]


@pytest.mark.parametrize(("behave", "words"), [pytest.param(*row[1:], id=row[0]) for row in PROXIES])
def test_proxies_that_do_not_pass(probe: Probe, behave: Behaviour, words: str) -> None:
    """The name is given to the proxy as it is, never resolved here."""
    with serving(behave) as proxy:
        result = probe(host="hook.example.com", port=443, review="admission", proxy=f"http://me:secret@127.0.0.1:{proxy.port}", timeout=1.0)
    assert (result["ok"], result["phase"], result["cause"]) == (False, "connect", "proxied"), result
    assert words in result["error"]
    assert "secret" not in repr(result)


def test_a_proxy_that_is_not_there(probe: Probe) -> None:
    with dead_port() as port:
        result = probe(host="hook.example.com", port=443, review="admission", proxy=f"http://127.0.0.1:{port}")
    assert (result["phase"], result["cause"]) == ("connect", "proxied")
    assert result["error"].startswith("proxyconnect tcp: dial tcp 127.0.0.1:") and result["error"].endswith("connection refused")
    assert classify(f'failed calling webhook "a.b.c": failed to call webhook: Post "https://s.n.svc:443/": {result["error"]}')["cause"] == "proxied"
