# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cabundle_verify against Go itself: the same verdict and the same words on generated chains. Needs `go`; `against_go.py` asks as many more as wanted."""

from __future__ import annotations

import collections
import os
import shutil

import pytest

from ansible_collections.kubeops.webhook_doctor.tests.unit.trust import against_go
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.generate import CLASSES, questions

SEED = int(os.environ.get("TRUST_SEED", "20260615"))
COUNT = int(os.environ.get("TRUST_QUESTIONS", "3400"))


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    if shutil.which("go") is None:
        pytest.skip("go is not installed: Go's own verdicts are not to be had")
    return against_go.build(tmp_path_factory.mktemp("oracle"))


def test_every_verdict_and_every_word_is_gos(oracle):
    counts = collections.Counter()
    found = list(against_go.differences(oracle, questions(SEED, COUNT), counts))
    assert counts.total() == COUNT
    assert not found, f"{len(found)} of {COUNT} differ:\n" + "\n".join(map(str, found[:5]))
    for kind in {make.__name__ for make in CLASSES}:
        assert counts[kind, True], f"no question of the class {kind} was trusted: it proves little"
        assert counts[kind, False], f"every question of the class {kind} was trusted: it proves little"


def test_a_wrong_answer_would_be_seen(oracle, monkeypatch):
    def careless(items):
        return [{**result, "trusted": True, "error": None} for result in against_go.judge(items, against_go.Options(against_go.Warn(30, None), 0, os.devnull))]

    monkeypatch.setattr(against_go, "ask_us", careless)
    found = list(against_go.differences(oracle, questions(SEED, 50), collections.Counter()))
    assert {one.field for one in found} == {"trusted"}
