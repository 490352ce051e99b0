# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which texts are let through, and how repetitions are counted."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.evidence import MOST_ENTRIES, Evidence, may_be_about_a_call
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import FAILED, apiservice, event, obj


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (FAILED, True),
        ("conversion webhook for example.com/v1, Kind=Thing failed: EOF", True),
        ("x509: certificate signed by unknown authority", True),
        ('admission webhook "a" denied the request: no', True),
        ("the server is currently unable to handle the request", True),
        ("Back-off restarting failed container", False),
        ("0/3 nodes are available: 3 Insufficient cpu.", False),
    ],
)
def test_what_may_be_about_a_call(message: str, expected: bool) -> None:
    assert may_be_about_a_call(message) is expected


def entries(*objects: dict[str, Any]) -> list[dict[str, Any]]:
    evidence = Evidence()
    for one in objects:
        (evidence.add_event if one["kind"] == "Event" else evidence.add_conditions)(one)
    return evidence.entries()[0]


def test_repetitions_are_one_entry() -> None:
    (found,) = entries(event("a", FAILED), event("b", FAILED, count=4, firstTimestamp="2025-12-31T00:00:00Z", lastTimestamp="2026-01-01T02:00:00Z"))
    assert (found["count"], found["first"], found["last"]) == (7, "2025-12-31T00:00:00Z", "2026-01-01T02:00:00Z")
    assert (found["source"], found["text"], found["reporter"]) == ("event", FAILED, "replicaset-controller")
    assert found["object"] == {"kind": "ReplicaSet", "namespace": "shop", "name": "web"}


def test_the_same_event_twice_counts_once() -> None:
    assert entries(event("a", FAILED), event("a", FAILED))[0]["count"] == 3


@pytest.mark.parametrize(
    ("other", "entries_left"),
    [
        (FAILED.replace("one.example.com", "two.example.com"), 2),
        (FAILED.replace("EOF", "read tcp 10.0.0.1:39000->10.0.0.2:443: EOF"), 1),
    ],
)
def test_what_tells_failures_apart(other: str, entries_left: int) -> None:
    first = FAILED if entries_left == 2 else FAILED.replace("EOF", "read tcp 10.0.0.1:41234->10.0.0.2:443: EOF")
    assert len(entries(event("a", first), event("b", other))) == entries_left


def test_times_in_the_text_do_not_tell_failures_apart() -> None:
    texts = [f"{FAILED} x509: current time 2026-01-01T00:00:0{second}Z is after 2025-01-01T00:00:00Z" for second in (1, 2)]
    assert len(entries(*(event(text[-30:], text) for text in texts))) == 1


def test_events_of_the_newer_api() -> None:
    newer = obj("events.k8s.io/v1", "Event", "a", "shop", type="Warning", note=FAILED, regarding={"kind": "Job", "namespace": "shop", "name": "j"})
    newer.update(
        reportingController="job-controller", eventTime="2026-01-01T00:00:00.000000Z", series={"count": 9, "lastObservedTime": "2026-01-01T03:00:00.000000Z"}
    )
    (found,) = entries(newer)
    assert (found["count"], found["first"], found["last"], found["reporter"]) == (
        9,
        "2026-01-01T00:00:00.000000Z",
        "2026-01-01T03:00:00.000000Z",
        "job-controller",
    )


@pytest.mark.parametrize("changes", [{"type": "Normal"}, {"source": {"component": "kubelet"}}, {"message": None}])
def test_left_out(changes: dict[str, Any]) -> None:
    assert entries({**event("a", FAILED), **changes}) == []


@pytest.mark.parametrize(
    ("kind", "condition", "expected"),
    [
        ("Deployment", {"type": "ReplicaFailure", "status": "True", "message": FAILED}, 1),
        ("Deployment", {"type": "ReplicaFailure", "status": "False", "message": FAILED}, 0),
        ("Deployment", {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}, 0),
        ("HelmRelease", {"type": "Ready", "status": "False", "message": FAILED}, 1),
        ("HelmRelease", {"type": "Ready", "status": "True", "message": FAILED}, 0),
    ],
)
def test_conditions(kind: str, condition: dict[str, Any], expected: int) -> None:
    assert len(entries(obj("x/v1", kind, "a", "shop", status={"conditions": [condition]}))) == expected


def test_an_unavailable_apiservice_is_evidence_in_any_words() -> None:
    service = {"namespace": "n", "name": "s"}
    assert len(entries(apiservice("v1.a.example", service, "False", "odd words"))) == 1
    assert entries(apiservice("v1.a.example", service, "True")) == []


def test_floods_are_cut_and_long_texts_bounded() -> None:
    evidence = Evidence()
    for number in range(MOST_ENTRIES + 5):
        text = f"failed calling webhook w{number} " + "x" * 9000
        evidence.add_event(event(f"e{number}", text, lastTimestamp=f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z"))
    found, left_out = evidence.entries()
    assert (len(found), left_out, len(found[0]["text"])) == (MOST_ENTRIES, 5, 2000)
    assert found[0]["last"] > found[-1]["last"]
