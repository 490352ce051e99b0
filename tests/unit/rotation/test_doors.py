# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters and the action of a rotation: what they are given is checked, what they return is plain, and documentation and code agree."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail, AnsibleFilterError
from ansible.plugins.action import ActionBase

from ansible_collections.kubeops.webhook_doctor.plugins.action import write_rotation_report
from ansible_collections.kubeops.webhook_doctor.plugins.filter.holder_died import holder_died
from ansible_collections.kubeops.webhook_doctor.plugins.filter.rotation_drain import rotation_drain
from ansible_collections.kubeops.webhook_doctor.plugins.filter.rotation_guards import rotation_guards
from ansible_collections.kubeops.webhook_doctor.plugins.filter.rotation_plan import rotation_plan
from ansible_collections.kubeops.webhook_doctor.plugins.filter.rotation_proof import rotation_proof
from ansible_collections.kubeops.webhook_doctor.plugins.filter.rotation_record import rotation_record
from ansible_collections.kubeops.webhook_doctor.plugins.filter.rotation_report import rotation_report
from ansible_collections.kubeops.webhook_doctor.plugins.filter.rotation_unavailable import rotation_unavailable
from ansible_collections.kubeops.webhook_doctor.plugins.filter.rotation_verdicts import rotation_verdicts
from ansible_collections.kubeops.webhook_doctor.plugins.filter.run_identity import run_identity
from ansible_collections.kubeops.webhook_doctor.plugins.modules import write_rotation_report as documented
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe
from ansible_collections.kubeops.webhook_doctor.tests.unit.rotation.control_plane import LOCK, NOW, over, reads, results

ROOT = Path(__file__).parents[3]
FILTERS: tuple[Callable[..., Any], ...] = (
    rotation_verdicts,
    rotation_drain,
    rotation_plan,
    rotation_guards,
    rotation_unavailable,
    rotation_proof,
    rotation_report,
    rotation_record,
    run_identity,
    holder_died,
)
DUE = {"hosts": {"cp1": {"days": 20}, "cp2": {"days": 10}}}


def seen(given: dict[str, Any]) -> dict[str, Any]:
    facts, probes, verdicts = observe({"rules": []})
    diagnosis = {"facts": facts, "probes": probes, "verdicts": verdicts}
    return {"hosts": results(given), "api": reads(given), "diagnosis": diagnosis, "asked": [NOW, NOW], "at": NOW, "lock": LOCK, "alerts": None}


def planned(given: dict[str, Any]) -> dict[str, Any]:
    return rotation_plan(rotation_verdicts(results(given), at=NOW), seen(given), "restart kube-apiserver")


def test_from_hosts_to_a_report() -> None:
    plan = planned(DUE)
    assert plan["outcome"] == "go" and plan["next"] == "cp2"
    assert rotation_guards(seen(DUE), "cp2", plan["baseline"])["go"]
    before = results(DUE)[1]
    after = over(before, {"api_server": {"container": {"id": "new"}, "process": {"pid": 7, "started": NOW}}})
    proof = rotation_proof(after, before, began="2026-11-20T17:59:00Z", at=NOW)
    assert (proof["host"], proof["proven"], proof["seconds"]) == ("cp2", False, 60.0)
    report = rotation_report(plan, [proof], run="run", failure={"host": "cp2", "says": "no", "logs": []}, at=NOW)
    assert report["outcome"] == "stopped" and json.dumps([plan, proof, report])
    assert rotation_record([proof], reads(DUE), "webhook-doctor", "run") == {}, "nothing is proven"
    proven = {**proof, "proven": True}
    assert rotation_record([proven], reads(DUE), "webhook-doctor", "run")
    away = [{"kind": "Lease", "objects": [], "error": "connect: timed out", "reason": "error"}]
    assert rotation_record([proven], away, "webhook-doctor", "run") == {}, "it would take the place of what is there"
    begun = rotation_record([], reads(DUE), "webhook-doctor", "run", looks=results(DUE), begins="cp2", at=NOW)
    assert json.loads(begun["webhook-doctor.kubeops.io/rotation"]) == {
        "cp2": {"at": NOW, "run": "run", "old_not_after": proof["old"]["not_after"], "new_not_after": None}
    }


def test_what_is_unavailable() -> None:
    assert rotation_unavailable(reads({"unavailable": ["v1.b", "v1.a"]})) == ["v1.a", "v1.b"]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: rotation_verdicts("cp1"), "the hosts are a str. Expected: the results of a loop"),
        (lambda: rotation_verdicts([{"api_server": {}}]), r"hosts\[0\] has no item"),
        (lambda: rotation_verdicts(results({}), share=2), "share 2 is out of range. Expected: 0 to 1"),
        (lambda: rotation_verdicts(results({}), days="soon"), "a limit is no number"),
        (lambda: rotation_verdicts(results({}), days=-1), "must not be negative"),
        (lambda: rotation_verdicts(results({}), at="noon"), "'noon' is not a time"),
        (lambda: rotation_drain([{"api_server": {}}]), r"hosts\[0\] has no item"),
        (lambda: rotation_plan([], {"hosts": []}, "x"), "what was seen lacks hosts or api"),
        (lambda: rotation_plan([], {**seen({}), "diagnosis": {"facts": {}}}, "x"), "facts.source is missing"),
        (lambda: rotation_plan([], seen({}), "x", {"windows": 1}), "there is no option windows"),
        (lambda: rotation_guards(seen({}), "worker-1"), "worker-1 is none of the hosts that were seen"),
        (lambda: rotation_proof(results({})[0], {}), "has no item"),
        (lambda: rotation_report({}), "Expected: a plan of rotation_plan"),
    ],
)
def test_what_cannot_be_is_said_by_name(ask: Callable[[], Any], said: str) -> None:
    with pytest.raises(AnsibleFilterError, match=said):
        ask()


@pytest.mark.parametrize("door", FILTERS, ids=lambda door: door.__name__)
def test_documentation_and_arguments_agree(door: Callable[..., Any]) -> None:
    told = yaml.safe_load((ROOT / "plugins" / "filter" / f"{door.__name__}.yml").read_text(encoding="utf-8"))["DOCUMENTATION"]
    names = list(inspect.signature(door).parameters)
    assert list(told["options"]) == ["_input", *names[1:]]
    parameters = inspect.signature(door).parameters
    for name in names[1:]:
        default = parameters[name].default
        assert (told["options"][name].get("default") or None) == (None if default is inspect.Parameter.empty else default or None), name


def test_a_run_is_named_by_the_process_that_lives_as_long_as_it() -> None:
    """Tasks are made by workers that end with them: the holder is whoever has started these."""
    context = get_context("fork")
    queue = context.SimpleQueue()
    worker = context.Process(target=lambda: queue.put(run_identity("")))
    worker.start()
    made = queue.get()
    worker.join()
    assert made["run"] in made["holder"] and not holder_died(made["holder"])
    assert run_identity("mine")["run"] == "mine"


def test_a_holder_that_has_ended_has_died() -> None:
    code = "from ansible_collections.kubeops.webhook_doctor.plugins.filter.run_identity import run_identity; print(run_identity('')['holder'])"
    holder = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert holder_died(holder)
    assert not holder_died(None) and not holder_died("somebody@elsewhere")


class Reporter:
    """The action, and what it shows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[str] = []
        monkeypatch.setattr(ActionBase, "run", lambda *dummy, **dummy_too: {})

    def run(self, check: bool = False, **arguments: Any) -> dict[str, Any]:
        action = write_rotation_report.ActionModule.__new__(write_rotation_report.ActionModule)
        action._task = SimpleNamespace(args=arguments, check_mode=check)
        action._display = SimpleNamespace(columns=160, display=lambda text, **dummy: self.shown.append(text))
        return action.run(task_vars={})


@pytest.fixture
def reporter(monkeypatch: pytest.MonkeyPatch) -> Reporter:
    return Reporter(monkeypatch)


def test_the_plan_is_shown_and_nothing_is_written(reporter: Reporter, tmp_path: Path) -> None:
    done = reporter.run(plan=planned(DUE), dest=str(tmp_path / "x"))
    assert not done["changed"] and "1.  cp2" in "".join(reporter.shown) and not (tmp_path / "x").exists()
    reporter.shown.clear()
    reporter.run(plan=planned(DUE), guards=[{**planned(DUE)["guards"][0], "ok": False, "blocks": True}])
    assert "".join(reporter.shown).lstrip().startswith("STOP     supported")


def test_the_report_is_written_as_json_text_and_metrics(reporter: Reporter, tmp_path: Path) -> None:
    plan = planned(DUE)
    report = rotation_report(plan, run="run", check=True, at=NOW)
    arguments = {"plan": plan, "report": report, "dest": str(tmp_path / "x"), "metrics_path": str(tmp_path / "m" / "rotation.prom")}
    assert reporter.run(check=True, **arguments)["files"] == {} and not list(tmp_path.iterdir())
    done = reporter.run(**arguments)
    assert json.loads((tmp_path / "x" / "rotation.json").read_text(encoding="utf-8")) == report
    assert "The plan was:" in (tmp_path / "x" / "rotation.txt").read_text(encoding="utf-8")
    assert (tmp_path / "m" / "rotation.prom").stat().st_mode & 0o444 == 0o444, "whoever scrapes it is another user"
    assert set(done["files"]) == {"json", "txt", "metrics"} and done["changed"]
    assert not reporter.run(**arguments)["changed"]
    assert reporter.run(**{**arguments, "show": False})["msg"] == report["says"]


def test_where_nothing_can_be_written_it_says_so(reporter: Reporter, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    plan = planned(DUE)
    with pytest.raises(AnsibleActionFail, match="apiserver_loopback_metrics_path"):
        reporter.run(plan=plan, report=rotation_report(plan, at=NOW), metrics_path=str(tmp_path / "file" / "m.prom"))
    with pytest.raises(AnsibleActionFail, match="missing required arguments: plan"):
        reporter.run()


def test_documentation_and_settings_agree() -> None:
    options = yaml.safe_load(documented.DOCUMENTATION)["options"]
    kept = ("type", "default", "elements", "required")
    shown = {name: {key: option[key] for key in kept if key in option} for name, option in options.items()}
    shown["guards"]["elements"] = "dict"
    assert shown == write_rotation_report._SETTINGS
