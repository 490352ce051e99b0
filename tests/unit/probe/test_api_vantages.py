# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""port_forward and service_proxy, through a server that speaks as an API server does, to a real TLS back end."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.apiservers import ERROR, WebSocket, answering, api_server, forwarding, status
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.servers import Behaviour, admission, dead_port, healthy, http, raw_answer, serving, silent, tls

Probe = Callable[..., dict[str, Any]]
POD = {"vantage": "port_forward", "namespace": "ns", "pod": "hook-0", "pod_port": 9443, "review": "admission"}
SERVICE = {"vantage": "service_proxy", "namespace": "ns", "service": "hook", "service_port": 443, "path": "/validate", "review": "admission"}


# port_forward.


@pytest.mark.parametrize("piece", [1, 7, 60_000], ids=lambda piece: f"pieces of {piece}")
def test_forwarded(pem: Path, probe: Probe, piece: int) -> None:
    lines: list[str] = []
    with serving(tls(pem, healthy)) as pod, api_server(forwarding(pod.port, lines, piece)) as (_server, api):
        result = probe(api, **POD)
    assert result["ok"], result
    assert (result["phase"], result["provable"], result["peer"]["address"]) == ("review", True, "ns/hook-0:9443")
    assert len(result["tls"]["chain"]) == 2 and result["http"]["status"] == 200
    assert lines == ["GET /api/v1/namespaces/ns/pods/hook-0/portforward?ports=9443 HTTP/1.1"]


def plain(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def wants_certificate(context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("behind", "phase", "cause"),
    [
        pytest.param("none", "connect", "connection_refused", id="nothing listens in the pod"),
        pytest.param("plain", "tls", "tls_not_spoken", id="plain HTTP"),
        pytest.param("silent", "tls", "tls_timeout", id="stalls"),
        pytest.param("closes", "tls", "connection_closed", id="closes"),
        pytest.param("certificate", "tls", "client_certificate_required", id="client certificate required"),
        pytest.param("404", "http", "http_status", id="404"),
        pytest.param("late", "http", "deadline_exceeded", id="never answers"),
    ],
)
def test_forwarded_faults(pem: Path, probe: Probe, behind: str, phase: str, cause: str) -> None:
    behaviours: dict[str, Behaviour] = {
        "plain": plain,
        "silent": silent,
        "closes": lambda connection: None,
        "certificate": tls(pem, healthy, wants_certificate),
        "404": tls(pem, raw_answer(lambda review: http("no", "404 Not Found"))),
        "late": tls(pem, silent),
    }
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(dead_port()) if behind == "none" else stack.enter_context(serving(behaviours[behind])).port
        _server, api = stack.enter_context(api_server(forwarding(port)))
        result = probe(api, **POD, timeout=1.0)
    assert (result["ok"], result["phase"], result["cause"], result["provable"]) == (False, phase, cause, True), result


def refuses(code: int, message: str) -> Behaviour:
    return answering(lambda line, body: status(code, "x", message))


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        pytest.param(refuses(403, "no"), "get and create on pods/portforward", id="forbidden"),
        pytest.param(refuses(404, 'pods "hook-0" not found'), "refused the port-forward to pod ns/hook-0", id="the pod is gone"),
        pytest.param(refuses(502, "error dialing backend: dial tcp 10.0.0.1:10250: connect: no route to host"), "refused", id="the kubelet cannot be reached"),
        pytest.param(silent, "no port-forward to pod ns/hook-0", id="the API server is silent"),
    ],
)
def test_a_port_forward_that_cannot_be_had_proves_nothing(probe: Probe, behave: Behaviour, words: str) -> None:
    with api_server(behave) as (_server, api):
        result = probe(api, **POD, timeout=1.0)
    assert (result["ok"], result["cause"], result["error"], result["provable"]) == (False, None, None, False), result
    assert words in result["reason"]
    assert "content-length" not in result["reason"].lower(), "headers are no reason"


@pytest.mark.parametrize("text", ["2026/11/20 socat[1] E connect(5, AF=2 127.0.0.1:9443, 16): Connection refused", "something else"])
def test_words_of_a_container_runtime(probe: Probe, text: str) -> None:
    def behave(connection: socket.socket) -> None:
        web = WebSocket(connection)
        web.accept()
        web.send(ERROR, b"\xe3")
        web.send(ERROR, b"\x24")
        web.send(ERROR, text.encode())
        time.sleep(0.5)

    with api_server(behave) as (_server, api):
        result = probe(api, **POD)
    assert (result["phase"], result["cause"]) == ("connect", "connection_refused" if "refused" in text else "unknown")
    assert result["error"] == text


# service_proxy.


def test_proxied(probe: Probe) -> None:
    lines: list[str] = []
    with api_server(answering(lambda line, body: http(admission(body or {})), lines)) as (_server, api):
        result = probe(api, **SERVICE)
    assert result["ok"], result
    assert (result["phase"], result["tls"], result["http"]["status"]) == ("review", None, 200)
    assert lines == ["POST /api/v1/namespaces/ns/services/https:hook:443/proxy/validate?timeout=3s HTTP/1.1"]


def trying(inner: str) -> bytes:
    return http(f"error trying to reach service: {inner}", "503 Service Unavailable")


def as_status(inner: str) -> bytes:
    return status(503, "ServiceUnavailable", f"error trying to reach service: {inner}")


PROXIED: list[tuple[str, bytes, str, str]] = [
    ("refused", as_status("dial tcp 10.244.0.34:10250: connect: connection refused"), "connect", "connection_refused"),
    ("refused, as older API servers say it", trying("dial tcp 10.244.0.34:10250: connect: connection refused"), "connect", "connection_refused"),
    ("SYN dropped", as_status("dial tcp 10.244.0.34:10250: i/o timeout"), "connect", "connect_timeout"),
    ("no route", as_status("dial tcp 10.244.0.34:10250: connect: no route to host"), "connect", "no_route"),
    ("plain HTTP", as_status("tls: first record does not look like a TLS handshake"), "tls", "tls_not_spoken"),
    ("TLS stall", as_status("net/http: TLS handshake timeout"), "tls", "tls_timeout"),
    ("client certificate", as_status("remote error: tls: certificate required"), "tls", "client_certificate_required"),
    ("closed", as_status("EOF"), "tls", "connection_closed"),
    ("konnectivity", as_status("No agent available"), "connect", "egress_proxy"),
    ("no such port", status(503, "ServiceUnavailable", 'no service port 443 found for service "hook"'), "resolve", "service_port_not_found"),
    ("404 by the webhook", http("404 page not found", "404 Not Found"), "http", "http_status"),
    ("403 by the webhook", http('{"error": "no"}', "403 Forbidden"), "http", "http_status"),
    ("429 by the webhook", http("slow down", "429 Too Many Requests"), "http", "http_status"),
    ("500 by the webhook, which is a Kubernetes thing itself", status(500, "InternalError", "boom"), "http", "http_status"),
    ("HTML by the webhook", http("<html></html>"), "review", "not_an_admission_server"),
    ("more than anybody wants to read", http(b"x" * 2_000_000), "http", "not_an_admission_server"),
]


@pytest.mark.parametrize(("answer", "phase", "cause"), [pytest.param(*row[1:], id=row[0]) for row in PROXIED])
def test_proxied_faults(probe: Probe, answer: bytes, phase: str, cause: str) -> None:
    with api_server(answering(lambda line, body: answer)) as (_server, api):
        result = probe(api, **SERVICE)
    assert (result["ok"], result["phase"], result["cause"], result["provable"]) == (False, phase, cause, True), result
    if b"error trying to reach service" in answer or b"no service port" in answer:
        assert result["http"] is None, "the API server's own answer is none of the webhook's"


FORBIDDEN = 'services "https:hook:443" is forbidden: User "u" cannot create resource "services/proxy" in API group "" in the namespace "ns"'


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(status(403, "Forbidden", FORBIDDEN, "services"), "get and create on services/proxy", id="forbidden"),
        pytest.param(status(401, "Unauthorized", "Unauthorized"), "Unauthorized", id="unauthorized"),
        pytest.param(status(404, "NotFound", 'services "hook" not found', "services"), "no endpoint to offer", id="no Service, or no Endpoints object"),
        pytest.param(status(503, "x", 'no endpoints available for service "https:hook:443"'), "no endpoint to offer", id="no endpoint, or none that is a pod"),
        pytest.param(http("Too many requests, please try again later.\n", "429 x"), "please try again later", id="the API server is busy"),
        pytest.param(as_status("quite another thing"), "quite another thing", id="words that nobody knows"),
    ],
)
def test_a_proxy_that_cannot_be_had_proves_nothing(probe: Probe, answer: bytes, words: str) -> None:
    with api_server(answering(lambda line, body: answer)) as (_server, api):
        result = probe(api, **SERVICE)
    assert (result["ok"], result["cause"], result["error"], result["provable"]) == (False, None, None, False), result
    assert words in result["reason"]


def test_no_answer_in_time(probe: Probe) -> None:
    with api_server(silent) as (_server, api):
        result = probe(api, **SERVICE, timeout=0.7)
    assert (result["phase"], result["cause"]) == ("connect", "deadline_exceeded")


def test_an_api_server_that_is_not_there(probe: Probe) -> None:
    with dead_port() as port:
        result = probe(Api(Settings(server=f"http://127.0.0.1:{port}", cluster="test")), **SERVICE)
    assert (result["provable"], result["cause"]) == (False, None)
    assert "connection refused" in result["reason"].lower()


def test_an_instance_is_asked_at_its_own_address(probe: Probe) -> None:
    with (
        api_server(answering(lambda line, body: as_status("EOF"))) as (_one, api),
        api_server(answering(lambda line, body: http(admission(body or {})))) as (two, _api),
    ):
        result = probe(api, **SERVICE, instance={"address": "127.0.0.1", "port": two.port})
    assert result["ok"], result
    assert result["instance"] == {"address": "127.0.0.1", "port": two.port}


def test_secrets_of_the_api_stay_there(probe: Probe) -> None:
    with serving(answering(lambda line, body: status(403, "Forbidden", FORBIDDEN, "services"))) as server:
        api = Api(Settings(server=f"http://127.0.0.1:{server.port}", cluster="test", headers={"Authorization": "Bearer s3cret"}))
        result = probe(api, **SERVICE)
    assert "s3cret" not in json.dumps(result)
