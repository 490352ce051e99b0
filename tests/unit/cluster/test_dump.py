# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that kubectl wrote, in every form, and files that are something else."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster import yaml_stream
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.failures import ObservationError
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import observe
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import MissingLibrary
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import PEM, a_cluster, crd, entry, obj, service, service_client, validating

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
HOOK = validating("check", entry("one.example.com", service_client("hooks", "one")))
EVERYTHING = [one for objects in a_cluster().values() for one in objects]


def facts(*paths: Path) -> dict[str, Any]:
    return observe({"src": [str(path) for path in paths]}, NOW).facts


def a_list(*objects: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": list(objects)}


def without_source(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "source"}


def write_yaml_list(directory: Path) -> None:
    (directory / "all.yaml").write_text(yaml.safe_dump(a_list(*EVERYTHING)))


def write_json_list(directory: Path) -> None:
    (directory / "anything").write_text(json.dumps(a_list(*EVERYTHING)))


def write_yaml_documents(directory: Path) -> None:
    # kubectl get -A of each kind is a List of its own.
    documents = [a_list(*objects) for objects in a_cluster().values()]
    (directory / "all.txt").write_text("---\n" + yaml.safe_dump_all(documents))


def write_json_stream(directory: Path) -> None:
    (directory / "x.json").write_text("\n".join(json.dumps(a_list(*objects), indent=2) for objects in a_cluster().values()))


def write_a_tree(directory: Path) -> None:
    for number, objects in enumerate(a_cluster().values()):
        place = directory / f"d{number}" / "deeper"
        place.mkdir(parents=True)
        (place / f"f.{'json' if number % 2 else 'yml'}").write_text(json.dumps(a_list(*objects)) if number % 2 else yaml.safe_dump(a_list(*objects)))


def write_raw_api_lists(directory: Path) -> None:
    """As kubectl get --raw answers: typed lists, whose items name no kind."""
    for (_group, plural), objects in a_cluster().items():
        items = [{key: value for key, value in one.items() if key not in ("kind", "apiVersion")} for one in objects]
        content = {"kind": objects[0]["kind"] + "List", "apiVersion": objects[0]["apiVersion"], "metadata": {}, "items": items}
        (directory / plural).write_text(json.dumps(content))


def write_a_bare_array(directory: Path) -> None:
    (directory / "jq").write_text(json.dumps([a_list(*EVERYTHING)]))


def write_everything_twice(directory: Path) -> None:
    write_yaml_list(directory)
    write_json_list(directory)


FORMS = (
    write_yaml_list,
    write_json_list,
    write_yaml_documents,
    write_json_stream,
    write_a_tree,
    write_raw_api_lists,
    write_a_bare_array,
    write_everything_twice,
)


@pytest.mark.parametrize("write", FORMS)
def test_every_form_gives_the_same_facts(tmp_path: Path, write: Any) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write_json_list(tmp_path / "a")
    write(tmp_path / "b")
    assert without_source(facts(tmp_path / "b")) == without_source(facts(tmp_path / "a"))


def test_what_is_read(tmp_path: Path) -> None:
    write_yaml_list(tmp_path)
    (tmp_path / "version.yaml").write_text(
        "clientVersion: {gitVersion: v9}\nserverVersion: {gitVersion: v1.30.14, goVersion: go1.22.12, major: '1', minor: '30'}\n"
    )
    for path in tmp_path.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    found = facts(tmp_path)
    assert found["source"] == {
        "kind": "dump",
        "cluster": tmp_path.name,
        "server": None,
        "observed_at": "2023-11-14T22:13:20Z",
        "paths": [str(tmp_path)],
        "access": {"port_forward": None, "service_proxy": None, "dry_run": None},
    }
    assert found["version"] == {"git_version": "v1.30.14", "go_version": "go1.22.12", "major": 1, "minor": 30}
    assert [callout["id"] for callout in found["callouts"]] == [
        "apiservice/v1beta1.metrics.k8s.io",
        "conversion/things.example.com",
        "mutating/mutate/two.example.com",
        "validating/check/gone.example.com",
        "validating/check/one.example.com",
    ]
    backends = {backend["id"]: backend for backend in found["backends"]}
    assert backends["service/gone/gone:443"]["service"]["found"] is False
    assert [one["address"] for one in backends["service/hooks/one:443"]["endpoints"]] == ["10.0.0.1", "10.0.0.2"]
    assert found["control_plane"]["routing"] == "endpoint"
    assert found["coverage"] == []
    assert found["callouts"][-1]["ca_bundle"] == PEM


def test_times_stay_text(tmp_path: Path) -> None:
    unquoted = yaml.safe_dump(HOOK).replace("'2026-01-01T00:00:00Z'", "2026-01-01T00:00:00Z")
    assert "creationTimestamp: 2026-01-01T00:00:00Z" in unquoted
    (tmp_path / "n.yaml").write_text(unquoted)
    assert facts(tmp_path)["callouts"][0]["object"]["created"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("documents", "found"),
    [
        ([HOOK], None),
        ([HOOK, a_list(service("hooks", "other"))], False),
        ([HOOK, a_list(service("shop", "web"))], None),
        ([HOOK, a_list(service("shop", "web"), service("default", "kubernetes"))], False),
        ([HOOK, service("shop", "web"), service("default", "kubernetes")], None),
        ([HOOK, a_list(*(obj("v1", "Namespace", name) for name in ("kube-system", "shop")))], False),
        ([HOOK, a_list(*(obj("v1", "Namespace", name) for name in ("kube-system", "hooks")))], None),
        ([HOOK, a_list(*(obj("v1", "Namespace", name) for name in ("a", "b")))], None),
        ([HOOK, obj("serving.knative.dev/v1", "Service", "one", "hooks")], None),
        ([HOOK, service("hooks", "one")], True),
    ],
)
def test_not_there_and_not_dumped_differ(tmp_path: Path, documents: list[dict[str, Any]], found: bool | None) -> None:
    (tmp_path / "dump.yaml").write_text(yaml.safe_dump_all(documents))
    assert facts(tmp_path)["backends"][0]["service"]["found"] is found


def test_aliases_as_python_writes_them(tmp_path: Path) -> None:
    shared = service_client("hooks", "one")
    (tmp_path / "dump.yaml").write_text(yaml.safe_dump(validating("check", entry("a", shared), entry("b", shared))))
    assert "*id001" in (tmp_path / "dump.yaml").read_text()
    assert [callout["backend"] for callout in facts(tmp_path)["callouts"]] == ["service/hooks/one:443"] * 2


def test_what_the_dump_lacks_is_said_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "dump.yaml").write_text(yaml.safe_dump(HOOK))
    coverage = {entry["what"]: entry for entry in facts(tmp_path)["coverage"]}
    assert "validatingwebhookconfigurations" not in coverage
    assert coverage["services"]["reason"] == "not_in_dump"
    assert coverage["services"]["message"].endswith("kubectl get services -A -o yaml")
    assert coverage["apiservices"]["message"].endswith("kubectl get apiservices -o yaml")


def test_an_empty_list_was_asked_for(tmp_path: Path) -> None:
    lists = [{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfigurationList", "metadata": {}, "items": []}, HOOK]
    (tmp_path / "dump.yaml").write_text(yaml.safe_dump_all(lists))
    assert "mutatingwebhookconfigurations" not in {entry["what"] for entry in facts(tmp_path)["coverage"]}


MULTIPLYING = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
BAD_FILES: dict[str, tuple[bytes, str]] = {
    "binary": (b"\x7fELF\x00\x01\xff", "neither YAML nor JSON"),
    "latin-1": ("name: é".encode("latin-1"), "not text in UTF-8"),
    "broken YAML": (b"a: [}\n", "neither YAML nor JSON that kubectl writes"),
    "broken JSON": (b'{"kind": "List", ', "neither YAML nor JSON"),
    "python tags": (b"a: !!python/name:os.system x\n", "a tag (tag:yaml.org,2002:python/name:os.system), line 1"),
    "plain text": (b"just some words\n", "holds no Kubernetes object"),
    "other YAML": (b"a: 1\n", "holds no Kubernetes object"),
    "empty": (b"", "holds no Kubernetes object"),
    "nested": (b"[" * 100_000, "nested more than 200 levels deep"),
    "nested blocks": (b"- " * 100_000, "nested more than 200 levels deep"),
    "an alias of itself": (b"a: 1\nb: &b [*b]\n", "an alias of nothing before it (*b), line 2"),
    "aliases that multiply": (MULTIPLYING.encode(), "holds no Kubernetes object"),
    "odd keys": (b"? [a]\n: b\n", "a key that is no text, line 1"),
    "a bundle": (b'{"format": "kubeops.webhook_doctor/bundle", "format_version": 1}', "it is a bundle of webhook_doctor"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_and_the_rest_is_read(tmp_path: Path, name: str) -> None:
    content, says = BAD_FILES[name]
    (tmp_path / "bad").write_bytes(content)
    (tmp_path / "good.yaml").write_text(yaml.safe_dump(HOOK))
    found = facts(tmp_path)
    (complaint,) = [entry for entry in found["coverage"] if entry["reason"] == "error"]
    assert says in complaint["message"] and str(tmp_path / "bad") in complaint["message"]
    assert len(found["callouts"]) == 1
    with pytest.raises(ObservationError) as failure:
        facts(tmp_path / "bad")
    assert says in str(failure.value) and str(tmp_path / "bad") in str(failure.value) and "\n" not in str(failure.value)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ObservationError, match="does not exist"):
        facts(tmp_path / "none")
    with pytest.raises(ObservationError, match="no Kubernetes object could be read from there"):
        facts(tmp_path)


def test_fifos_and_hidden_files_are_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / ".hidden").write_text("a: [}")
    (tmp_path / "good.yaml").write_text(yaml.safe_dump(HOOK))
    assert [entry["message"] for entry in facts(tmp_path)["coverage"] if entry["reason"] == "error"] == [f"{tmp_path}/fifo: it is not a regular file"]


def test_schemas_are_cut_out_of_yaml_without_harm(tmp_path: Path) -> None:
    conversion = {"strategy": "Webhook", "webhook": {"clientConfig": service_client("hooks", "one"), "conversionReviewVersions": ["v1"]}}
    big = crd("things.example.com", conversion)
    schema = {"openAPIV3Schema": {"type": "object", "description": "several\n\nlines: of\n  openAPIV3Schema:\n", "properties": {"a": {"type": "string"}}}}
    big["spec"]["versions"] = [
        {"name": "v1", "schema": schema, "served": True, "storage": False},
        {"additionalPrinterColumns": [], "name": "v2", "schema": schema, "served": True, "storage": True},
    ]
    (tmp_path / "crd.yaml").write_text(yaml.safe_dump_all([big, a_list(big, HOOK)]))
    found = {callout["id"]: callout for callout in facts(tmp_path)["callouts"]}
    versions = [{"name": "v1", "served": True, "storage": False}, {"name": "v2", "served": True, "storage": True}]
    assert found["conversion/things.example.com"]["conversion"]["versions"] == versions
    assert len(found) == 2


def test_secrets_in_a_dump_are_not_kept(tmp_path: Path) -> None:
    secret = obj("v1", "Secret", "token", "hooks", data={"token": "c2VjcmV0"}, status={"conditions": [{"message": "x509 c2VjcmV0"}]})
    (tmp_path / "dump.yaml").write_text(yaml.safe_dump_all([HOOK, secret]))
    assert "c2VjcmV0" not in json.dumps(facts(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "1",
        "-7",
        "007",
        "1.5",
        "1e3",
        "1e+3",
        "0x1f",
        "true",
        "Yes",
        "no",
        "null",
        "~",
        "",
        "'1'",
        '"true"',
        "!!str 1",
        "|\n  x\n  y",
        "2026-01-01",
        "1_000",
        "+1",
        ".",
    ],
)
def test_scalars_are_read_as_kubectl_means_them(text: str) -> None:
    """As PyYAML reads them, but for times, which stay text; kubectl quotes what could be taken for something else."""
    (found,) = yaml_stream.documents(f"a: {text}\n")
    exceptions = {"2026-01-01": "2026-01-01", "007": "007", "0x1f": "0x1f", "1_000": "1_000", "1e+3": "1e+3", "Yes": "Yes"}
    assert found == {"a": exceptions[text] if text in exceptions else yaml.safe_load(f"a: {text}\n")["a"]}


def test_json_needs_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_stream, "HAS_YAML", False)
    (tmp_path / "a.json").write_text(json.dumps(HOOK))
    assert len(facts(tmp_path)["callouts"]) == 1
    (tmp_path / "b.yaml").write_text(yaml.safe_dump(HOOK))
    with pytest.raises(MissingLibrary, match="PyYAML"):
        facts(tmp_path)
