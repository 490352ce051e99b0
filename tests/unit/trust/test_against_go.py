# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cabundle_verify against Go itself: the same verdict and the same words on generated chains. Needs `go`; `make fuzz` asks as many more as wanted."""

from __future__ import annotations

import os

import pytest

from ansible_collections.kubeops.webhook_doctor.tests.unit.trust import against_go, regressions
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.against_go import NEWEST, VERSIONS, Counts, NoToolchain
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.generate import CLASSES, questions
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.shrink import shrunk

SEED = int(os.environ.get("TRUST_SEED", "20260615"))
COUNT = int(os.environ.get("TRUST_QUESTIONS", "3400"))
COUNT_OLDER = int(os.environ.get("TRUST_QUESTIONS_OLDER", "1000"))


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("oracle")
    made = {}

    def of(version=NEWEST):
        if version not in made:
            try:
                made[version] = against_go.build(folder, version)
            except NoToolchain as error:
                pytest.skip(f"Go {version}: {error}")
        return made[version]

    return of


@pytest.mark.parametrize("version", list(VERSIONS))
def test_every_verdict_and_every_word_is_gos(oracle, version):
    counts, count = Counts(), COUNT if version == NEWEST else COUNT_OLDER
    found = list(against_go.differences(oracle(version), questions(SEED, count), counts, version))
    assert counts.asked.total() == count
    assert not found, f"{len(found)} of {count} differ:\n" + "\n".join(map(str, found[:5]))
    for kind in {make.__name__ for make in CLASSES}:
        assert counts.asked[version, kind, True], f"no question of the class {kind} was trusted: it proves little"
        assert counts.asked[version, kind, False], f"every question of the class {kind} was trusted: it proves little"


def test_the_versions_do_differ(oracle):
    """The questions would be worth nothing for older versions if none of them told them apart."""
    asked = [item for _kind, item in questions(SEED, COUNT_OLDER)]
    answers = {version: [(one["trusted"], one["error"]) for one in against_go.ask_go(oracle(version), asked)] for version in VERSIONS}
    for version, given in answers.items():
        assert version == NEWEST or given != answers[NEWEST], version


def careless(items, version):
    return [{**result, "trusted": True, "error": None} for result in against_go.judge(items, against_go.Options(against_go.Warn(30, None), 0, os.devnull))]


def test_a_wrong_answer_would_be_seen(oracle, monkeypatch):
    monkeypatch.setattr(against_go, "ask_us", careless)
    found = list(against_go.differences(oracle(), questions(SEED, 50), Counts()))
    assert {one.field for one in found} == {"trusted"}


def test_a_wrong_answer_is_made_small_and_kept_once(oracle, monkeypatch, tmp_path):
    for module in ("against_go", "shrink"):
        monkeypatch.setattr(f"ansible_collections.kubeops.webhook_doctor.tests.unit.trust.{module}.ask_us", careless)
    (kind, item), *_rest = (asked for asked in questions(SEED, 200) if asked[0] == "crowded")
    item = {**item, "ca_bundle": "", "chain": item["chain"] + item["chain"][:1]}
    (found,) = against_go.differences(oracle(), iter([(kind, item)]), Counts())
    small = shrunk(found, oracle())
    assert len(small.item["chain"]) == 1
    file = tmp_path / "regressions.json"
    assert [regressions.add(small, file), regressions.add(small, file)] == [True, False]
    assert regressions.read(file) == [{"go": NEWEST, "item": small.item, "trusted": False, "error": small.go["error"]}]


@pytest.mark.parametrize("line", regressions.read(), ids=lambda line: f"{line['go']} {line['item']['name']}")
def test_what_was_wrong_once(line):
    answer = against_go.ask_us([line["item"]], line["go"])[0]
    assert (answer["trusted"], answer["error"]) == (line["trusted"], line["error"])


def test_go_still_answers_what_was_wrong_once(oracle):
    for version in {line["go"] for line in regressions.read()}:
        lines = [line for line in regressions.read() if line["go"] == version]
        answers = against_go.ask_go(oracle(version), [line["item"] for line in lines])
        assert [(one["trusted"], one["error"]) for one in answers] == [(line["trusted"], line["error"]) for line in lines]
