# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook itself where no cluster is: what it prints and writes, and what it says about bad input."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.trust_plan import question
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.bundle import as_json
from ansible_collections.kubeops.webhook_doctor.tests.unit.report import cluster
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.hostile import HOSTILE, infected
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.observations import backend, bundle, callout, verdict

FILES = {"report.html", "report.md", "report.json", "bundle.json"}
# The implicit localhost is announced by Ansible itself, before the playbook is read.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("K8S_AUTH_", "KUBE", "ANSIBLE_NOCOLOR", "ANSIBLE_FORCE_COLOR"))},
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    "ANSIBLE_INJECT_FACT_VARS": "false",
    "KUBECONFIG": "/nonexistent",
    "COLUMNS": "100",
}


class Run:
    """One run of ansible-playbook in a directory: what was printed, how it ended."""

    def __init__(
        self, directory: Path, *arguments: str, playbook: str = "kubeops.webhook_doctor.diagnose", environment: dict[str, str] | None = None, **variables: Any
    ):
        command = ["ansible-playbook", playbook, *arguments, *(["-e", json.dumps(variables)] if variables else [])]
        done = subprocess.run(
            command, cwd=directory, env={**ENVIRONMENT, **(environment or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False
        )
        self.code, self.output = done.returncode, done.stdout.decode()

    def recap(self, word: str) -> int:
        found = re.search(rf"\b{word}=(\d+)", self.output[self.output.index("PLAY RECAP") :])
        assert found
        return int(found.group(1))

    @property
    def flat(self) -> str:
        """The output with its lines joined, as a person reads a wrapped text."""
        return " ".join(self.output.split())

    def is_clean(self) -> None:
        for noise in ("[WARNING]", "[DEPRECATION", "[ERROR]", "fatal:", "Traceback", "\x1b"):
            assert noise not in self.output, self.output

    def refuses(self, *texts: str) -> None:
        """It ended with failure and one message that says all of this."""
        assert self.code == 2, self.output
        assert "Traceback" not in self.output and "[WARNING]" not in self.output and "[DEPRECATION" not in self.output, self.output
        assert self.output.count("[ERROR]") == 1, self.output
        for text in texts:
            assert text in self.flat, self.output


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "saved.json"
    path.write_text(as_json(cluster.observation()))
    return path


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    webhooks = [callout("a.example.org"), callout("b.example.org", kind="mutating")]
    twice = [backend(webhook, addresses=("10.64.0.7", "10.64.0.8")) for webhook in webhooks]
    # Two certificates that are good for long.
    path = tmp_path / "healthy.json"
    path.write_text(as_json(bundle(webhooks, backends=twice, verdicts=[verdict(webhook, problems=[]) for webhook in webhooks])))
    return path


def findings(directory: Path) -> list[dict[str, Any]]:
    return json.loads((directory / "report.json").read_text())["findings"]


def test_a_good_run_is_quiet_and_writes_four_files(tmp_path: Path, saved: Path) -> None:
    run = Run(tmp_path, webhook_doctor_source=str(saved))
    run.is_clean()
    assert run.code == 0
    report = tmp_path / "webhook-doctor"
    assert {path.name for path in report.iterdir()} == FILES
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o007 == 0 for path in [report, *report.iterdir()])
    assert "cluster lab · Kubernetes 1.36.3 · endpoint routing · 26 call-outs, 26 back ends · 2.3 s seen through:" in run.flat
    assert "ERROR  WD101  webhooks/gone  (Service)\n       The Service does not exist\n       blocked now: " in run.output
    assert "report: webhook-doctor/report.html\nbundle: webhook-doctor/bundle.json\n" in run.output
    assert (report / "bundle.json").read_text() == saved.read_text()


def test_again_changes_nothing(tmp_path: Path, saved: Path) -> None:
    assert Run(tmp_path, webhook_doctor_source=str(saved)).recap("changed") == 1
    assert Run(tmp_path, webhook_doctor_source=str(saved)).recap("changed") == 0


def test_a_healthy_cluster_gets_a_short_good_message(tmp_path: Path, healthy: Path) -> None:
    run = Run(tmp_path, webhook_doctor_source=str(healthy))
    run.is_clean()
    assert findings(tmp_path / "webhook-doctor") == []
    assert "nothing found; all 2 call-outs work\n" in run.output


@pytest.mark.parametrize("source", ["webhook-doctor", "webhook-doctor/report.json", ["webhook-doctor/bundle.json"]])
def test_what_was_written_can_be_judged_again(tmp_path: Path, saved: Path, source: Any) -> None:
    Run(tmp_path, webhook_doctor_source=str(saved))
    run = Run(tmp_path, webhook_doctor_source=source, webhook_doctor_report_dir="again/and again")
    run.is_clean()
    assert findings(tmp_path / "again/and again") == findings(tmp_path / "webhook-doctor") != []


def test_check_mode_writes_nothing_and_says_so(tmp_path: Path, saved: Path) -> None:
    run = Run(tmp_path, "--check", webhook_doctor_source=str(saved))
    run.is_clean()
    assert "ERROR  WD101" in run.output and "Check mode: no report was written." in run.output
    assert "report: webhook-doctor" not in run.output
    assert run.recap("changed") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["saved.json"]


@pytest.mark.parametrize(
    ("select", "fail_on", "code"),
    [
        ("", "never", 0),
        ("", "error", 2),
        ("", "warning", 2),
        ("[?severity=='warning']", "error", 0),
        ("[?severity=='warning']", "warning", 2),
        ("[?severity=='info']", "warning", 0),
    ],
)
def test_fail_on(tmp_path: Path, saved: Path, select: str, fail_on: str, code: int) -> None:
    run = Run(tmp_path, webhook_doctor_source=str(saved), webhook_doctor_select=select, webhook_doctor_fail_on=fail_on)
    assert run.code == code
    assert {path.name for path in (tmp_path / "webhook-doctor").iterdir()} == FILES
    assert "report: webhook-doctor/report.html" in run.output
    if code:
        run.refuses(f"webhook_doctor_fail_on is {fail_on}. The report: webhook-doctor/report.html")
        assert run.output.index("report: webhook-doctor") < run.output.index("[ERROR]")
    else:
        run.is_clean()


def test_a_baseline_tells_what_is_new_and_only_that_fails(tmp_path: Path, saved: Path) -> None:
    Run(tmp_path, webhook_doctor_source=str(saved), webhook_doctor_report_dir="first", webhook_doctor_select="[?code!='WD101']").is_clean()
    same = Run(
        tmp_path, webhook_doctor_source=str(saved), webhook_doctor_baseline="first", webhook_doctor_select="[?code!='WD101']", webhook_doctor_fail_on="error"
    )
    same.is_clean()
    assert "0 new, 0 gone" in same.flat
    more = Run(tmp_path, webhook_doctor_source=str(saved), webhook_doctor_baseline="first/report.json", webhook_doctor_fail_on="error")
    assert "WD101  NEW  " in more.output
    more.refuses("(1 new since the baseline)")
    Run(tmp_path, webhook_doctor_source=str(saved), webhook_doctor_baseline="saved.json").refuses("is a bundle, which holds no findings")


def test_how_early_an_expiry_is_told_is_the_users(tmp_path: Path) -> None:
    ending = callout("ending.example.org", ca_bundle="CA")
    certificate = {"source": "bundle", "index": 0, "subject": "CN=ca", "issuer": "CN=ca", "dns_names": [], "ip_addresses": [], "days_left": 20.0}
    ends = {**certificate, "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-09-10T14:03:09Z", "sha256": "00"}
    name = f"caBundle alone #{question('CA', [], ending['server_name'])}"
    saved = tmp_path / "saved.json"
    saved.write_text(as_json(bundle([ending], verdicts=[{**verdict(ending), "name": name, "trusted": None, "certificates": [ends]}])))
    told = {}
    for days in (30, 10):
        Run(tmp_path, webhook_doctor_source=str(saved), webhook_doctor_warn_days=days).is_clean()
        told[days] = {one["code"] for one in json.loads((tmp_path / "webhook-doctor/report.json").read_text())["findings"]}
    assert "WD306" in told[30] and "WD306" not in told[10]


def test_suppressed_findings_are_counted_not_lost(tmp_path: Path, saved: Path) -> None:
    accepted = [{"code": "WD130", "until": "2030-01-31", "reason": "a second replica comes soon"}]
    run = Run(tmp_path, webhook_doctor_source=str(saved), webhook_doctor_suppress=accepted)
    run.is_clean()
    report = json.loads((tmp_path / "webhook-doctor/report.json").read_text())
    assert {finding["code"] for finding in report["suppressed"]} == {"WD130"}
    assert "WD130" not in {finding["code"] for finding in report["findings"]}
    assert report["summary"]["findings"]["suppressed"] == len(report["suppressed"]) > 0
    assert f"{len(report['suppressed'])} suppressed" in run.output
    assert "a second replica comes soon" in (tmp_path / "webhook-doctor/report.html").read_text()


def test_an_example_says_so_everywhere(tmp_path: Path, saved: Path) -> None:
    saved.write_text(as_json({**cluster.observation(), "example": True}))
    run = Run(tmp_path, webhook_doctor_source=str(saved))
    assert "EXAMPLE: this is the saved observation of a test cluster" in run.flat
    assert "This is an example." in (tmp_path / "webhook-doctor/report.html").read_text()
    assert "This is an example" in (tmp_path / "webhook-doctor/report.md").read_text()


@pytest.mark.parametrize("hostile", HOSTILE[:-1])
def test_what_others_wrote_cannot_act_on_the_terminal(tmp_path: Path, saved: Path, hostile: str) -> None:
    saved.write_text(as_json(infected(cluster.observation(), hostile, but=frozenset({"HTTPS_PROXY"}))))
    run = Run(tmp_path, webhook_doctor_source=str(saved))
    run.is_clean()
    assert run.code == 0
    assert not [character for character in run.output if (ord(character) < 32 and character != "\n") or 0x7F <= ord(character) < 0xA0]
    assert not set("\u202e\u2066") & set(run.output)
    assert "alert(1)" not in re.sub(r"&[a-z]+;|&#\d+;", "", re.sub(r"[^<>]*", "", (tmp_path / "webhook-doctor/report.html").read_text()))


@pytest.mark.parametrize("inventory", ["localhost,", "inventory.ini"])
def test_an_inventory_that_names_localhost(tmp_path: Path, saved: Path, inventory: str) -> None:
    (tmp_path / "inventory.ini").write_text("[all]\nlocalhost\n")
    run = Run(tmp_path, "-i", inventory, webhook_doctor_source=str(saved))
    run.is_clean()
    assert run.code == 0


def test_several_hosts_do_not_write_over_each_other(tmp_path: Path, saved: Path) -> None:
    (tmp_path / "inventory.ini").write_text("[all]\none ansible_connection=local\ntwo ansible_connection=local\n")
    run = Run(tmp_path, "-i", "inventory.ini", webhook_doctor_source=str(saved), webhook_doctor_hosts="all")
    assert run.code == 0
    written = tmp_path / "webhook-doctor"
    assert {path.name: {file.name for file in path.iterdir()} for path in written.iterdir() if path.is_dir()} == {"one": FILES, "two": FILES}
    assert {path.name for path in written.iterdir() if path.is_file()} == {"clusters.html", "clusters.json"}


def test_the_roles_in_a_play_of_ones_own(tmp_path: Path, saved: Path) -> None:
    (tmp_path / "mine.yml").write_text(
        """
- name: Mine
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Diagnose
      ansible.builtin.include_role:
        name: kubeops.webhook_doctor.diagnose
    - name: Report
      ansible.builtin.include_role:
        name: kubeops.webhook_doctor.report
      vars:
        report_dir: mine
        report_show: false
    - name: Say
      ansible.builtin.debug:
        msg: "{{ webhook_doctor_findings | length }} {{ webhook_doctor_report.summary.cluster }} {{ webhook_doctor_report.files.html }}"
"""
    )
    run = Run(tmp_path, playbook="mine.yml", webhook_doctor_source=str(saved))
    run.is_clean()
    assert f"{len(findings(tmp_path / 'mine'))} lab mine/report.html" in run.output
    assert "blocked now" not in run.output


def test_the_playbook_within_another_one(tmp_path: Path, saved: Path) -> None:
    (tmp_path / "mine.yml").write_text("- name: Diagnose\n  import_playbook: kubeops.webhook_doctor.diagnose\n")
    run = Run(tmp_path, playbook="mine.yml", webhook_doctor_source=str(saved))
    run.is_clean()
    assert {path.name for path in (tmp_path / "webhook-doctor").iterdir()} == FILES


TEXT = 'failed calling webhook "w.example.org": failed to call webhook: Post "https://w.webhooks.svc:443/v?timeout=10s": dial tcp 10.0.0.7:443: i/o timeout'


@pytest.mark.parametrize("playbook", ["kubeops.webhook_doctor.diagnose", "kubeops.webhook_doctor.explain"])
def test_an_error_text_is_explained_without_a_cluster(tmp_path: Path, playbook: str) -> None:
    run = Run(tmp_path, playbook=playbook, webhook_doctor_error=TEXT)
    run.is_clean()
    assert "cause: connect_timeout (WD210): Packets to the back end are dropped who: admission webhook w.example.org" in run.flat
    assert "Endpoint FAILS (no answer) > TLS not reached" in run.flat
    assert "Read call-outs" not in run.output
    assert list(tmp_path.iterdir()) == []


def test_the_text_comes_through_the_command_line_too(tmp_path: Path) -> None:
    assert "connection_refused (WD201)" in Run(tmp_path, "-e", "webhook_doctor_error='dial tcp 10.0.0.7:443: connect: connection refused'").flat


DUMP = """
apiVersion: v1
kind: List
items:
  - apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingWebhookConfiguration
    metadata: {name: policy}
    webhooks:
      - name: policy.example.org
        admissionReviewVersions: [v1]
        sideEffects: None
        clientConfig: {service: {namespace: policy, name: policy, path: /validate}}
        rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]
  - apiVersion: v1
    kind: Service
    metadata: {name: other, namespace: policy}
    spec: {clusterIP: 10.96.0.9, ports: [{port: 443}]}
"""


def test_what_kubectl_wrote_is_judged_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "ticket").mkdir()
    (tmp_path / "ticket" / "all.yaml").write_text(DUMP)
    run = Run(tmp_path, webhook_doctor_source="ticket")
    run.is_clean()
    assert "seen through: nothing; this judges only what is configured" in run.flat
    assert "WD101" in {finding["code"] for finding in findings(tmp_path / "webhook-doctor")}


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    Run(tmp_path, webhook_doctor_source="nowhere.json").refuses("nowhere.json does not exist. Expected a file or a directory with the output of kubectl get")


def test_a_bundle_of_another_version(tmp_path: Path, saved: Path) -> None:
    saved.write_text(as_json({**cluster.observation(), "format_version": 99}))
    Run(tmp_path, webhook_doctor_source=str(saved)).refuses(
        "is a bundle of format_version 99; this collection reads version 1", "ansible-galaxy collection install -U"
    )


def test_a_bundle_that_was_cut_off(tmp_path: Path, saved: Path) -> None:
    saved.write_text(saved.read_text()[:5000])
    Run(tmp_path, webhook_doctor_source=str(saved)).refuses("saved.json begins like a bundle but is not whole JSON", "it was cut off or edited")
    assert [path.name for path in tmp_path.iterdir()] == ["saved.json"]


def test_a_bundle_that_was_edited(tmp_path: Path, saved: Path) -> None:
    observed = cluster.observation()
    del observed["facts"]["callouts"][3]["client"]
    saved.write_text(as_json(observed))
    Run(tmp_path, webhook_doctor_source=str(saved)).refuses("saved.json: facts.callouts[3].client is missing.")


def test_a_bundle_beside_other_files(tmp_path: Path, saved: Path) -> None:
    (tmp_path / "dump.yaml").write_text(DUMP)
    Run(tmp_path, webhook_doctor_source=[str(saved), "dump.yaml"]).refuses("is a bundle, and 2 sources were given. A bundle stands alone")


@pytest.mark.parametrize("content", ["neither: [YAML", "just words\n", ""])
def test_a_source_that_is_neither_bundle_nor_kubernetes(tmp_path: Path, content: str) -> None:
    (tmp_path / "recipe.yaml").write_text(content)
    Run(tmp_path, webhook_doctor_source="recipe.yaml").refuses("recipe.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]


def test_the_report_has_no_place(tmp_path: Path, saved: Path) -> None:
    (tmp_path / "webhook-doctor").write_text("mine")
    run = Run(tmp_path, webhook_doctor_source=str(saved))
    run.refuses("The report could not be written to webhook-doctor: webhook-doctor: File exists. Choose another place with webhook_doctor_report_dir.")
    assert "ERROR  WD101" in run.output, "what was found is said all the same"
    assert (tmp_path / "webhook-doctor").read_text() == "mine"


@pytest.mark.parametrize(
    ("variables", "texts"),
    [
        ({"webhook_doctor_vantages": ["dircet"]}, ("must be one or more of: apiserver, service_proxy, port_forward, direct", "dircet")),
        ({"webhook_doctor_fail_on": "sometimes"}, ("must be one of: never, warning, error", "sometimes")),
        ({"webhook_doctor_select": "[?severity="}, ("is not valid JMESPath",)),
        ({"webhook_doctor_suppress": [{"reason": "all of it"}]}, ("names neither a code nor a name",)),
    ],
)
def test_an_option_that_is_wrong(tmp_path: Path, saved: Path, variables: dict[str, Any], texts: tuple[str, ...]) -> None:
    Run(tmp_path, webhook_doctor_source=str(saved), **variables).refuses(*texts)
    assert [path.name for path in tmp_path.iterdir()] == ["saved.json"]


KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
clusters: [{name: here, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: me, user: {token: abc}}]
contexts: [{name: here, context: {cluster: here, user: me}}]
"""


def test_a_cluster_that_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(KUBECONFIG)
    Run(tmp_path, webhook_doctor_kubeconfig=str(tmp_path / "config")).refuses("https://127.0.0.1:1", "refused")
    Run(tmp_path, environment={"KUBECONFIG": str(tmp_path / "config")}).refuses("https://127.0.0.1:1", "refused")
    assert [path.name for path in tmp_path.iterdir()] == ["config"]


def test_a_context_that_is_not_in_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(KUBECONFIG)
    Run(tmp_path, webhook_doctor_kubeconfig=str(tmp_path / "config"), webhook_doctor_context="blue").refuses("blue", "here")


@pytest.mark.parametrize("name", ["diagnose", "gate", "remediate", "rollback", "rotate_apiserver_loopback", "no_proxy"])
def test_clusters_that_are_not_in_the_inventory_are_an_error(tmp_path: Path, name: str) -> None:
    """Ansible itself takes a play without hosts for one that ended well."""
    run = Run(tmp_path, playbook=f"kubeops.webhook_doctor.{name}", webhook_doctor_hosts="clusterz")
    assert run.code != 0 and "webhook_doctor_hosts (clusterz) names no host or group of the inventory." in run.flat, run.output
