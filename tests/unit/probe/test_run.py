# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many probes: order, equal questions, concurrency, retries, deadlines."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe import run
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.endpoint import parse_endpoints
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.run import Budget, check_all
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.servers import (
    Behaviour,
    admission,
    healthy,
    http,
    raw_answer,
    read_request,
    serving,
    silent,
    tls,
)

ECHOED = {"name", "vantage", "callouts", "instance"}


def check(specs: list[dict[str, Any]], timeout: float = 3.0, deadline: float = 30.0, concurrency: int = 256, retries: int = 0) -> list[dict[str, Any]]:
    return check_all(parse_endpoints(specs, timeout), Budget(deadline, concurrency, retries))


def spec(server: Any, name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "host": server.host, "port": server.port, "server_name": "hook.ns.svc", "review": "admission", **more}


def test_order_and_echo(pem: Path) -> None:
    slow = raw_answer(lambda review: http(admission(review)), delay=0.5)
    with serving(tls(pem, healthy)) as fast, serving(tls(pem, slow)) as late:
        results = check([spec(late, "late", callouts=["validating/a/b"]), spec(fast, "fast", callouts=["mutating/c/d", "mutating/e/f"])])
    assert [result["name"] for result in results] == ["late", "fast"]
    assert results[1]["callouts"] == ["mutating/c/d", "mutating/e/f"]
    assert all(result["ok"] for result in results)


def test_shape(pem: Path) -> None:
    """Every result has every key of docs/architecture.md, whatever happened."""
    keys = {*ECHOED, "ok", "phase", "cause", "error", "provable", "reason", "request", "hidden_by", "check", "elapsed_ms", "peer", "tls", "http", "attempts"}
    with serving(tls(pem, healthy)) as good, serving(silent) as bad:
        results = check(
            [spec(good, "good"), spec(bad, "bad", timeout=0.3), spec(good, "handshake", review="none"), spec(good, "cut off", path="/x")], concurrency=4
        )
        results += check([spec(bad, "never begun")], deadline=0.1, timeout=5.0)
    for result in results:
        assert set(result) == keys
        assert set(result["elapsed_ms"]) == {"resolve", "connect", "tls", "http", "total"}
        assert set(result["peer"]) == {"address"}


def test_equal_questions_are_asked_once(pem: Path) -> None:
    with serving(tls(pem, healthy)) as server:
        results = check([spec(server, f"n{index}", callouts=[f"validating/c/{index}"]) for index in range(5)])
        assert server.accepted == 1
        assert [result["callouts"] for result in results] == [[f"validating/c/{index}"] for index in range(5)]
        assert all(result["ok"] for result in results)


@pytest.mark.parametrize(
    "other",
    [
        {"path": "/other"},
        {"server_name": "other.ns.svc"},
        {"review": "none"},
        {"review": "conversion"},
        {"timeout": 2.0},
        {"callouts": ["mutating/c/0"]},
        {"callout": {"rules": [{"operations": ["CREATE"], "api_groups": [""], "api_versions": ["v1"], "resources": ["pods"]}]}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_different_questions_are_all_asked(pem: Path, other: dict[str, Any]) -> None:
    with serving(tls(pem, healthy)) as server:
        check([spec(server, "one", callouts=["validating/c/0"]), spec(server, "two", **{"callouts": ["validating/c/0"], **other})])
        assert server.accepted == 2


def test_a_hundred_dead_ones_cost_one_timeout() -> None:
    with serving(silent) as server:
        began = time.monotonic()
        results = check([spec(server, f"n{index}", path=f"/{index}") for index in range(100)], timeout=1.0)
        took = time.monotonic() - began
    assert {result["cause"] for result in results} == {"tls_timeout"}
    assert took < 3.0


def test_concurrency_is_a_limit(pem: Path) -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def behave(connection: socket.socket) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        _line, review = read_request(connection)
        time.sleep(0.1)
        with lock:
            at_once -= 1
        connection.sendall(http(admission(review or {})))

    with serving(tls(pem, behave)) as server:
        results = check([spec(server, f"n{index}", path=f"/{index}") for index in range(9)], concurrency=3)
    assert all(result["ok"] for result in results)
    assert most == 3


def test_the_deadline_ends_everything() -> None:
    """What is under way ends with its own phase, what has not begun says so."""
    with serving(silent) as server:
        began = time.monotonic()
        results = check([spec(server, f"n{index}", path=f"/{index}") for index in range(4)], timeout=20.0, deadline=0.8, concurrency=2)
        took = time.monotonic() - began
    assert took < 2.5
    assert [result["cause"] for result in results] == ["tls_timeout", "tls_timeout", "deadline_exceeded", "deadline_exceeded"]
    assert results[3]["error"] == "not finished within the overall deadline of 0.8 s"
    assert [result["attempts"] for result in results] == [1, 1, 0, 0]


def test_a_probe_that_ignores_its_deadline_is_left_behind(monkeypatch: pytest.MonkeyPatch, pem: Path) -> None:
    release = threading.Event()
    monkeypatch.setattr(run, "probe_direct", lambda endpoint, deadline, trace: release.wait(10) and None)
    began = time.monotonic()
    results = check([{"name": "stuck", "host": "127.0.0.1", "port": 1}], deadline=0.3)
    took = time.monotonic() - began
    release.set()
    assert results[0]["cause"] == "deadline_exceeded" and took < 2.0


def failing_first(times: int, then: Behaviour, fault: Behaviour) -> Behaviour:
    count, lock = 0, threading.Lock()

    def behave(connection: socket.socket) -> None:
        nonlocal count
        with lock:
            count += 1
            broken = count <= times
        (fault if broken else then)(connection)

    return behave


def test_retries_mend_what_passes(pem: Path) -> None:
    with serving(failing_first(2, tls(pem, healthy), lambda connection: None)) as server:
        result = check([spec(server, "one")], retries=3)[0]
        assert (result["ok"], result["attempts"], server.accepted) == (True, 3, 3)


def test_without_retries_nothing_is_tried_again(pem: Path) -> None:
    with serving(failing_first(1, tls(pem, healthy), lambda connection: None)) as server:
        result = check([spec(server, "one")])[0]
        assert (result["ok"], result["cause"], result["attempts"]) == (False, "connection_closed", 1)


def test_an_answer_is_never_retried(pem: Path) -> None:
    """The webhook has seen the request: asking again would hide what it said."""
    with serving(tls(pem, raw_answer(lambda review: http("no", "503 Service Unavailable")))) as server:
        result = check([spec(server, "one")], retries=3)[0]
        assert (result["cause"], result["attempts"], server.accepted) == ("http_status", 1, 1)


def test_retries_stop_at_the_deadline() -> None:
    with serving(lambda connection: None) as server:
        began = time.monotonic()
        result = check([spec(server, "one")], retries=100, deadline=1.0)[0]
        assert result["cause"] == "connection_closed" and 2 <= result["attempts"] <= 4
        assert time.monotonic() - began < 2.0


def test_loopback_certificate(pem: Path) -> None:
    """Nothing is sent after the handshake, and the certificate comes back."""
    heard: list[bytes] = []
    with serving(tls(pem, lambda connection: heard.append(connection.recv(100)))) as server:
        result = check([spec(server, "loopback", server_name="apiserver-loopback-client", review="none")])[0]
        time.sleep(0.1)
    assert (result["ok"], result["phase"], result["http"]) == (True, "tls", None)
    assert result["tls"]["chain"][0].startswith("-----BEGIN CERTIFICATE-----")
    assert heard in ([b""], [])


def test_one_faulty_probe_is_no_silent_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(endpoint: Any, deadline: Any, trace: Any) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(run, "probe_direct", broken)
    with pytest.raises(KeyError):
        check([{"name": "x", "host": "127.0.0.1", "port": 1}])


def test_nothing_to_do() -> None:
    assert check([]) == []
