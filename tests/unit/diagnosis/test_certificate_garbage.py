# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CertificateRequests, Orders and Challenges may be deleted: certificate_garbage.yml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.certificate_garbage import judge_garbage

ROWS = yaml.safe_load((Path(__file__).parent / "certificate_garbage.yml").read_text(encoding="utf-8"))
KINDS = {"r": "CertificateRequest", "o": "Order", "c": "Challenge"}
OWNERS = {"r": "Certificate", "o": "CertificateRequest", "c": "Order"}
WORDS = re.compile(r"(?P<name>(?P<kind>[roc])\d)(?: of (?P<owner>\w+))?(?: revision (?P<revision>\d))?(?: (?P<state>pending|finished|deleting))?")


def certificate(name: str, special: dict[str, Any]) -> dict[str, Any]:
    usual = {"namespace": "apps", "name": name, "uid": f"uid-{name}", "ready": True, "issuing": False, "revision": 3, "history_limit": None}
    return {**usual, **special}


def stored(words: str) -> dict[str, Any]:
    said = WORDS.fullmatch(words)
    assert said, words
    owner = said["owner"]
    return {
        "kind": KINDS[said["kind"]],
        "namespace": "apps",
        "name": said["name"],
        "uid": f"uid-{said['name']}",
        "owner": {"kind": OWNERS[said["kind"]], "name": owner} if owner else None,
        "owner_uid": f"uid-{owner}" if owner else None,
        "revision": int(said["revision"]) if said["revision"] else None,
        "deleting": said["state"] == "deleting",
        "state": None if said["state"] == "deleting" else said["state"],
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_what_may_go(row: dict[str, Any]) -> None:
    garbage = judge_garbage([certificate(*item) for item in row["certificates"].items()], [stored(words) for words in row["objects"]], keep=row.get("keep", 1))
    assert [name for kind, namespace, name in garbage.deletable] == row["gone"]
    assert sorted(name for kind, namespace, name in garbage.with_them) == row.get("with", [])
    if "kept" in row:
        assert row["kept"] in garbage.kept
    everything = [*garbage.deletable, *garbage.with_them, *(key for keys in garbage.kept.values() for key in keys)]
    assert len(everything) == len(set(everything)) == len(row["objects"]), "each object is judged once"


def test_what_it_frees() -> None:
    objects = [stored("r1 of web revision 1"), stored("r3 of web revision 3"), stored("o1 of r1")]
    assert judge_garbage([certificate("web", {})], objects, {"CertificateRequest": 8000, "Order": 5000}).freed == 13000
    assert judge_garbage([certificate("web", {})], objects).freed is None
    assert judge_garbage([certificate("web", {})], [objects[0], objects[1]]).counts() == {"CertificateRequest": 1}


def test_ten_thousand_are_judged_at_once() -> None:
    objects = [{**stored("r1 of web revision 1"), "name": f"r{number}", "uid": str(number)} for number in range(10_000)]
    objects += [{**stored("o1 of r1"), "name": f"o{number}", "uid": f"o{number}", "owner_uid": str(number)} for number in range(10_000)]
    garbage = judge_garbage([certificate("web", {})], [*objects, stored("r3 of web revision 3")])
    assert (len(garbage.deletable), len(garbage.with_them)) == (10_000, 10_000)
