# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests over real sockets: what comes back, what is bounded, what is said where nothing comes back."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes import transport
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api, HttpError
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError, MissingLibrary, Unreachable, UpgradeRefused
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.certificates import Authority
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import FakeApiServer, status

MIB = 1 << 20


def api_of(fake: FakeApiServer, **params: Any) -> Api:
    return connect({"host": fake.url, "api_key": "t", **params}, timeout=5.0)


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port on loopback where `talk` has the connection to itself."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    talk(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_any_status_is_an_answer(fake: FakeApiServer) -> None:
    fake.answers["/x"] = lambda handler, query: status(418, "Teapot", "no coffee")
    response = api_of(fake).request("GET", "/x", query={"a": "b c", "n": 1})
    assert (response.status, response.message(), fake.requests[-1][2]) == (418, "no coffee", {"a": "b c", "n": "1"})


def test_only_some_lines_are_kept(fake: FakeApiServer) -> None:
    fake.answers["/metrics"] = lambda handler, query: (200, {}, b"# help\nwanted 1\nunwanted wanted 2\n" * 100_000 + b'wanted{x="y"} 3')
    response = api_of(fake).request("GET", "/metrics", only=(b"wanted ", b"wanted{"))
    assert response.body == b"wanted 1\n" * 100_000 + b'wanted{x="y"} 3\n'


def test_what_is_not_kept_counts_for_the_limit(fake: FakeApiServer) -> None:
    fake.answers["/metrics"] = lambda handler, query: (200, {}, b"unwanted\n" * 200_000)
    with pytest.raises(Unreachable, match="larger than 1 MiB"):
        api_of(fake).request("GET", "/metrics", only=(b"wanted ",), max_bytes=MIB)


def test_connecting_has_a_time_of_its_own() -> None:
    """A TLS handshake that does not end is part of it."""
    with raw_server(lambda connection: time.sleep(3)) as port:
        api = connect({"host": f"https://127.0.0.1:{port}", "api_key": "t", "validate_certs": False}, timeout=30.0)
        began = time.monotonic()
        with pytest.raises(Unreachable):
            api.request("GET", "/metrics", connect_timeout=0.3)
        assert time.monotonic() - began < 2


def test_redirects_are_not_followed(fake: FakeApiServer) -> None:
    fake.answers["/x"] = lambda handler, query: (302, {"Location": "/version"}, b"")
    assert api_of(fake).request("GET", "/x").status == 302
    assert len(fake.requests) == 1


def test_headers_bodies_and_impersonation(fake: FakeApiServer) -> None:
    seen: list[Any] = []
    fake.answers["/x"] = lambda handler, query: (seen.append(handler.headers), (200, {}, b"{}"))[1]
    api = api_of(fake, impersonate_user="jane", impersonate_groups=["a", "b"])
    api.request("PATCH", "/x", body={"a": 1}, content_type="application/merge-patch+json", headers={"X-Extra": "1"})
    headers = seen[0]
    assert headers["Authorization"] == "Bearer t"
    assert headers["Content-Type"] == "application/merge-patch+json"
    assert (headers["Impersonate-User"], headers.get_all("Impersonate-Group"), headers["X-Extra"]) == ("jane", ["a", "b"], "1")


def test_compressed_answers_are_bounded_as_they_unfold(fake: FakeApiServer) -> None:
    fake.answers["/small"] = lambda handler, query: (200, {"Content-Encoding": "gzip"}, gzip.compress(b'{"a": 1}'))
    fake.answers["/bomb"] = lambda handler, query: (200, {"Content-Encoding": "gzip"}, gzip.compress(b" " * (40 * MIB)))
    api = api_of(fake)
    assert api.request("GET", "/small").json() == {"a": 1}
    with pytest.raises(Unreachable, match="larger than 8 MiB") as failure:
        api.request("GET", "/bomb", max_bytes=8 * MIB)
    assert failure.value.cause == "invalid_response"


def test_not_json_is_a_value_error(fake: FakeApiServer) -> None:
    fake.answers["/html"] = lambda handler, query: (200, {}, b"<html>")
    fake.answers["/deep"] = lambda handler, query: (200, {}, b"[" * 200_000)
    for path in ("/html", "/deep"):
        with pytest.raises(ValueError):
            api_of(fake).request("GET", path).json()


@pytest.mark.parametrize(
    ("code", "method", "retry_after", "requests"),
    [(429, "GET", "0", 4), (503, "GET", "0", 4), (429, "POST", "0", 1), (429, "GET", "60", 1), (429, "GET", "", 1)],
)
def test_waits_as_asked_for_reads_alone(fake: FakeApiServer, code: int, method: str, retry_after: str, requests: int) -> None:
    fake.answers["/x"] = lambda handler, query: (code, {"Retry-After": retry_after} if retry_after else {}, b"")
    assert api_of(fake).request(method, "/x").status == code
    assert len(fake.requests) == requests


def test_a_kept_alive_connection_that_was_closed_is_replaced(fake: FakeApiServer) -> None:
    count = 0

    def hang_up(handler: Any, query: dict[str, str]) -> Any:
        nonlocal count
        count += 1
        if count == 2:
            handler.connection.shutdown(socket.SHUT_RDWR)
        return 200, {}, b"{}"

    fake.answers["/x"] = hang_up
    api = api_of(fake)
    assert [api.request("GET", "/x").status for dummy in range(2)] == [200, 200]
    assert count == 3


def drip(connection: socket.socket, head: bytes) -> None:
    connection.recv(4096)
    connection.sendall(head)
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def flood(connection: socket.socket, head: bytes, piece: bytes) -> None:
    connection.recv(4096)
    connection.sendall(head)
    while True:
        connection.sendall(piece)


HOSTILE: dict[str, tuple[Callable[[socket.socket], None], str]] = {
    "drips a header": (lambda peer: drip(peer, b"HTTP/1.1 200 OK\r\nX-Drip: "), "deadline_exceeded"),
    "drips a body": (lambda peer: drip(peer, b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"), "deadline_exceeded"),
    "says nothing": (lambda peer: time.sleep(1.5), "deadline_exceeded"),
    "endless header line": (lambda peer: flood(peer, b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536), "connection_closed"),
    "endless headers": (lambda peer: flood(peer, b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 100), "connection_closed"),
    "endless body": (lambda peer: flood(peer, b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536), "invalid_response"),
    "hangs up": (lambda peer: peer.recv(4096) and None, "connection_closed"),
    "truncates": (lambda peer: (peer.recv(4096), peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"))[1], "connection_closed"),
    "speaks something else": (lambda peer: peer.sendall(b"220 smtp ready\r\n"), "connection_closed"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_servers_cost_bounded_time_and_memory(name: str) -> None:
    talk, cause = HOSTILE[name]
    with raw_server(talk) as port:
        api = connect({"host": f"http://127.0.0.1:{port}", "api_key": "t"}, timeout=1.0)
        began = time.monotonic()
        with pytest.raises(Unreachable) as failure:
            api.request("GET", "/version", max_bytes=4 * MIB)
        assert failure.value.cause == cause
        assert f"http://127.0.0.1:{port}" in failure.value.message and "\n" not in failure.value.message
        assert time.monotonic() - began < 4  # one retry of a closed connection at most


@contextmanager
def tls_server(authority: Authority, names: tuple[str, ...] = ("127.0.0.1",), expired_days: int = 0, want_client: bool = False) -> Iterator[FakeApiServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server", names, expired_days))
    if want_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.ca)
    server = FakeApiServer(context)
    try:
        yield server
    finally:
        server.close()


def test_threads_do_not_garble_each_others_greetings(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL's own list of protocols is not replaced while connections are made (2 of 300,000 greetings were garbled by that)."""
    written: list[list[str]] = []
    real = ssl.SSLContext.set_alpn_protocols
    monkeypatch.setattr(ssl.SSLContext, "set_alpn_protocols", lambda self, protocols: (written.append(protocols), real(self, protocols)))
    with tls_server(authority) as server:
        api = api_of(server, ca_cert=str(authority.ca))
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda number: api.request("GET", "/version", headers={"Connection": "close"}).status, range(8)))
    assert answers == [200] * 8
    assert written == [["http/1.1"]]


def test_tls_as_kubectl_trusts(authority: Authority) -> None:
    with tls_server(authority) as server:
        assert api_of(server, ca_cert=str(authority.ca)).request("GET", "/version").status == 200


@pytest.mark.parametrize(
    ("names", "expired_days", "trusted", "cause", "advice"),
    [
        (("other.example",), 0, True, "name_mismatch", "tls-server-name"),
        (("127.0.0.1",), 2, True, "certificate_expired", "Renew"),
        (("127.0.0.1",), 0, False, "unknown_authority", "ca_cert"),
    ],
)
def test_tls_refusals(authority: Authority, names: tuple[str, ...], expired_days: int, trusted: bool, cause: str, advice: str) -> None:
    with tls_server(authority, names, expired_days) as server:
        with pytest.raises(Unreachable) as failure:
            api_of(server, **({"ca_cert": str(authority.ca)} if trusted else {})).request("GET", "/version")
        assert failure.value.cause == cause
        assert advice in failure.value.message
        assert api_of(server, validate_certs=False).request("GET", "/version").status == 200


def test_a_server_that_hangs_up_within_tls(authority: Authority) -> None:
    with raw_server(lambda peer: peer.recv(65536) and None) as port, pytest.raises(Unreachable) as failure:
        connect({"host": f"https://127.0.0.1:{port}", "api_key": "t", "ca_cert": str(authority.ca)}, timeout=1.0).request("GET", "/version")
    assert failure.value.cause == "connection_closed"
    assert "within TLS" in failure.value.message


def test_client_certificate_also_as_data(authority: Authority) -> None:
    certificate, key = authority.issue("client")
    user = {f"client-{name}-data": base64.b64encode(path.read_bytes()).decode() for name, path in (("certificate", certificate), ("key", key))}
    with tls_server(authority, want_client=True) as server:
        cluster = {"server": server.url, "certificate-authority": str(authority.ca)}
        contexts = [{"name": "c", "context": {"cluster": "c", "user": "u"}}]
        kubeconfig = {"current-context": "c", "contexts": contexts, "clusters": [{"name": "c", "cluster": cluster}], "users": [{"name": "u", "user": user}]}
        assert connect({"kubeconfig": kubeconfig}).request("GET", "/version").status == 200
        with pytest.raises(Unreachable) as failure:
            connect({"host": server.url, "api_key": "t", "ca_cert": str(authority.ca)}).request("GET", "/version")
        assert failure.value.cause in ("client_certificate_required", "connection_closed")


def test_a_client_key_that_is_none(authority: Authority) -> None:
    with pytest.raises(ConfigurationError, match="client certificate and key cannot be used"):
        connect({"host": "https://a", "client_cert": str(authority.ca), "client_key": str(authority.ca)})


@pytest.mark.parametrize("names", [("load-balancer.example",), ("kubernetes.default.svc",), ("127.0.0.1",)])
def test_one_instance_by_its_address(authority: Authority, names: tuple[str, ...]) -> None:
    with tls_server(authority, names) as server:
        configured = connect({"host": "https://load-balancer.example:6443", "api_key": "t", "ca_cert": str(authority.ca)})
        instance = configured.at("127.0.0.1", server.port)
        assert instance.server == server.url
        assert instance.request("GET", "/version").status == 200
        assert server.requests[-1][3]["Authorization"] == "Bearer t"


def test_threads_find_the_name_together(authority: Authority) -> None:
    with tls_server(authority, ("127.0.0.1",)) as server:
        instance = connect({"host": "https://load-balancer.example:6443", "api_key": "t", "ca_cert": str(authority.ca)}).at("127.0.0.1", server.port)
        found: list[int] = []
        threads = [threading.Thread(target=lambda: found.append(instance.request("GET", "/version").status)) for dummy in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert found == [200] * 8


def test_another_cluster_at_that_address(authority: Authority) -> None:
    with tls_server(authority, ("other.example",)) as server:
        configured = connect({"host": "https://load-balancer.example:6443", "api_key": "t", "ca_cert": str(authority.ca)})
        with pytest.raises(Unreachable) as failure:
            configured.at("127.0.0.1", server.port).request("GET", "/version")
        assert failure.value.cause == "name_mismatch"
        assert server.requests == []  # no token was sent


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "urllib3", None)
    with pytest.raises(MissingLibrary) as failure:
        connect({"host": "https://api", "api_key": "t"})
    assert failure.value.library == "kubernetes >= 24.2.0"


def test_nobody_there_and_no_such_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for host, cause in ((f"https://127.0.0.1:{port}", "connection_refused"), ("https://nobody.invalid", "dns_failure")):
        with pytest.raises(Unreachable) as failure:
            connect({"host": host, "api_key": "t"}).request("GET", "/version")
        assert failure.value.cause == cause


def test_plain_http_where_tls_is_expected(fake: FakeApiServer) -> None:
    with pytest.raises(Unreachable) as failure:
        connect({"host": f"https://127.0.0.1:{fake.port}", "api_key": "t"}, timeout=2).request("GET", "/version")
    assert failure.value.cause == "tls_not_spoken"


def test_tls_that_stalls() -> None:
    with raw_server(lambda peer: time.sleep(1)) as port, pytest.raises(Unreachable) as failure:
        connect({"host": f"https://127.0.0.1:{port}", "api_key": "t"}, timeout=0.5).request("GET", "/version")
    assert failure.value.cause == "tls_timeout"


def test_through_a_proxy_and_what_it_says(authority: Authority) -> None:
    asked: list[bytes] = []

    def refuse(peer: socket.socket) -> None:
        asked.append(peer.recv(4096))
        peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with raw_server(refuse) as port, pytest.raises(Unreachable) as failure:
        connect({"host": "https://api.example:6443", "api_key": "t", "proxy": f"http://user:secret@127.0.0.1:{port}"}).request("GET", "/version")
    assert failure.value.cause == "proxied"
    assert "403" in failure.value.message and "secret" not in failure.value.message
    assert asked[0].startswith(b"CONNECT api.example:6443") and b"Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=" in asked[0].replace(b"proxy-a", b"Proxy-A")


def config_maps(fake: FakeApiServer, count: int) -> None:
    fake.add("", "configmaps", *({"metadata": {"name": f"c{number}", "namespace": "n"}} for number in range(count)))


def listed(api: Api, limit: int = 3, **options: Any) -> list[str]:
    return [obj["metadata"]["name"] for page in api.pages("/api/v1/configmaps", limit=limit, **options) for obj in page["items"]]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 10])
def test_pages(fake: FakeApiServer, count: int) -> None:
    config_maps(fake, count)
    assert listed(api_of(fake)) == [f"c{number}" for number in range(count)]
    assert len(fake.asked("configmaps")) == max(1, -(-count // 3))


def test_an_expired_token_goes_on_where_the_api_server_offers_it(fake: FakeApiServer) -> None:
    config_maps(fake, 7)
    fake.expire["configmaps"] = ["inconsistent"]
    assert listed(api_of(fake)) == [f"c{number}" for number in range(7)]


def test_an_expired_token_without_offer_begins_again(fake: FakeApiServer) -> None:
    config_maps(fake, 7)
    fake.expire["configmaps"] = ["restart"]
    names = listed(api_of(fake))
    assert sorted(set(names)) == [f"c{number}" for number in range(7)] and len(names) == 10


def test_tokens_that_always_expire_end(fake: FakeApiServer) -> None:
    config_maps(fake, 7)
    fake.expire["configmaps"] = ["restart"] * 100
    with pytest.raises(HttpError) as failure:
        listed(api_of(fake))
    assert failure.value.status == 410


def test_a_forbidden_list(fake: FakeApiServer) -> None:
    fake.forbidden.add("configmaps")
    with pytest.raises(HttpError, match='User "test" cannot list resource "configmaps"') as failure:
        listed(api_of(fake))
    assert failure.value.status == 403


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"items": {"a": 1}}', b'"text"', b"<html>"])
def test_what_is_not_a_list(fake: FakeApiServer, body: bytes) -> None:
    fake.answers["/api/v1/configmaps"] = lambda handler, query: (200, {}, body)
    with pytest.raises(ValueError):
        listed(api_of(fake))


@pytest.mark.parametrize("indent", [None, 1])
def test_pages_without_the_word_are_skipped_however_they_are_written(fake: FakeApiServer, indent: int | None) -> None:
    def page(handler: Any, query: dict[str, str]) -> Any:
        number = int(query.get("continue", "0"))
        items = [{"metadata": {"name": f"c{number}"}, "word": "yes" if number == 1 else "no"}]
        metadata = {"resourceVersion": "1", **({"continue": str(number + 1)} if number < 2 else {})}
        content = {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": items}
        return 200, {}, json.dumps(content, indent=indent, separators=None if indent else (",", ":")).encode()

    fake.answers["/api/v1/configmaps"] = page
    assert "c1" in listed(api_of(fake), containing=(b'"yes"',))
    assert len(fake.asked("configmaps")) == 3


def test_many_threads_share_one_api(fake: FakeApiServer) -> None:
    config_maps(fake, 30)
    api, found = api_of(fake), []
    threads = [threading.Thread(target=lambda: found.append(len(listed(api)))) for dummy in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [30] * 8


def test_a_refused_upgrade_says_its_status(fake: FakeApiServer) -> None:
    pytest.importorskip("websocket")
    fake.answers["/api/v1/namespaces/n/pods/p/portforward"] = lambda handler, query: status(403, "Forbidden", "no right")
    with pytest.raises(UpgradeRefused) as failure:
        api_of(fake).websocket("/api/v1/namespaces/n/pods/p/portforward", {"ports": 1}, ("v4.channel.k8s.io",))
    assert (failure.value.status, failure.value.message) == (403, "no right")
    method, _path, query, headers = fake.requests[-1]
    assert (method, query, headers["Authorization"], headers["Sec-WebSocket-Protocol"]) == ("GET", {"ports": "1"}, "Bearer t", "v4.channel.k8s.io")
    assert headers["Accept"] == "*/*", "a kubelet answers 406 to every other one"
