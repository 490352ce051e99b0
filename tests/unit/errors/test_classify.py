# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error texts -> what is behind them. The tables beside this file are the specification."""

from __future__ import annotations

import itertools
import json
import pathlib
import random
import textwrap
import time

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils import _vocabulary
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors import _causes, _classify
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._classify import classify
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.advice import advise

HERE = pathlib.Path(__file__).parent
URL = "https://webhook.apps.svc:443/validate?timeout=10s"
KEYS = {
    *("code", "cause", "phase", "kind", "webhook", "service", "url", "path", "dialed"),
    *("timeout_seconds", "routing", "healthy", "names", "others"),
}


def table(name):
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))


def differences(result, expected):
    """What of `expected` the result does not have; `names` needs to hold the expected ones only."""
    wrong = {}
    for key, value in expected.items():
        found = {name: result["names"].get(name) for name in value} if key == "names" else result[key]
        if found != value:
            wrong[key] = found
    return wrong


def wrapped_as(how, text):
    if how == "json":
        return json.dumps(text)[1:-1]
    if how == "json2":
        return json.dumps(json.dumps(text)[1:-1])[1:-1]
    if how == "wrapped":
        return "\n".join(textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False))
    if how == "framed":
        lines = [
            "Error: ",
            *textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False),
            "",
            "  with kubernetes_manifest.x,",
            "  on main.tf line 1:",
        ]
        return "\x1b[31m╷\x1b[0m\x1b[0m\n" + "\n".join(f"\x1b[31m│\x1b[0m \x1b[0m{line}" for line in lines) + "\n\x1b[31m╵\x1b[0m\x1b[0m"
    return text


def transport_cases():
    for envelope, row in itertools.product(table("envelopes.yml"), table("transport.yml")):
        post = f"Post {URL}: " if envelope.get("unquoted") else f'Post "{URL}": '
        code, cause, phase = row["find"]
        place = {"service": {"namespace": "apps", "name": "webhook", "port": 443}, "url": URL, "path": "/validate", "timeout_seconds": 10, "healthy": False}
        names = {**envelope["find"].get("names", {}), **row.get("and", {}).get("names", {})}
        yield (
            envelope["around"].format(post=post, tail=row["tail"]),
            {**place, "code": code, "cause": cause, "phase": phase, **envelope["find"], **row.get("and", {}), "names": names},
        )


def answer_cases():
    for envelope, row in itertools.product(table("envelopes.yml"), table("answers.yml")):
        conversion = envelope["find"]["kind"] == "conversion"
        code, cause, phase = row["conversion"] if conversion and "conversion" in row else row["find"]
        names = {**envelope["find"].get("names", {}), **row.get("and", {}).get("names", {})}
        yield envelope["around"].format(post="", tail=row["tail"]), {"code": code, "cause": cause, "phase": phase, **envelope["find"], "names": names}


@pytest.mark.parametrize(("text", "expected"), [*transport_cases(), *answer_cases()])
def test_reason_in_envelope(text, expected):
    result = classify(text)
    assert not differences(result, expected), text
    assert result["others"] == [], text


@pytest.mark.parametrize("wrapping", table("wrappings.yml"), ids=lambda wrapping: wrapping["name"])
def test_reason_in_wrapping(wrapping):
    wrong = []
    for text, expected in itertools.chain(transport_cases(), answer_cases()):
        whole = wrapping["around"].format(text=wrapped_as(wrapping["as"], text))
        result = classify(whole)
        if differences(result, expected) or result["others"]:
            wrong.append((whole, differences(result, expected), result["others"]))
    assert not wrong, f"{len(wrong)} texts, the first: {wrong[0]}"


@pytest.mark.parametrize("row", table("texts.yml"), ids=lambda row: row["name"])
def test_whole_text(row):
    result = classify(row["text"])
    assert not differences(result, row["find"]), result
    if "others" in row:
        assert len(result["others"]) == len(row["others"]), result["others"]
        for other, expected in zip(result["others"], row["others"]):
            assert not differences(other, expected), result["others"]


@pytest.mark.parametrize("wrapping", table("wrappings.yml"), ids=lambda wrapping: wrapping["name"])
def test_refusal_on_purpose_in_wrapping(wrapping):
    """Denials and policies stay what they are, however they reach a person."""
    for row in table("texts.yml"):
        if row["find"].get("healthy") and "\n" not in row["text"]:
            whole = wrapping["around"].format(text=wrapped_as(wrapping["as"], row["text"]))
            assert not differences(classify(whole), {key: row["find"][key] for key in ("cause", "healthy")}), whole


@pytest.mark.parametrize("row", table("lab.yml"), ids=lambda row: f"{row['version']} {row['fault']} {row['routing']}")
def test_text_of_a_real_api_server(row):
    result = classify(row["text"])
    assert not differences(result, row["find"]), result


def test_every_word_is_of_the_vocabulary():
    rows = [*_causes.TRANSPORT, *_causes.ANSWER, *((None, *fixed) for fixed in _classify._FIXED.values())]
    assert {row[1] for row in rows} <= _vocabulary.CAUSES
    assert {row[2] for row in rows} <= {None, *_vocabulary.PHASES}
    assert _classify.HEALTHY <= _vocabulary.CAUSES


def test_every_result_has_every_key_and_advice():
    for text, _expected in itertools.chain(transport_cases(), answer_cases(), ((row["text"], None) for row in table("texts.yml"))):
        result = classify(text)
        assert set(result) == KEYS
        assert advise(result)
        for other in result["others"]:
            assert set(other) == KEYS - {"others"}
            assert advise(other)


@pytest.mark.parametrize("thing", [None, 5, b"failed calling webhook", ["x"], {}], ids=repr)
def test_what_is_no_text_is_refused(thing):
    with pytest.raises(TypeError, match=type(thing).__name__):
        classify(thing)


def fragments():
    for text, _expected in itertools.chain(transport_cases(), answer_cases(), ((row["text"], None) for row in table("texts.yml"))):
        yield from (text[: len(text) // 2], text[len(text) // 2 :])


def test_random_text_never_raises():
    """Random characters, and real texts cut to pieces and put together at random."""
    chance = random.Random(20261120)
    pieces = [*fragments(), '"', "\\", "\n", ": ", ", ", "[", "]", "\x1b[31m", "│ ", "\ud800", "\x00", "é", "https://", "Post "]
    alphabet = "aZ0 \n\t\"'\\:/.,[](){}%\x1b│\x00\ud800é\u2028😀"
    for _round in range(1500):
        text = "".join(chance.choices(pieces, k=chance.randint(0, 12)) + chance.choices(alphabet, k=chance.randint(0, 60)))
        result = classify(text)
        assert result["cause"] in _vocabulary.CAUSES, text
        assert result["phase"] in (None, *_vocabulary.PHASES), text
        assert advise(result)


HOSTILE = [
    "\\",
    '\\"',
    " ",
    "\n",
    "\x1b[",
    "│",
    "a",
    '"',
    "failed calling webhook ",
    'failed calling webhook "x": ',
    'admission webhook "x" denied the request: ',
    'Post "https://',
    'Post "https://a',
    "lookup ",
    "lookup a on ",
    "x509: certificate is valid for ",
    "certificate is valid for a, ",
    "dial tcp ",
    "read tcp a",
    "conversion webhook for a",
    "service/a in ",
    "policy 'a' with binding ",
    "Error from server: ",
    'error when creating "',
    'possibly because of "x',
    "proxy error from a",
    "a: ",
    "[",
    ", ",
    "GKE Warden",
    "Timeout: request did not complete within ",
    "https://a.b.svc:443/",
    "https://a:",
    'Post "https://a.b.svc:443/": ',
]


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_hostile_text_takes_bounded_time(piece):
    """A fraction of a second; an expression that is quadratic in such a text would take minutes."""
    text = (piece * (300_000 // len(piece) + 1))[:300_000]
    began = time.monotonic()
    classify(text)
    classify('failed calling webhook "x": failed to call webhook: ' + text)
    assert time.monotonic() - began < 20


def test_ten_megabytes_are_judged_by_their_ends():
    end = 'Internal error occurred: failed calling webhook "x.example.com": failed to call webhook: Post "https://a.b.svc:443/?timeout=5s": EOF'
    began = time.monotonic()
    assert classify("\n".join(["I1120 18:00:52.123456 1 trace.go:205] nothing"] * 250_000) + "\n" + end)["webhook"] == "x.example.com"
    assert time.monotonic() - began < 20


def test_the_newest_of_very_many_failures_is_not_lost():
    old = 'W1120 18:00:51.1 1 dispatcher.go:2] failed calling webhook "old.example.com": failed to call webhook: Post "https://a.b.svc:443/?timeout=5s": EOF\n'
    new = 'failed calling webhook "new.example.com": failed to call webhook: Post "https://a.b.svc:443/?timeout=5s": EOF'
    result = classify(old * 5000 + "W1120 18:00:52.123456 1 dispatcher.go:234] " + new)
    assert [result["webhook"], *(other["webhook"] for other in result["others"])] == ["old.example.com", "new.example.com"]
