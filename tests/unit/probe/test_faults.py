# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault that an endpoint can have, by a real server that has it: what the direct vantage makes of it, and of its healthy twin."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.certificates import authority, issue
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.servers import (
    Behaviour,
    admission,
    conversion,
    dripping,
    healthy,
    http,
    json_patch,
    raw_answer,
    read_request,
    serving,
    silent,
    tls,
)

Probe = Callable[..., dict[str, Any]]
HTML = "<!DOCTYPE html><html><body>It works!</body></html>"
ADD = {"op": "add", "path": "/metadata/labels/x", "value": "y"}


def answers(make: Callable[[dict[str, Any]], Any]) -> Behaviour:
    """Answers 200 with what `make` returns for the review: a dictionary, text or bytes."""
    return raw_answer(lambda review: http(make(review)))


def reviews(**response: Any) -> Behaviour:
    return answers(lambda review: admission(review, **response))


def status(line: str, fields: str = "", body: str = "no") -> Behaviour:
    return raw_answer(lambda review: http(body, line, fields))


def raw(data: bytes) -> Behaviour:
    return raw_answer(lambda review: data)


def chunked(review: dict[str, Any]) -> bytes:
    body = json.dumps(admission(review)).encode()
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n" + body[:5] + b"\r\n%x\r\n" % (len(body) - 5) + body[5:] + b"\r\n0\r\n\r\n"


def until_closed(review: dict[str, Any]) -> bytes:
    return b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(admission(review)).encode()


def answers_bare(make: Callable[[dict[str, Any]], bytes]) -> Behaviour:
    return raw_answer(make)


def closes_after_request(connection: socket.socket) -> None:
    read_request(connection)


def cut_without_goodbye(connection: socket.socket) -> None:
    """An answer that ends with the connection, which ends without close_notify: to TLS it is cut off."""
    _line, review = read_request(connection)
    connection.sendall(until_closed(review or {}))
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket) -> None:
    connection.recv(16)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Expected = tuple[bool, str, "str | None"]
VALIDATING, MUTATING = "validating/a/b", "mutating/a/b"
OK: Expected = (True, "review", None)
STATUS: Expected = (False, "http", "http_status")
NO_HTTP: Expected = (False, "http", "not_an_admission_server")
NO_REVIEW: Expected = (False, "review", "not_an_admission_server")
INVALID: Expected = (False, "review", "invalid_response")
CUT_OFF: Expected = (False, "http", "invalid_response")
CLOSED: Expected = (False, "http", "connection_closed")
AS_HTML = raw_answer(lambda review: http(admission(review), fields="Content-Type: text/html\r\n"))
# name, behaviour behind TLS, call-out id, (ok, phase, cause), words of the error
ANSWERS: list[tuple[str, Behaviour, str, Expected, str]] = [
    ("allows", healthy, VALIDATING, OK, ""),
    ("denies, which is its job", reviews(allowed=False, status={"code": 403, "message": "no"}), VALIDATING, OK, ""),
    ("answers as text/html, which the API server does not mind", AS_HTML, VALIDATING, OK, ""),
    ("201", raw_answer(lambda r: http(admission(r), "201 Created")), VALIDATING, OK, ""),
    ("chunks", answers_bare(chunked), VALIDATING, OK, ""),
    ("no length, closed in order", answers_bare(until_closed), VALIDATING, OK, ""),
    ("100 Continue first", raw_answer(lambda r: b"HTTP/1.1 100 Continue\r\n\r\n" + http(admission(r))), VALIDATING, OK, ""),
    ("400", status("400 Bad Request"), VALIDATING, STATUS, "HTTP 400 Bad Request"),
    ("401", status("401 Unauthorized"), VALIDATING, STATUS, "HTTP 401"),
    ("403", status("403 Forbidden"), VALIDATING, STATUS, "HTTP 403"),
    ("404", status("404 Not Found"), VALIDATING, STATUS, "HTTP 404"),
    ("405", status("405 Method Not Allowed"), VALIDATING, STATUS, "HTTP 405"),
    ("429", status("429 Too Many Requests", "Retry-After: 1\r\n"), VALIDATING, STATUS, "HTTP 429"),
    ("500", status("500 Internal Server Error"), VALIDATING, STATUS, "HTTP 500"),
    ("503", status("503 Service Unavailable"), VALIDATING, STATUS, "HTTP 503"),
    ("503 with endless body", raw(b"HTTP/1.1 503 No\r\nContent-Length: 99999999999\r\n\r\n"), VALIDATING, STATUS, "HTTP 503 No"),
    ("204 without a body", raw(b"HTTP/1.1 204 No Content\r\n\r\n"), VALIDATING, NO_REVIEW, "0-length"),
    ("302 elsewhere", status("302 Found", "Location: https://login.example.com/\r\n"), VALIDATING, STATUS, "login.example.com"),
    ("301 to itself: Go sends a GET then", status("301 Moved", "Location: /other\r\n"), VALIDATING, STATUS, "/other"),
    ("308 elsewhere", status("308 Permanent Redirect", "Location: https://127.0.0.1/x\r\n"), VALIDATING, STATUS, "HTTP 308"),
    ("307 to itself for ever", status("307 Temporary Redirect", "Location: /validate\r\n"), VALIDATING, STATUS, "10 redirects"),
    ("307 to what is no URL", status("307 Temporary Redirect", "Location: https://[\r\n"), VALIDATING, STATUS, "https://["),
    ("307 without an address", status("307 Temporary Redirect"), VALIDATING, STATUS, "HTTP 307"),
    ("HTML", answers(lambda r: HTML), VALIDATING, NO_REVIEW, "json parse error"),
    ("a JSON list", answers(lambda r: "[]"), VALIDATING, NO_REVIEW, "array"),
    ("a Status", answers(lambda r: {"apiVersion": "v1", "kind": "Status", "message": "who?"}), VALIDATING, NO_REVIEW, "who?"),
    ("another kind", answers(lambda r: {"apiVersion": "v1", "kind": "Pod"}), VALIDATING, NO_REVIEW, 'no kind "Pod"'),
    ("JSON deep beyond reason", answers(lambda r: '{"response":' + "[" * 200_000), VALIDATING, NO_REVIEW, ""),
    ("a number of a million digits", answers(lambda r: '{"n":' + "9" * 900_000 + "}"), VALIDATING, INVALID, "absent"),
    ("JSON cut off", answers(lambda r: json.dumps(admission(r))[:-9]), VALIDATING, INVALID, "unexpected end of JSON"),
    ("JSON cut off in a word", answers(lambda r: '{"allowed": tr'), VALIDATING, INVALID, "unexpected end of JSON"),
    ("body shorter than announced", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), VALIDATING, CUT_OFF, "unexpected EOF"),
    ("chunks cut off", raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"), VALIDATING, CUT_OFF, "unexpected EOF"),
    ("cut off without close_notify", cut_without_goodbye, VALIDATING, CUT_OFF, "unexpected EOF"),
    ("closes instead of answering", closes_after_request, VALIDATING, CLOSED, "EOF"),
    ("resets instead of answering", reset, VALIDATING, CLOSED, "reset"),
    ("no HTTP", raw(b"220 mail.example.com ESMTP\r\n"), VALIDATING, NO_HTTP, "malformed HTTP response"),
    ("HTTP/2 unasked", raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"), VALIDATING, NO_HTTP, "malformed HTTP response"),
    ("another uid", reviews(uid="x"), VALIDATING, INVALID, 'expected response.uid="'),
    ("no response", answers(lambda r: {**admission(r), "response": None}), VALIDATING, INVALID, "webhook response was absent"),
    ("no kind", answers(lambda r: {"response": admission(r)["response"]}), VALIDATING, INVALID, "got /, Kind="),
    ("v1beta1 for v1", answers(lambda r: {**admission(r), "apiVersion": "admission.k8s.io/v1beta1"}), VALIDATING, INVALID, "absent"),
    ("allowed is text", reviews(allowed="true"), VALIDATING, NO_REVIEW, "cannot unmarshal string into response.allowed"),
    ("mutating: patch and type", reviews(patch=json_patch(ADD), patchType="JSONPatch"), MUTATING, OK, ""),
    ("mutating: patch without type", reviews(patch=json_patch(ADD)), MUTATING, INVALID, "patch but not response.patchType"),
    ("mutating: type without patch", reviews(patchType="JSONPatch"), MUTATING, INVALID, "patchType but not response.patch"),
    ("mutating: type of another kind", reviews(patch=json_patch(ADD), patchType="Merge"), MUTATING, INVALID, 'unsupported patch type "Merge"'),
    ("mutating: patch is no list", reviews(patch="e30=", patchType="JSONPatch"), MUTATING, INVALID, "undecodable patch"),
    ("mutating: patch is no base64", reviews(patch="{}", patchType="JSONPatch"), MUTATING, NO_REVIEW, "illegal base64"),
    ("validating: patch", reviews(patch=json_patch(ADD), patchType="JSONPatch"), VALIDATING, INVALID, "validating webhook may not return"),
    ("kind of call-out unknown: patch", reviews(patch=json_patch(ADD), patchType="JSONPatch"), "", OK, ""),
]  # fmt: skip


@pytest.mark.parametrize(("behave", "callout", "expected", "words"), [pytest.param(*row[1:], id=row[0]) for row in ANSWERS])
def test_answers(pem: Path, probe: Probe, behave: Behaviour, callout: str, expected: Expected, words: str) -> None:
    with serving(tls(pem, behave)) as server:
        result = probe(host=server.host, port=server.port, path="/validate", review="admission", callouts=[callout] if callout else [])
    assert (result["ok"], result["phase"], result["cause"]) == expected, result
    assert words in (result["error"] or ""), result
    assert (result["error"] is None) == result["ok"]
    assert result["provable"] and result["attempts"] == 1
    assert len(result["tls"]["chain"]) == 2


CRD = {
    "group": "example.com",
    "kind": "Thing",
    "scope": "Namespaced",
    "versions": [{"name": "v1", "served": True, "storage": True}, {"name": "v2", "served": True, "storage": False}],
}
FAILED = (False, "review", "conversion_failed")
CONVERSIONS: list[tuple[str, Behaviour, Expected, str]] = [
    ("converts", answers(conversion), OK, ""),
    ("404", status("404 Not Found"), (False, "http", "http_status"), "HTTP 404"),
    ("HTML", answers(lambda r: HTML), (False, "review", "not_an_admission_server"), "json parse error"),
    ("no objects", answers(lambda r: conversion(r, convertedObjects=[])), FAILED, "returned 0 objects, expected 1"),
    ("the old version", answers(lambda r: conversion(r, lambda o: {**o, "apiVersion": "example.com/v1"})), FAILED, "invalid groupVersion"),
    ("another kind", answers(lambda r: conversion(r, lambda o: {**o, "kind": "Other"})), FAILED, "invalid kind"),
    ("another name", answers(lambda r: conversion(r, lambda o: {**o, "metadata": {**o["metadata"], "name": "x"}})), FAILED, "must have the same name"),
    ("another UID", answers(lambda r: conversion(r, lambda o: {**o, "metadata": {**o["metadata"], "uid": "x"}})), FAILED, "must have the same UID"),
    ("no metadata", answers(lambda r: conversion(r, lambda o: {"apiVersion": o["apiVersion"], "kind": o["kind"]})), FAILED, "metadata"),
    ("objects are text", answers(lambda r: conversion(r, lambda o: "x")), FAILED, "a JSON string"),
    ("another uid", answers(lambda r: conversion(r, uid="x")), FAILED, 'expected response.uid="'),
    ("no response", answers(lambda r: {**conversion(r), "response": None}), FAILED, "no response provided"),
    ("v1beta1 for v1", answers(lambda r: {**conversion(r), "apiVersion": "apiextensions.k8s.io/v1beta1"}), FAILED, "no response provided"),
]  # fmt: skip


@pytest.mark.parametrize(("behave", "expected", "words"), [pytest.param(*row[1:], id=row[0]) for row in CONVERSIONS])
def test_conversions(pem: Path, probe: Probe, behave: Behaviour, expected: Expected, words: str) -> None:
    with serving(tls(pem, behave)) as server:
        result = probe(host=server.host, port=server.port, review="conversion", callouts=["conversion/things"], callout={"conversion": CRD})
    assert (result["ok"], result["phase"], result["cause"]) == expected, result
    assert words in (result["error"] or "")
    assert result["reason"] is None


def test_a_conversion_webhook_may_refuse_a_made_up_object(pem: Path, probe: Probe) -> None:
    refusing = answers(lambda r: conversion(r, convertedObjects=[], result={"status": "Failed", "message": "spec.size is required"}))
    with serving(tls(pem, refusing)) as server:
        result = probe(host=server.host, port=server.port, review="conversion")
    assert result["ok"] and result["phase"] == "review"
    assert "spec.size is required" in result["reason"]


def test_a_redirect_to_itself_is_followed_as_by_go(pem: Path, probe: Probe) -> None:
    lines = []

    def behave(connection: socket.socket) -> None:
        line, review = read_request(connection)
        lines.append(line)
        moved = http("", "307 Temporary Redirect", "Location: /validate/\r\n")
        connection.sendall(http(admission(review or {})) if line.startswith("POST /validate/?") else moved)

    with serving(tls(pem, behave)) as server:
        result = probe(host=server.host, port=server.port, path="/validate", review="admission")
    assert result["ok"], result
    assert lines == ["POST /validate?timeout=3s HTTP/1.1", "POST /validate/?timeout=3s HTTP/1.1"]


# Before HTTP.


def speaks(data: bytes) -> Behaviour:
    """Sends `data` at once, and stays."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(data)
        silent(connection)

    return behave


def plain_http(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nClient sent an HTTPS request to an HTTP server?\n")


def closes(connection: socket.socket) -> None:
    connection.recv(65536)


def old_tls(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1


def wants_certificate(version: ssl.TLSVersion) -> Callable[[ssl.SSLContext], None]:
    def configure(context: ssl.SSLContext) -> None:
        context.minimum_version = context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED

    return configure


def only_ciphers(ciphers: str) -> Callable[[ssl.SSLContext], None]:
    def configure(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)

    return configure


def refuses_name(context: ssl.SSLContext) -> None:
    context.sni_callback = lambda sock, name, ctx: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


RAW_SERVERS: list[tuple[str, Behaviour, str, str]] = [
    ("plain HTTP", plain_http, "tls_not_spoken", "first record does not look like a TLS handshake"),
    ("SSH", speaks(b"SSH-2.0-OpenSSH_9.9\r\n"), "tls_not_spoken", "first record"),
    ("three bytes of something", speaks(b"220"), "tls_not_spoken", "first record"),
    ("stalls", silent, "tls_timeout", "TLS handshake timeout"),
    ("begins a TLS record and stalls", speaks(b"\x16\x03\x03\x00"), "tls_timeout", "TLS handshake timeout"),
    ("closes", closes, "connection_closed", "EOF"),
    ("resets", reset, "connection_closed", "connection reset by peer"),
    ("closes in the middle of a record", lambda c: c.sendall(b"\x16\x03\x03\x01\x00abc"), "connection_closed", ""),
    ("alert: internal error", speaks(b"\x15\x03\x03\x00\x02\x02\x50"), "tls_alert", "remote error: tls: internal error"),
    ("alert: protocol version", speaks(b"\x15\x03\x03\x00\x02\x02\x46"), "tls_alert", "remote error: tls: protocol version not supported"),
    ("alert: unknown CA", speaks(b"\x15\x03\x03\x00\x02\x02\x30"), "client_certificate_required", "remote error: tls: unknown certificate authority"),
]


@pytest.mark.parametrize(("behave", "cause", "words"), [pytest.param(*row[1:], id=row[0]) for row in RAW_SERVERS])
def test_servers_that_finish_no_handshake(probe: Probe, behave: Behaviour, cause: str, words: str) -> None:
    with serving(behave) as server:
        result = probe(host=server.host, port=server.port, review="admission", timeout=1.0)
    assert (result["ok"], result["phase"], result["cause"]) == (False, "tls", cause), result
    assert words in result["error"]
    assert result["tls"] is None and result["http"] is None
    assert result["elapsed_ms"]["tls"] is not None and result["elapsed_ms"]["http"] is None
    assert result["peer"]["address"] == f"127.0.0.1:{server.port}"


TLS_SERVERS: list[tuple[str, Callable[[ssl.SSLContext], None], str | None, str]] = [
    ("TLS 1.0 and 1.1 only", old_tls, "tls_alert", "protocol version"),
    ("TLS 1.2 only, which is enough", only_ciphers("ALL:@SECLEVEL=0"), None, ""),
    ("client certificate, TLS 1.2", wants_certificate(ssl.TLSVersion.TLSv1_2), "client_certificate_required", "handshake failure"),
    ("client certificate, TLS 1.3", wants_certificate(ssl.TLSVersion.TLSv1_3), "client_certificate_required", "certificate required"),
    ("no cipher in common, nothing to do with certificates", only_ciphers("DHE:@SECLEVEL=0"), "tls_alert", "handshake failure"),
    ("refuses the name", refuses_name, "tls_alert", "unrecognized name"),
]


@pytest.mark.parametrize(("configure", "cause", "words"), [pytest.param(*row[1:], id=row[0]) for row in TLS_SERVERS])
def test_tls_servers(pem: Path, probe: Probe, configure: Callable[[ssl.SSLContext], None], cause: str | None, words: str) -> None:
    with serving(tls(pem, healthy, configure)) as server:
        result = probe(host=server.host, port=server.port, review="admission")
    assert (result["ok"], result["phase"], result["cause"]) == (cause is None, "review" if cause is None else "tls", cause), result
    assert words in (result["error"] or "")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("signed_by_ca", "cause"), [(True, None), (False, "client_certificate_required")], ids=["trusted", "not trusted"])
def test_client_certificates(certificates: Path, tmp_path: Path, probe: Probe, version: ssl.TLSVersion, signed_by_ca: bool, cause: str | None) -> None:
    server_pem, client_pem = issue(certificates, "server"), issue(certificates, "client")

    def configure(context: ssl.SSLContext) -> None:
        wants_certificate(version)(context)
        trusted = authority()[1] if signed_by_ca else x509.load_pem_x509_certificate(server_pem.read_bytes())
        context.load_verify_locations(cadata=trusted.public_bytes(Encoding.PEM).decode())

    with serving(tls(server_pem, healthy, configure)) as server:
        result = probe(host=server.host, port=server.port, review="admission", client_cert=str(client_pem), client_key=str(client_pem))
    assert (result["ok"], result["cause"]) == (cause is None, cause), result
    assert "PRIVATE KEY" not in json.dumps(result)


# Time.


def test_slow_within_the_timeout_is_healthy(pem: Path, probe: Probe) -> None:
    with serving(tls(pem, raw_answer(lambda review: http(admission(review)), delay=0.4))) as server:
        result = probe(host=server.host, port=server.port, review="admission")
    assert result["ok"]
    assert result["elapsed_ms"]["http"] >= 400 > result["elapsed_ms"]["tls"]
    assert result["elapsed_ms"]["total"] >= result["elapsed_ms"]["http"]


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(raw_answer(lambda review: http(admission(review)), delay=3.0), id="answers late"),
        pytest.param(silent, id="never answers"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\n"), id="drips a header without end"),
        pytest.param(dripping(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.06), id="drips 100 Continue"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"), id="drips a body"),
    ],
)
def test_too_late(pem: Path, probe: Probe, behave: Behaviour) -> None:
    began = time.monotonic()
    with serving(tls(pem, behave)) as server:
        result = probe(host=server.host, port=server.port, review="admission", timeout=1.0)
        took = time.monotonic() - began
    assert (result["ok"], result["phase"], result["cause"]) == (False, "http", "deadline_exceeded"), result
    assert took < 2.5
