# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error text means, in the terminal."""

from __future__ import annotations

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.filter.classify_error import classify_error
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.explanation import explanation_lines
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.hostile import HOSTILE

CALL = 'Internal error occurred: failed calling webhook "w.example.org": failed to call webhook: Post "https://w.webhooks.svc:443/validate?timeout=10s": '


def explain(text: str, width: int = 200) -> str:
    return "\n".join(line.text for line in explanation_lines(text, classify_error(text), width, "docs/findings/WD210.md", "Nothing answers"))


def test_a_failed_call() -> None:
    said = explain(CALL + "dial tcp 10.0.0.7:10250: i/o timeout")
    assert "\ncause:        connect_timeout (WD210): Nothing answers\n" in said
    assert "\nwho:          admission webhook w.example.org\n" in said
    assert "\nService:      webhooks/w:443\n" in said
    assert "\ndialled:      10.0.0.7:10250\n" in said
    assert "\ntime-out:     10 s\n" in said
    assert "\nstopped at:   API server ok > Service ok > Endpoint FAILS (no answer) > TLS not reached > Review not reached\n" in said
    assert "\nmeans:        Nothing answered" in said
    assert said.endswith("\nmore:         docs/findings/WD210.md\n")


def test_a_denial_is_no_failure() -> None:
    text = 'admission webhook "validate.kyverno.svc-fail" denied the request: privileged containers are not allowed'
    judged = classify_error(text)
    lines = explanation_lines(text, judged, 200, None, None)
    said = "\n".join(line.text for line in lines)
    assert "denied: no failure of a call; something was refused on purpose" in said
    assert "stopped at" not in said
    assert "it says:      privileged containers are not allowed" in said
    assert [line.tone for line in lines if line.text.startswith("cause:")] == ["good"]


def test_what_is_not_known_is_said_to_be() -> None:
    said = explanation_lines("hello", classify_error("hello"), 80, None, None)
    assert [line.tone for line in said if line.text.startswith("cause:")] == ["info"]


def test_several_failures_in_one_text() -> None:
    said = explain(
        f"{CALL}dial tcp 10.0.0.7:10250: i/o timeout\n{CALL.replace('w.example.org', 'v.example.org')}x509: certificate has expired or is not yet valid"
    )
    assert "also in it:" in said


@pytest.mark.parametrize("width", [60, 79, 140])
def test_lines_fit(width: int) -> None:
    lines = explain(CALL + "dial tcp 10.0.0.7:10250: i/o timeout", width).split("\n")
    assert [line for line in lines if len(line) > width and "https://" not in line] == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_pasted_text_cannot_act_on_the_terminal(hostile: str) -> None:
    for text in (hostile, CALL + hostile, CALL.replace("w.example.org", "w" + hostile), f'admission webhook "x" denied the request: {hostile}'):
        said = explain(text)
        assert not [character for character in said if (ord(character) < 32 and character != "\n") or 0x7F <= ord(character) < 0xA0]
        assert not set("\u202e\u2066\ud800") & set(said)
        assert len(said) < 20_000
