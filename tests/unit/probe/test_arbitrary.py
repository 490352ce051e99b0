# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arbitrary answers, the same in every run: each is judged or refused by a typed failure, never by another exception."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.http1 import NotHttp, Reader, Truncated
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import ProbeFailed
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.review import admission_review, conversion_review
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.service_proxy import own_message
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.tls import asks_for_certificate
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.verdict import judge_admission, judge_conversion
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.servers import admission, conversion, http, json_patch

ROUNDS = 3000
VALUES: list[Any] = [None, True, 0, -1, 1.5, "", "x", "Success", "JSONPatch", "\u00e9\x00", "e30=", "W10=", [], [None], {}, {"a": []}, "A" * 400, float("nan")]


class Scripted:
    """A stream that gives out `data` in pieces."""

    def __init__(self, data: bytes, chance: random.Random) -> None:
        self._data, self._chance = data, chance

    def send(self, data: bytes, deadline: Deadline) -> None:
        raise AssertionError("nothing is sent here")

    def recv(self, size: int, deadline: Deadline) -> bytes:
        count = self._chance.randint(1, 40)
        piece, self._data = self._data[:count], self._data[count:]
        return piece

    def close(self) -> None:
        pass


def places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of everything inside."""
    inside: list[tuple[Any, Any]] = []
    for key, item in list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []:
        inside += [(value, key), *places(item)]
    return inside


def damaged(answer: Any, chance: random.Random) -> bytes:
    answer = json.loads(json.dumps(answer))
    for _change in range(chance.randint(1, 3)):
        where = places(answer)
        if where:
            container, key = chance.choice(where)
            container[key] = copy.deepcopy(chance.choice(VALUES))
    data = bytearray(json.dumps(answer).encode())
    if chance.random() < 0.3:
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data[: chance.randint(0, len(data))] if chance.random() < 0.2 else data)


@pytest.mark.parametrize("mutating", [True, False, None])
def test_admission(mutating: bool | None) -> None:
    chance = random.Random(f"admission {mutating}")
    outcomes = set()
    for _round in range(ROUNDS):
        sent = admission_review([], [chance.choice(["v1", "v1beta1"])])
        answer = admission(sent, patch=json_patch({"op": "add"}), patchType="JSONPatch", status={"code": 403})
        try:
            judge_admission(damaged(answer, chance), sent, mutating)
            outcomes.add("ok")
        except ProbeFailed as failure:
            outcomes.add(failure.cause)
            assert len(failure.error) < 1500
    assert outcomes == {"ok", "invalid_response", "not_an_admission_server"}


def test_conversion() -> None:
    chance = random.Random("conversion")
    outcomes = set()
    for _round in range(ROUNDS):
        sent = conversion_review(None, [chance.choice(["v1", "v1beta1"])])
        try:
            outcomes.add("refused" if judge_conversion(damaged(conversion(sent), chance), sent) else "ok")
        except ProbeFailed as failure:
            outcomes.add(failure.cause)
    assert outcomes == {"ok", "refused", "conversion_failed", "invalid_response", "not_an_admission_server"}


def test_http() -> None:
    chance = random.Random("http")
    outcomes = set()
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;a=b\r\nyou\r\n0\r\n\r\n"
    for _round in range(ROUNDS):
        data = bytearray(chance.choice([http("hello"), chunked, b"HTTP/1.1 100 Continue\r\n\r\n" + http("x"), b"HTTP/1.0 200 OK\r\n\r\nrest"]))
        for _change in range(chance.randint(0, 4)):
            data[chance.randrange(len(data))] = chance.choice([chance.randrange(256), 10, 13, 58, 48])
        reader = Reader(Scripted(bytes(data[: chance.randint(0, len(data))] if chance.random() < 0.3 else data), chance), Deadline.after(60))
        try:
            reader.body(reader.head())
            outcomes.add("ok")
        except (NotHttp, Truncated) as error:
            outcomes.add(type(error).__name__)
    assert outcomes == {"ok", "NotHttp", "Truncated"}


def test_noise() -> None:
    chance = random.Random("noise")
    for _round in range(ROUNDS):
        noise = chance.randbytes(chance.randint(0, 60))
        assert asks_for_certificate(b"\x16" + noise) in (True, False)
        assert own_message(chance.choice([200, 401, 404, 503]), noise) is None or isinstance(own_message(503, noise), str)
