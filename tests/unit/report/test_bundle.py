# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles: what is written is read back; what is no bundle, or a damaged one, is said in one paragraph."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.bundle import BadBundle, as_json, bundle_file, bundle_of, read_bundle
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.model import view_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.output import contents_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.shapes import BUNDLE, Each, Later, Maybe, Mismatch, Values, check
from ansible_collections.kubeops.webhook_doctor.tests.unit.report import cluster
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.hostile import HOSTILE, infected


def stored(path: Path, data: Any) -> Path:
    path.write_text(data if isinstance(data, str) else as_json(data))
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    observed = cluster.observation()
    assert read_bundle(stored(tmp_path / "bundle.json", observed)) == observed


@pytest.mark.parametrize("hostile", HOSTILE[:-1])
def test_also_with_text_of_any_kind(tmp_path: Path, hostile: str) -> None:
    observed = infected(cluster.observation(), hostile)
    path = stored(tmp_path / "bundle.json", observed)
    assert path.read_bytes().isascii()
    assert read_bundle(path) == observed


def test_a_new_one_is_of_the_shape_and_recognisable_at_its_beginning() -> None:
    observed = cluster.observation()
    made = bundle_of("0.1.0", observed["facts"], observed["probes"], observed["verdicts"], took_seconds=1.5)
    check(made, BUNDLE)
    assert as_json(made)[:80].split('"')[1:4] == ["format", ": ", "kubeops.webhook_doctor/bundle"]


def test_a_report_and_a_report_directory_are_read_as_well(tmp_path: Path) -> None:
    observed = cluster.observation()
    for name, content in contents_of(view_of(observed, cluster.findings()), observed, cluster.findings()).items():
        (tmp_path / name).write_bytes(content)
    report = tmp_path / "report.json"
    assert set(json.loads(report.read_text())) == {"summary", "findings", "suppressed", "bundle"}
    assert bundle_file(report) == report
    assert read_bundle(report) == observed
    assert bundle_file(tmp_path) == tmp_path / "bundle.json"
    (tmp_path / "bundle.json").unlink()
    assert bundle_file(tmp_path) == report


@pytest.mark.parametrize("text", ["", "apiVersion: v1\nkind: List\nitems: []\n", '{"apiVersion": "v1", "kind": "List", "items": []}', "no YAML: [", "\0\1\2"])
def test_what_is_none_is_left_to_others(tmp_path: Path, text: str) -> None:
    path = stored(tmp_path / "dump", text)
    assert bundle_file(path) is None
    assert bundle_file(tmp_path) is None


def refusal(path: Path) -> str:
    with pytest.raises(BadBundle) as caught:
        found = bundle_file(path)
        assert found is not None
        read_bundle(found)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_what_is_not_there_may_be_elsewhere(tmp_path: Path) -> None:
    assert bundle_file(tmp_path / "nowhere.json") is None


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 300)
    assert "File name too long. Give the path of a bundle.json, or of files that kubectl get -o yaml wrote." in refusal(path)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.5, 0.99])
def test_a_file_that_was_cut_off(tmp_path: Path, share: float) -> None:
    whole = as_json(cluster.observation())
    message = refusal(stored(tmp_path / "bundle.json", whole[: max(100, int(len(whole) * share))]))
    assert "is not whole JSON" in message and "it was cut off or edited" in message


@pytest.mark.parametrize(
    ("version", "way_out"),
    [
        (2, "ansible-galaxy collection install -U kubeops.webhook_doctor"),
        (0, "Take a new one with kubeops.webhook_doctor.diagnose."),
        ("1", "Take a new one with kubeops.webhook_doctor.diagnose."),
        (None, "Take a new one with kubeops.webhook_doctor.diagnose."),
    ],
)
def test_another_version(tmp_path: Path, version: Any, way_out: str) -> None:
    message = refusal(stored(tmp_path / "bundle.json", {**cluster.observation(), "format_version": version}))
    assert f"of format_version {version!r}; this collection reads version 1" in message
    assert way_out in message


def test_json_that_only_looks_like_one(tmp_path: Path) -> None:
    assert "is JSON, but no bundle of this collection" in refusal(stored(tmp_path / "report.json", '{"summary": {}, "bundle": {"format": "other"}}'))
    assert "is JSON, but no bundle of this collection" in refusal(stored(tmp_path / "report.json", '{"summary": []}'))
    nested = '{"format": "kubeops.webhook_doctor/bundle", "a": ' + "[" * 200_000
    assert "nested too deeply" in refusal(stored(tmp_path / "bundle.json", nested))


def keys_of(shape: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key that the shape demands, as a path; 0 for the items of a list."""
    if isinstance(shape, (Maybe, Values)):
        yield from keys_of(shape.shape, at) if isinstance(shape, Maybe) else ()
    elif isinstance(shape, Each):
        yield from keys_of(shape.shape, (*at, 0))
    elif isinstance(shape, dict):
        for key, inner in shape.items():
            if isinstance(inner, Later):
                continue  # a bundle of an older version lacks it
            yield (*at, key)
            yield from keys_of(inner, (*at, key))


def holders(data: Any, path: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """Every object that holds the last step of the path."""
    if not path[1:]:
        yield from (data,) if isinstance(data, dict) else ()
    elif isinstance(data, list):
        for item in data:
            yield from holders(item, path[1:])
    elif isinstance(data, dict):
        yield from holders(data[path[0]], path[1:])


@pytest.mark.parametrize("path", list(keys_of(BUNDLE)), ids=lambda path: ".".join(map(str, path)))
def test_every_key_of_the_shape_is_missed_by_its_name(path: tuple[Any, ...]) -> None:
    damaged = copy.deepcopy(cluster.observation())
    del next(holders(damaged, path))[path[-1]]
    with pytest.raises(Mismatch, match=r"is missing") as caught:
        check(damaged, BUNDLE)
    assert str(path[-1]) in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("facts", "source", "observed_at"), "yesterday", "facts.source.observed_at is 'yesterday', expected a time in ISO 8601 with Z"),
        (("facts", "callouts"), {}, "facts.callouts is {}, expected a list"),
        (("facts", "callouts", 0), "x", "facts.callouts[0] is 'x', expected an object"),
        (("facts", "callouts", 0, "timeout_seconds"), True, "facts.callouts[0].timeout_seconds is True, expected a whole number"),
        (("facts", "callouts", 0, "timeout_seconds"), None, "facts.callouts[0].timeout_seconds is None, expected a whole number"),
        (("facts", "callouts", 0, "kind"), "other", "facts.callouts[0].kind is 'other', expected one of apiservice, conversion, mutating, validating"),
        (("facts", "backends", 0, "endpoints", 0, "ready"), "yes", "facts.backends[0].endpoints[0].ready is 'yes', expected true or false"),
        (("probes", 0, "elapsed_ms", "total"), "fast", "probes[0].elapsed_ms.total is 'fast', expected a number"),
        (("verdicts", 0, "certificates", 0, "dns_names"), [1], "verdicts[0].certificates[0].dns_names[0] is 1, expected a string"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, path: tuple[Any, ...], value: Any, expected: str) -> None:
    damaged = copy.deepcopy(cluster.observation())
    inner: Any = damaged
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert f": {expected}. It was edited or damaged." in refusal(stored(tmp_path / "bundle.json", damaged))


def test_what_is_new_is_left_alone(tmp_path: Path) -> None:
    observed = cluster.observation()
    observed["facts"]["callouts"][0]["new"] = observed["new"] = {"key": 1}
    observed["probes"][0]["cause"] = "a_new_cause"
    assert read_bundle(stored(tmp_path / "bundle.json", observed)) == observed


def test_secrets_do_not_get_in(tmp_path: Path) -> None:
    observed = cluster.observation()
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----\n"
    certificate = "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl\n-----END CERTIFICATE-----\n"
    observed["facts"]["callouts"][0]["ca_bundle"] = key + certificate
    observed["facts"]["callouts"][1]["ca_bundle"] = certificate + key[:50]
    observed["facts"]["control_plane"]["instances"][0]["proxy"]["HTTPS_PROXY"] = "http://user:pa55word@proxy:3128"
    for content in contents_of(view_of(observed, []), observed, []).values():
        assert b"MIIEpAIB" not in content and b"pa55word" not in content
    read = read_bundle(stored(tmp_path / "bundle.json", observed))
    assert read["facts"]["callouts"][0]["ca_bundle"] == "(a private key was removed here)\n" + certificate
    assert read["facts"]["callouts"][1]["ca_bundle"] == certificate + "(a private key was removed here)"
