# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action wait_for_webhooks, with what observe_cluster returns given, and without waiting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.kubeops.webhook_doctor.plugins.action import wait_for_webhooks
from ansible_collections.kubeops.webhook_doctor.plugins.action.wait_for_webhooks import ActionModule
from ansible_collections.kubeops.webhook_doctor.plugins.modules import wait_for_webhooks as documented
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe

REFUSED = {"failed": True, "msg": "https://10.0.0.1:6443: connection refused", "cause": "connection_refused"}
BROKEN = {"apiserver": {"says": "dial tcp 10.1.0.1:8443: connect: connection refused"}}


def seen(given: Mapping[str, Any]) -> dict[str, Any]:
    facts, probes, verdicts = observe(given)
    return {"facts": facts, "probes": probes, "verdicts": verdicts}


class Clock:
    """Time that passes only while somebody sleeps, and a second in each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Gate:
    """The action with these answers of observe_cluster; the last one for ever. asked: the arguments that it got."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, Any]]) -> None:
        self.clock, self.asked, self.shown = Clock(), list[dict[str, Any]](), list[str]()
        self._answers = iter([*answers, *(answers[-1] for dummy in range(1000))])
        monkeypatch.setattr(wait_for_webhooks, "time", self.clock)
        monkeypatch.setattr(ActionBase, "run", lambda *dummy, **dummy_too: {})
        self._display = SimpleNamespace(columns=120, display=lambda text, **dummy: self.shown.append(text))

    def run(self, **arguments: Any) -> dict[str, Any]:
        action = ActionModule.__new__(ActionModule)
        action._task = SimpleNamespace(args=arguments)
        action._display = self._display
        action._execute_module = self._execute
        return action.run(task_vars={})

    def _execute(self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        assert module_name == "kubeops.webhook_doctor.observe_cluster"
        self.clock.now += 1
        self.asked.append(module_args)
        return next(self._answers)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    yield lambda *answers: Gate(monkeypatch, list(answers))


def test_it_opens_after_two_good_looks(gate: Any) -> None:
    waiting = gate(seen(BROKEN), seen({}))
    result = waiting.run(kubeconfig="/k")
    assert (result["looks"], result["waited_seconds"], result["changed"], result.get("failed")) == (3, 9.0, False, None)
    assert (result["msg"], result["proven"], result["missing"]) == ("1 of 1 call-out proven", ["validating/hook/hook.example.com"], [])
    assert "waiting for 1" in waiting.shown[0]


def test_the_connection_goes_on_and_only_what_is_waited_for_is_called(gate: Any) -> None:
    waiting = gate(seen({"more": {"two": {}}}))
    waiting.run(kubeconfig="/k", context="blue", select="[?object=='two']")
    first, second = waiting.asked
    assert first == {"kubeconfig": "/k", "context": "blue", "callouts": [], "deadline": 40.0}
    assert second["callouts"] == ["validating/two/two.example.com"]


def test_it_fails_with_the_findings_when_the_time_is_up(gate: Any) -> None:
    waiting = gate(seen(BROKEN))
    result = waiting.run(wait_timeout=20)
    assert result["failed"] and result["waited_seconds"] <= 20
    code = result["findings"][0]["code"]
    assert result["msg"].startswith("Not proven within") and code in result["msg"] and result["missing"][0]["codes"] == [code]
    assert any(f"ERROR  {code}" in text for text in waiting.shown)
    assert waiting.asked[-1]["deadline"] == waiting.asked[0]["deadline"], "the last look has the time to say why"


def test_what_does_not_change_is_shown_now_and_then(gate: Any) -> None:
    waiting = gate(seen(BROKEN))
    waiting.run(wait_timeout=100)
    assert 3 <= sum("waiting for 1" in text for text in waiting.shown) <= 5


def test_an_api_server_that_does_not_answer_is_waited_for(gate: Any) -> None:
    assert gate(REFUSED, seen({})).run()["looks"] == 3
    late = gate(REFUSED).run(wait_timeout=10)
    assert late["failed"] and "connection refused" in late["msg"] and late["looks"] > 1


def test_other_failures_of_observing_are_not_waited_for(gate: Any) -> None:
    waiting = gate({"failed": True, "msg": "context blue does not exist"})
    assert waiting.run() == {"failed": True, "msg": "context blue does not exist"}
    assert len(waiting.asked) == 1


def test_where_waiting_does_not_help_it_fails_at_once(gate: Any) -> None:
    waiting = gate(seen({"failure_policy": "Ignore", "apiserver": "not provable"}))
    assert waiting.run(fail_open="proven")["msg"].startswith("Waiting does not help")
    assert len(waiting.asked) == 1


def test_nothing_is_shown_where_a_program_reads(gate: Any) -> None:
    waiting = gate(seen(BROKEN))
    waiting.run(show=False, wait_timeout=5)
    assert waiting.shown == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"timeout": 5}, "there is no option timeout. Expected: select"),
        ({"stable": 0}, "stable 0 is out of range. Expected 1 to 100 looks."),
        ({"fail_open": "maybe"}, "value of fail_open must be one of"),
        ({"select": "[?nope"}, "is not valid JMESPath"),
    ],
)
def test_arguments_that_cannot_be(gate: Any, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(AnsibleActionFail) as refused:
        gate(seen({})).run(**arguments)
    assert said in str(refused.value)


def test_documentation_and_options_agree() -> None:
    options = yaml.safe_load(documented.DOCUMENTATION)["options"]
    assert {name: {key: option[key] for key in ("type", "choices", "default", "elements") if key in option} for name, option in options.items()} == {
        name: {**spec, **({"choices": [*reversed(spec["choices"])]} if "choices" in spec else {})} for name, spec in wait_for_webhooks._SETTINGS.items()
    }
