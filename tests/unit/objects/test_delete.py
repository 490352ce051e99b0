# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects deleted from an API server on loopback: only in the state in which they were read, all at once, and one that stays keeps no other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.delete import check_targets, delete_all
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.resources import InvalidReference
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.modules_port import Looking, ModulesPort
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.port import Sent, Unreachable
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import Answer, FakeApiServer, status

RESOURCES = {
    "/apis/cert-manager.io/v1": ("certificaterequests", "CertificateRequest", True),
    "/api/v1": ("namespaces", "Namespace", False),
}
DENIED = 'admission webhook "policy.example.com" denied the request: nobody cannot do that'


@pytest.fixture(autouse=True)
def stored(fake: FakeApiServer) -> None:
    for path, (plural, kind, namespaced) in RESOURCES.items():
        listed = {"resources": [{"name": plural, "kind": kind, "namespaced": namespaced}]}
        fake.answers[path] = lambda handler, query, listed=listed: (200, {}, json.dumps(listed).encode())  # type: ignore[misc]
    for name in "abc":
        fake.add("cert-manager.io", "certificaterequests", {"metadata": {"namespace": "apps", "name": name, "uid": f"u{name}", "resourceVersion": "7"}})
    fake.add("", "namespaces", {"metadata": {"name": "apps", "uid": "u"}})


def request(name: str, **more: Any) -> dict[str, Any]:
    return {"api_version": "cert-manager.io/v1", "kind": "CertificateRequest", "namespace": "apps", "name": name, **more}


def delete(fake: FakeApiServer, *targets: Mapping[str, Any], dry_run: bool = False) -> list[dict[str, Any]]:
    check_targets(targets)
    return delete_all(connect({"host": fake.url, "api_key": "t"}, timeout=5.0), targets, dry_run)


def said(result: Mapping[str, Any]) -> list[str]:
    """What is true of it."""
    return [key for key in ("ok", "conflict", "forbidden", "missing", "unknown") if result[key]]


def names(fake: FakeApiServer) -> list[str]:
    return [item["metadata"]["name"] for item in fake.objects[("cert-manager.io", "certificaterequests")]]


def test_each_in_the_state_in_which_it_was_read(fake: FakeApiServer) -> None:
    targets = [
        request("a", uid="ua", resource_version="7"),
        request("b", uid="ub", resource_version="6"),
        request("c", uid="older"),
        request("gone", uid="x"),
        {"api_version": "v1", "kind": "Namespace", "name": "apps"},
    ]
    results = delete(fake, *targets)
    assert [said(result) for result in results] == [["ok"], ["conflict"], ["conflict"], ["ok", "missing"], ["ok"]]
    assert [result["error"] is None for result in results] == [True, False, False, True, True]
    assert "Precondition failed: resourceVersion" in results[1]["error"]
    assert names(fake) == ["b", "c"]
    sent = dict(fake.deleted)
    assert sent["a"] == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": {"uid": "ua", "resourceVersion": "7"},
    }
    assert "preconditions" not in sent["apps"], "nothing was asked of it"
    assert [path for _method, path, *_rest in fake.requests].count("/apis/cert-manager.io/v1") == 1, "a group is asked for once"


def test_a_dry_run_deletes_nothing(fake: FakeApiServer) -> None:
    results = delete(fake, request("a"), request("b", uid="other"), dry_run=True)
    assert [said(result) for result in results] == [["ok"], ["conflict"]]
    assert [options["dryRun"] for _name, options in fake.deleted] == [["All"]]
    assert names(fake) == ["a", "b", "c"]


def test_only_rbac_forbids_and_a_webhook_denies(fake: FakeApiServer) -> None:
    fake.answers["/apis/cert-manager.io/v1/namespaces/apps/certificaterequests/a"] = lambda handler, query: status(403, "Forbidden", DENIED)
    denied, done = delete(fake, request("a"), request("b"))
    assert (said(denied), denied["error"], said(done)) == ([], DENIED, ["ok"])
    fake.forbidden.add("certificaterequests")
    (forbidden,) = delete(fake, request("c"))
    assert said(forbidden) == ["forbidden"] and "cannot delete resource" in forbidden["error"]


def closes(handler: Any, query: dict[str, str]) -> Answer:
    handler.close_connection = True
    handler.connection.close()
    raise ConnectionError("closed by the test")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (closes, "127.0.0.1"),
        (lambda handler, query: (504, {}, b"<html>Gateway Time-out"), "HTTP 504: <html>Gateway Time-out"),
        (lambda handler, query: status(500, "InternalError", "etcdserver: request timed out"), "etcdserver: request timed out"),
    ],
    ids=["closed", "a proxy gave up", "etcd gave up"],
)
def test_nobody_knows_what_became_of_it(fake: FakeApiServer, answer: Any, words: str) -> None:
    fake.answers["/apis/cert-manager.io/v1/namespaces/apps/certificaterequests/a"] = answer
    unknown, done = delete(fake, request("a"), request("b"))
    assert (said(unknown), said(done)) == (["unknown"], ["ok"])
    assert words in unknown["error"]


def test_what_is_not_found_must_be_the_object(fake: FakeApiServer) -> None:
    without_namespace = {key: value for key, value in request("a").items() if key != "namespace"}
    lost, unserved = delete(fake, without_namespace, {**request("a"), "kind": "Certificate"})
    assert (said(lost), lost["error"]) == ([], "the server could not find the requested resource")
    assert (said(unserved), unserved["error"]) == ([], "the API server does not serve Certificate of cert-manager.io/v1")
    assert names(fake) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        (request("a/../b"), "name 'a/../b' is no name"),
        (request(""), "has an empty name"),
        ({**request("a"), "api_version": "/v1"}, "api_version '/v1' is none"),
    ],
)
def test_nothing_gets_into_a_path(target: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidReference, match=problem) as caught:
        check_targets([request("a"), target])
    assert caught.value.index == 1


# ---- what applying makes of it


def port(*results: dict[str, Any]) -> tuple[ModulesPort, list[tuple[str, Mapping[str, Any], bool]]]:
    asked: list[tuple[str, Mapping[str, Any], bool]] = []

    def execute(module: str, arguments: Mapping[str, Any], check: bool) -> Mapping[str, Any]:
        asked.append((module, arguments, check))
        return {"results": list(results)}

    return ModulesPort(execute, {"kubeconfig": "k"}, Mock(), Looking()), asked


def result(**true: Any) -> dict[str, Any]:
    return {"ok": False, "error": None, "conflict": False, "forbidden": False, "missing": False, "unknown": False, **true}


def test_applying_deletes_many_in_one_task() -> None:
    its, asked = port(result(ok=True), result(error="modified", conflict=True), result(error="cannot", forbidden=True))
    sent = its.delete([request("a", uid="u", resource_version="7"), request("b", uid="u", resource_version=None), request("c")], dry_run=True)
    assert sent == [Sent(True), Sent(False, "modified", conflict=True), Sent(False, "cannot", forbidden=True)]
    ((module, arguments, check),) = asked
    assert (module, check, arguments["kubeconfig"]) == ("kubeops.webhook_doctor.delete_objects", True, "k")
    assert arguments["objects"] == [request("a", uid="u", resource_version="7"), request("b", uid="u"), request("c")]


def test_applying_stops_where_nobody_knows() -> None:
    its, _asked = port(result(ok=True), result(error="https://x: no complete answer within 30 s.", unknown=True))
    with pytest.raises(Unreachable, match="no complete answer"):
        its.delete([request("a"), request("b")], dry_run=False)
