# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""remediate and rollback as a user runs them: preview, apply, again, back; and on bad days."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from doctorlab import Lab, Options
from remedy_lab import Played, cycle, journal_says, play, reap, specs, start, versions, worker_of

ONE_REMEDY = {"webhook_doctor_remedies": ["webhook_timeouts"]}
USER = "remediate-webhook_timeouts"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("remediate") / "lab", Options(faults="slow-in-time")) as lab:
        yield lab


@pytest.fixture(autouse=True)
def clean(lab: Lab) -> Iterator[None]:
    """Every test begins and ends without configurations of another one."""
    yield
    names = [name for name in lab.kubectl("get", "validatingwebhookconfigurations", "-o", "name").split() if "/long-" in name]
    if names:
        lab.kubectl("delete", *names)


def make_long(lab: Lab, *names: str, seconds: int = 30, labels: dict[str, str] | None = None) -> None:
    """Webhooks that fail open (nobody is behind them) and may take long for pods."""
    entry = {
        "clientConfig": {"service": {"namespace": "default", "name": "nobody"}},
        "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": seconds,
    }
    objects = [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": f"long-{name}", "labels": labels or {}},
            "webhooks": [{**entry, "name": f"a.{name}.example.com"}, {**entry, "name": f"b.{name}.example.com", "timeoutSeconds": 5}],
        }
        for name in names
    ]
    lab.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(objects))


def seconds_of(lab: Lab, name: str) -> list[int]:
    configuration = json.loads(lab.kubectl("get", "validatingwebhookconfiguration", f"long-{name}", "-o", "json"))
    return [entry["timeoutSeconds"] for entry in configuration["webhooks"]]


def lease(lab: Lab) -> dict[str, Any]:
    return json.loads(lab.kubectl("-n", "kube-system", "get", "lease", "webhook-doctor", "-o", "json"))["spec"]


def test_time_outs_there_and_back(lab: Lab, tmp_path: Path, row: Callable[[str], None]) -> None:
    make_long(lab, "one")
    done = cycle(lab, tmp_path, user=USER, variables=ONE_REMEDY, mended=lambda: seconds_of(lab, "one") == [15, 5])
    assert "/webhooks/0/timeoutSeconds: 30" in done.preview.output and "managedFields" not in done.preview.output
    assert lease(lab)["holderIdentity"] == ""
    row(done.row("time-out of 30 s in the way of pods", "webhook_timeouts"))


def test_a_role_alone(lab: Lab, tmp_path: Path) -> None:
    """As in somebody's own playbook, which has its own variables."""
    make_long(lab, "own")
    tasks = [
        {"ansible.builtin.include_role": {"name": "kubeops.webhook_doctor.webhook_timeouts"}},
        {"ansible.builtin.assert": {"that": "webhook_timeouts_is_changed == expected"}},
    ]
    variables = {"webhook_timeouts_profile": "explicit", "webhook_timeouts_seconds": 7, "webhook_timeouts_webhooks": ["b.own.example.com"], "expected": True}
    own = tmp_path / "own.yml"
    own.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    first = play(lab, tmp_path, str(own), user=USER, variables=variables)
    assert first.returncode == 0, first.output[-3000:]
    assert seconds_of(lab, "own") == [30, 7]
    second = play(lab, tmp_path, str(own), user=USER, variables={**variables, "expected": False})
    assert second.returncode == 0, second.output[-3000:]


def test_only_what_was_selected(lab: Lab, tmp_path: Path) -> None:
    make_long(lab, "left", "right")
    select = "[?subject.name=='long-right']"
    done = play(lab, tmp_path, "remediate", user=USER, variables={**ONE_REMEDY, "webhook_doctor_select": select})
    assert done.returncode == 0, done.output[-3000:]
    assert (seconds_of(lab, "left"), seconds_of(lab, "right")) == ([30, 5], [15, 5])


def test_what_makes_a_webhook_fail_is_taken_back(lab: Lab, tmp_path: Path) -> None:
    """A webhook that takes 2 s to answer, and somebody who wants it to have 1 s."""
    before = specs(lab)
    asked = {"webhook_timeouts_profile": "explicit", "webhook_timeouts_seconds": 1, "webhook_timeouts_webhooks": [slow_webhook(lab)], **ONE_REMEDY}
    done = play(lab, tmp_path, "remediate", user=USER, variables=asked)
    assert done.returncode == 2, done.output[-3000:]
    assert "taken back, because it made things worse" in done.output
    assert specs(lab) == before
    assert lease(lab)["holderIdentity"] == ""


def slow_webhook(lab: Lab) -> str:
    configuration = json.loads(lab.kubectl("get", "validatingwebhookconfiguration", "fault-slow-in-time", "-o", "json"))
    return configuration["webhooks"][0]["name"]


def test_who_else_holds_the_lock_is_told(lab: Lab, tmp_path: Path) -> None:
    make_long(lab, "locked")
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    spec = {"holderIdentity": "somebody@elsewhere pid 7", "leaseDurationSeconds": 600, "acquireTime": now, "renewTime": now}
    held = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "webhook-doctor", "namespace": "kube-system"}, "spec": spec}
    lab.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(held))
    try:
        done = play(lab, tmp_path, "remediate", user=USER, variables=ONE_REMEDY)
        assert done.returncode == 2 and "somebody@elsewhere pid 7 changes this cluster now" in done.output, done.output[-3000:]
        assert seconds_of(lab, "locked") == [30, 5]
        back = play(lab, tmp_path, "rollback", user=USER)
        assert back.returncode == 2 and "somebody@elsewhere pid 7" in back.output
        held["spec"]["renewTime"] = "2026-01-01T00:00:00.000000Z"  # it died long ago
        lab.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(held))
        done = play(lab, tmp_path, "remediate", user=USER, variables=ONE_REMEDY)
        assert done.returncode == 0 and seconds_of(lab, "locked") == [15, 5], done.output[-3000:]
    finally:
        lab.kubectl("-n", "kube-system", "delete", "lease", "webhook-doctor")


def test_two_at_once(lab: Lab, tmp_path: Path) -> None:
    """One of them does it; the other says who, or finds nothing left to do. In the end all is well once."""
    make_long(lab, "once")
    both = [start(lab, tmp_path, "remediate", user=USER, variables=ONE_REMEDY) for dummy in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in both]
    codes = [process.returncode for process in both]
    assert 0 in codes, outputs
    for code, output in zip(codes, outputs, strict=True):
        assert code == 0 or "changes this cluster now" in output or "somebody changed it since the plan was made" in output, output[-3000:]
    assert seconds_of(lab, "once") == [15, 5]
    assert len(journal_of(lab, "long-once")) == 1


def journal_of(lab: Lab, name: str) -> list[dict[str, Any]]:
    annotations = json.loads(lab.kubectl("get", "validatingwebhookconfiguration", name, "-o", "json"))["metadata"].get("annotations") or {}
    return json.loads(annotations.get("webhook-doctor.kubeops.io/journal", "[]"))


def test_without_the_right_for_one_of_five(lab: Lab, tmp_path: Path) -> None:
    """RBAC that names four configurations of five."""
    names = ("r1", "r2", "r3", "r4", "r5")
    make_long(lab, *names)
    rule = {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["validatingwebhookconfigurations"], "verbs": ["update"]}
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "webhook-doctor-webhook-timeouts"},
        "rules": [{**rule, "resourceNames": [f"long-{name}" for name in names[:4]]}],
    }
    whole = lab.kubectl("get", "clusterrole", "webhook-doctor-webhook-timeouts", "-o", "json")
    lab.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(role))
    lab.kubectl("replace", "-f", "-", stdin=json.dumps(role))
    try:
        done = play(lab, tmp_path, "remediate", user=USER, variables=ONE_REMEDY)
    finally:
        complete = json.loads(whole)
        complete["metadata"] = {"name": complete["metadata"]["name"], "labels": complete["metadata"].get("labels", {})}
        lab.kubectl("replace", "-f", "-", stdin=json.dumps(complete))
    assert done.returncode == 2, done.output[-3000:]
    assert "webhook_timeouts/ValidatingWebhookConfiguration/long-r5: not changed: not allowed" in done.output
    assert 'cannot update resource "validatingwebhookconfigurations"' in done.output
    assert [seconds_of(lab, name)[0] for name in names] == [15, 15, 15, 15, 30]


def test_changed_between_plan_and_apply(lab: Lab, tmp_path: Path) -> None:
    """Another field: the change is made on the newer object. The same field: it is refused, and nothing is overwritten."""
    make_long(lab, "other", "same")
    kubectl = str(lab.state / "bin" / "kubectl")
    patch = kubectl + ' patch validatingwebhookconfiguration %s --type=json -p \'[{"op":"replace","path":"/webhooks/0/%s","value":%s}]\''
    between = [patch % ("long-other", "matchPolicy", '"Exact"'), patch % ("long-same", "timeoutSeconds", "20")]
    role = "kubeops.webhook_doctor.{}"
    facts = "webhook_doctor_observed.facts"
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.include_role": {"name": role.format("diagnose")}},
        {
            "kubeops.webhook_doctor.read_objects": {
                "objects": f"{{{{ webhook_doctor_findings | kubeops.webhook_doctor.remediation_reads({facts}, remedies=['webhook_timeouts']) }}}}"
            },
            "register": "objects",
        },
        *({"ansible.builtin.command": command} for command in between),
        {
            "kubeops.webhook_doctor.apply_plan": {
                "plan": f"{{{{ webhook_doctor_findings | kubeops.webhook_doctor.remediation_plan({facts}, objects=objects.results,"
                " remedies=['webhook_timeouts']) }}",
                "findings": "{{ webhook_doctor_findings }}",
                "journal_dir": "{{ webhook_doctor_journal_dir }}",
            }
        },
    ]
    own = tmp_path / "own.yml"
    own.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    done = play(lab, tmp_path, str(own))
    assert done.returncode == 2, done.output[-3000:]
    assert "/webhooks/0/timeoutSeconds is 20; expected 30" in done.output
    assert (seconds_of(lab, "other"), seconds_of(lab, "same")) == ([15, 5], [20, 5])
    other = json.loads(lab.kubectl("get", "validatingwebhookconfiguration", "long-other", "-o", "json"))
    assert other["webhooks"][0]["matchPolicy"] == "Exact"
    back = play(lab, tmp_path, "rollback")
    assert back.returncode == 0 and seconds_of(lab, "other") == [30, 5], back.output[-3000:]


def test_rollback_overwrites_nobody(lab: Lab, tmp_path: Path) -> None:
    make_long(lab, "mine", "theirs")
    done = play(lab, tmp_path, "remediate", user=USER, variables=ONE_REMEDY)
    assert done.returncode == 0, done.output[-3000:]
    lab.kubectl(
        "patch", "validatingwebhookconfiguration", "long-theirs", "--type=json", "-p", '[{"op":"replace","path":"/webhooks/0/timeoutSeconds","value":12}]'
    )
    before = versions(lab)
    preview = play(lab, tmp_path, "rollback", "--check", user=USER)
    assert versions(lab) == before and "long-mine: would be taken back" in preview.output
    back = play(lab, tmp_path, "rollback", user=USER)
    assert back.returncode == 2, back.output[-3000:]
    assert "somebody changed it since: /webhooks/0/timeoutSeconds is 12; expected 15" in back.output
    assert (seconds_of(lab, "mine"), seconds_of(lab, "theirs")) == ([30, 5], [12, 5])


def test_rollback_by_the_journal_alone(lab: Lab, tmp_path: Path) -> None:
    """Somebody removed the annotation; the file of the run is still there."""
    make_long(lab, "bare")
    done = play(lab, tmp_path, "remediate", user=USER, variables=ONE_REMEDY)
    lab.kubectl("annotate", "validatingwebhookconfiguration", "long-bare", "webhook-doctor.kubeops.io/journal-")
    lab.kubectl("label", "validatingwebhookconfiguration", "long-bare", "webhook-doctor.kubeops.io/changed-")
    assert "Nothing to take back" in play(lab, tmp_path, "rollback", user=USER).output
    journal = str(tmp_path / "journal" / f"{done.run}.jsonl")
    back = play(lab, tmp_path, "rollback", user=USER, variables={"webhook_doctor_journal": journal})
    assert back.returncode == 0 and seconds_of(lab, "bare") == [30, 5], back.output[-3000:]


# Each is a line of the journal after which the run is killed: what was about to be done has then been done, or not.
STEPS = ("run", "sending", "sent", "result", "end")


@pytest.mark.parametrize(("step", "ending"), [*((step, "KILL") for step in STEPS), ("sending", "INT"), ("sent", "INT")])
def test_a_run_that_is_killed(step: str, ending: str, lab: Lab, tmp_path: Path, row: Callable[[str], None]) -> None:
    """Whatever was done by then says how to take it back; the next run goes on, and a rollback brings all back."""
    make_long(lab, "k1", "k2")
    before = specs(lab)
    process = start(lab, tmp_path, "remediate", user=USER, variables=ONE_REMEDY)
    try:
        run = journal_says(tmp_path / "journal", process, lambda line: line["step"] == step)
        end(process, ending, worker_of(run))
    finally:
        reap(process)
    for name in ("k1", "k2"):
        changed = seconds_of(lab, name) != [30, 5]
        assert bool(journal_of(lab, f"long-{name}")) == changed, "a change without a note, or a note without a change"
    found = sum(seconds_of(lab, name) != [30, 5] for name in ("k1", "k2"))
    again = play(lab, tmp_path, "remediate", user=USER, variables=ONE_REMEDY)
    assert again.returncode == 0 and seconds_of(lab, "k1") == seconds_of(lab, "k2") == [15, 5], again.output[-3000:]
    back = play(lab, tmp_path, "rollback", user=USER)
    assert back.returncode == 0 and specs(lab) == before, back.output[-3000:]
    row(f"killed  SIG{ending} after the journal's step {step!r}: {found} of 2 changed, each with its note; healed by the next run, rolled back")


def end(process: subprocess.Popen[str], ending: str, worker: int) -> None:
    """As a person's Ctrl-C, or as a machine that goes down: then nothing of it lives on."""
    if ending == "KILL":
        with contextlib.suppress(ProcessLookupError):  # after the step "end" it may be over
            os.kill(worker, signal.SIGKILL)
    os.killpg(process.pid, getattr(signal, f"SIG{ending}"))


@pytest.mark.parametrize("step", ["run", "sending"])
def test_the_api_server_goes_away(step: str, lab: Lab, tmp_path: Path) -> None:
    """In the middle of a run nothing answers any more: it says where things stand, and the next run goes on."""
    make_long(lab, "gone")
    before = specs(lab)
    reset = ["-p", "tcp", "--dport", "6443", "-j", "REJECT", "--reject-with", "tcp-reset"]
    process = start(lab, tmp_path, "remediate", user=USER, variables=ONE_REMEDY)
    try:
        journal_says(tmp_path / "journal", process, lambda line: line["step"] == step)
        lab.run(["iptables", "-I", "OUTPUT", *reset], check=True)
        output = process.communicate(timeout=300)[0]
    finally:
        lab.run(["iptables", "-D", "OUTPUT", *reset], check=False)
        reap(process)
    assert process.returncode == 2 and "the API server does not answer any more" in output, output[-3000:]
    changed = seconds_of(lab, "gone") != [30, 5]
    assert bool(journal_of(lab, "long-gone")) == changed
    lab.kubectl("-n", "kube-system", "delete", "lease", "webhook-doctor", "--ignore-not-found")
    again = play(lab, tmp_path, "remediate", user=USER, variables=ONE_REMEDY)
    assert again.returncode == 0 and seconds_of(lab, "gone") == [15, 5], again.output[-3000:]
    back = play(lab, tmp_path, "rollback", user=USER)
    assert back.returncode == 0 and specs(lab) == before, back.output[-3000:]


SECRET = "hunter2-" + "c0ffee" * 4


def test_no_secret_leaves_the_cluster(lab: Lab, tmp_path: Path) -> None:
    """Planted in what is read and sent back: annotations of kubectl, and the journal, plan, diff and output at -vvv must not have it."""
    make_long(lab, "secret")
    lab.kubectl(
        "annotate", "validatingwebhookconfiguration", "long-secret", f"kubectl.kubernetes.io/last-applied-configuration={json.dumps({'token': SECRET})}"
    )
    preview = play(lab, tmp_path, "remediate", "--check", "--diff", "-vvv", user=USER, variables=ONE_REMEDY)
    applied = play(lab, tmp_path, "remediate", "--diff", "-vvv", user=USER, variables=ONE_REMEDY)
    assert seconds_of(lab, "secret") == [15, 5], applied.output[-3000:]
    kept = json.loads(lab.kubectl("get", "validatingwebhookconfiguration", "long-secret", "-o", "json"))["metadata"]["annotations"]
    assert SECRET in kept["kubectl.kubernetes.io/last-applied-configuration"], "what was read blanked was sent back"
    back = play(lab, tmp_path, "rollback", "--diff", "-vvv", user=USER)
    written = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file())
    for text in (preview.output, applied.output, back.output, written):
        assert SECRET not in text


def test_played_reads_the_recap() -> None:
    assert Played("localhost : ok=9    changed=3    unreachable=0\n", 0, 1.0).changed == 3
