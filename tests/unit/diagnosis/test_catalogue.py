# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: complete, safe to paste, and the pages made from it are up to date."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._vocabulary import CAUSES
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.catalogue.index import CATALOGUE, FAMILIES
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.finding import Entry
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.text import clean, fill, placeholders
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe

ROOT = Path(__file__).resolve().parents[3]
ENTRIES = sorted(CATALOGUE.values(), key=lambda entry: entry.code)
# Values that rules add to those of the case.
ADDED = {"dead", "instance", "source_kind", "source_namespace", "source_name", "source_jsonpath", "longer", "exempted", "other", "example"}
ADDED |= {
    "right",
    "wrong_1",
    "wrong_2",
    "wrong_3",
    "wrong_4",
    "changed_port",
    "ports",
    "open_port",
    "new_port",
    "patched",
    "policy_manifest",
    "plugin_policies",
    "helm_release",
    "helm_chart",
    "helm_version",
}
ADDED |= {"gcp_project", "gke_filter", "rule_name", "tcp_rules", "eks_cluster", "aws_region", "instance", "eniconfigs", "sg_policies"}
ADDED |= {"livez_instance", "restart", "dead_webhooks", "stop_seconds", "rke2_seconds", "rke2_crictl", "redeployment_patch", "playbook"}  # restart.py
ADDED |= {
    "issuer",
    "issuer_kind",
    "issuer_namespace",
    "server",
    "server_host",
    "workload",
    "proxy",
    "no_proxy",
    "api_host",
    "egress",
    "trust_advice",
    "clock_advice",
    "proxy_advice",
    "acme_advice",
    "acme_kind",
    "acme_name",
    "acme_namespace",
    "challenge",
    "challenge_namespace",
    "dns_name",
    "biggest",
    "resource",
    "unready",
}
ADDED |= {"certificate", "certificate_namespace", "garbage_count", "garbage_batch", "garbage_namespace", "garbage_kind", "garbage_names", "ovh", "own_etcd"}
ADDED |= {"missing", "where", "no_proxy_part", "component"}  # rules/no_proxy.py
ADDED |= {"policy", "policy_resource"}  # rules/admission.py
ADDED |= {f"cm_{name}" for name in "namespace component deployment account release version secret secret_namespace".split()}
ADDED |= {f"cm_{name}" for name in "lease lease_namespace expected healthz_port crds_url job resource".split()}
# rules/istio_*.py
ADDED |= {"istiod", "istiod_namespace", "account", "live_revision", "right_revision", "asked", "tag", "default_tag", "removable", "selecting"}
ADDED |= {"selecting_namespace", "owner", "older", "failing_injector", "more_workloads", "bare", *(f"workload_{number}" for number in range(1, 6))}
ADDED |= {"wrong_key", "right_label", "right_label_only", "rejected_namespace", "root_namespace", "undecided"}
ADDED |= {"address_namespace", "address_service", "right_address", "mesh_namespace", "mesh_config_map"}
HOSTILE = "x'; touch /tmp/owned; echo $(id) `id` \"\x1b[31m\u202e"


def steps() -> list[tuple[str, str]]:
    return [(entry.code, step) for entry in ENTRIES for step in (*entry.confirm, *entry.fix)]


def known_values() -> dict[str, object]:
    """Every value that some call-out has: an admission webhook's with a Service, one's with a URL, a conversion webhook's."""
    known: dict[str, object] = {}
    for given in ({"kind": "conversion"}, {"url": "https://hook.example.net:8443/v"}, {}):
        values = Cluster.of(*observe(given)).cases[0].values
        known.update({key: value for key, value in values.items() if value or key not in known})
    return {**known, **dict.fromkeys(ADDED, "10.1.0.1:8443")}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.code)
def test_an_entry_says_everything(entry: Entry) -> None:
    assert re.fullmatch(r"WD\d{3}", entry.code)
    assert entry.cause is None or entry.cause in CAUSES
    assert all(text and text.strip() == text for text in (entry.title, entry.meaning, entry.decided, entry.source))
    assert entry.meaning.endswith(".") and entry.decided.endswith(".") and not entry.title.endswith(".")
    assert entry.confirm and entry.fix
    assert entry.blames in ("callout", "backend", "cluster")


def test_no_code_is_defined_twice() -> None:
    assert len(CATALOGUE) == sum(len(entries) for dummy, entries in FAMILIES)


@pytest.mark.parametrize(("code", "step"), steps())
def test_a_step_is_a_sentence_or_a_command_with_known_values(code: str, step: str) -> None:
    values = known_values()
    assert set(placeholders(step)) <= set(values), f"{code}: a value that nobody has"
    filled = fill(step, values)
    assert filled
    if step.startswith("# "):
        assert step.rstrip(")")[-1] in ".?:" or "kubectl" in step, f"{code}: half a sentence"
    else:
        assert re.match(r"([A-Z_]+=\$\()?(kubectl|curl|openssl|getent|ip|tr|date|ping|crictl|gcloud|aws|helm|printf|istioctl|ansible-playbook) ", filled), (
            f"{code}: neither a sentence nor a known command: {step}"
        )


@pytest.mark.parametrize(("code", "step"), [(code, step) for code, step in steps() if placeholders(step)])
def test_hostile_names_stay_words(code: str, step: str) -> None:
    """A name from the cluster never becomes shell syntax: bash sees the same words as without it, with the name inside one of them."""
    filled = fill(step, dict.fromkeys(known_values(), HOSTILE))
    assert filled and "\n" not in filled and "\x1b" not in filled and "\u202e" not in filled
    if step.startswith("# "):
        assert subprocess.run(["bash", "-c", filled], capture_output=True, text=True, check=True, timeout=10).stdout == ""
        return
    assert len(shlex.split(filled)) == len(shlex.split(fill(step, dict.fromkeys(known_values(), "name")) or ""))
    assert clean(HOSTILE) in " ".join(shlex.split(filled))
    # No placeholder stands inside quotes of the template, where the quoting of the value would end them.
    assert all("{" + name + "}" not in quoted for name in placeholders(step) for quoted in re.findall(r"'[^']*'|\"[^\"]*\"", step))


def test_a_step_without_its_value_is_left_out() -> None:
    assert fill("kubectl -n {namespace} get pod {pod}", {"namespace": "a", "pod": None}) is None


def test_a_list_becomes_words_of_a_command_and_a_part_of_a_sentence() -> None:
    values = {"names": ["a", HOSTILE, "b"]}
    assert shlex.split(fill("kubectl delete {names} --wait=false", values) or "") == ["kubectl", "delete", "a", clean(HOSTILE), "b", "--wait=false"]
    assert fill("# Delete {names}.", {"names": ["a", "b"]}) == "# Delete a, b."


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("finding_pages", ROOT / "tests" / "tools" / "finding_pages.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_up_to_date() -> None:
    assert generator().outdated() == [], "run: make docs"


def test_a_stale_page_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = generator()
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    for name, text in pages.pages().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert pages.outdated() == []
    (tmp_path / "WD101.md").write_text("old", encoding="utf-8")
    (tmp_path / "WD999.md").write_text("gone", encoding="utf-8")
    assert pages.outdated() == ["WD101.md", "WD999.md"]
