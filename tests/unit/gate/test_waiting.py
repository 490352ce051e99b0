# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a gate opens, and what it says until then."""

from __future__ import annotations

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._gate import progress
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._gate.look import Look, Missing
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._gate.waiting import Streak

GOOD = Look(proven=("validating/a/a",))
MORE = Look(proven=("validating/a/a", "validating/b/b"))
OPEN = Look(proven=("validating/a/a",), reachable=(("validating/b/b", "failurePolicy is Ignore"),))
BAD = Look(missing=(Missing("a", "WD204: no endpoints", "validating/a/a", ("WD204",)),))
NEVER = Look(missing=(Missing("a", "no dry run can prove it", "validating/a/a", hopeless=True),))


def streak(*looks: Look | str) -> Streak:
    """After these looks; a text for an API server that did not answer."""
    now = Streak()
    for look in looks:
        now = now.broken(look) if isinstance(look, str) else now.after(look)
    return now


def test_good_looks_are_counted_in_a_row() -> None:
    assert [streak(GOOD).good, streak(GOOD, GOOD).good, streak(GOOD, BAD).good, streak(GOOD, BAD, GOOD).good, streak(GOOD, GOOD, GOOD).good] == [1, 2, 0, 1, 3]


def test_an_api_server_that_does_not_answer_begins_anew() -> None:
    assert (streak(GOOD, "refused").good, streak(GOOD, "refused", GOOD).good, streak("refused").silence) == (0, 1, "refused")


def test_a_further_call_out_is_a_new_question() -> None:
    assert (streak(GOOD, MORE).good, streak(GOOD, MORE, MORE).good, streak(MORE, OPEN).good) == (1, 2, 2)


def test_nothing_at_all_to_wait_for_is_good() -> None:
    assert streak(Look(), Look()).good == 2


def test_waiting_does_not_help() -> None:
    assert (streak(NEVER).hopeless, streak(BAD).hopeless, streak(NEVER, "refused").hopeless) == (True, False, False)


def test_how_it_stands_in_words() -> None:
    assert progress.status(streak(GOOD), 2) == "1 of 1 call-out proven, looking again (1 of 2)"
    assert progress.status(streak(GOOD, GOOD), 2) == "1 of 1 call-out proven"
    assert progress.status(streak(OPEN), 1) == "1 of 2 call-outs proven, 1 reachable (no dry run can prove it)"
    assert progress.status(streak(BAD), 1) == "0 of 1 call-out proven, waiting for 1"
    assert progress.status(streak(Look(proven=("a",), instances=("10.0.0.1:6443", "10.0.0.2:6443"))), 1) == "1 of 1 call-out proven through 2 API servers"
    assert progress.status(streak(GOOD, "https://10.0.0.1: connection refused"), 1) == "https://10.0.0.1: connection refused"


def test_each_thing_that_is_missing_has_a_line() -> None:
    shown = [line.text for line in progress.timed(12.4, progress.lines(streak(BAD), 2, 100))]
    assert shown == ["   12 s  0 of 1 call-out proven, waiting for 1", "         a: WD204: no endpoints"]


def test_many_are_counted() -> None:
    many = Look(missing=tuple(Missing(f"hook-{number}", "WD204") for number in range(progress.MOST + 3)))
    assert progress.lines(streak(many), 2, 100)[-1].text.strip() == "and 3 more"
    assert progress.failure(streak(many), 300).endswith("hook-11: WD204; and 3 more")


def test_the_message_of_a_shut_gate() -> None:
    assert progress.failure(streak(BAD), 300) == "Not proven within 300 s: a: WD204: no endpoints"
    assert progress.failure(streak(NEVER), 2) == "Waiting does not help: a: no dry run can prove it"
    assert progress.failure(streak(BAD, "https://10.0.0.1: connection refused"), 300) == "Not proven within 300 s: https://10.0.0.1: connection refused"
    assert progress.failure(streak(GOOD), 300) == "Not proven within 300 s: all was good, but not for 2 looks in a row"


def test_what_objects_say_cannot_act_on_a_terminal() -> None:
    hostile = Look(missing=(Missing("a\x1b[2J", "b\nc", "x"),))
    assert not any("\x1b" in line.text or "\n" in line.text for line in progress.lines(streak(hostile), 2, 100))
    assert "\x1b" not in progress.failure(streak(hostile), 1) and "\n" not in progress.failure(streak(hostile), 1)
