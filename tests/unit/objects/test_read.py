# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of any kind, read from an API server on loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.read import InvalidReference, check_references, read_all
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import Answer, FakeApiServer, status

RESOURCES = {
    "/api/v1": [("secrets", "Secret", True), ("namespaces", "Namespace", False), ("namespaces/status", "Namespace", False)],
    "/apis/apps/v1": [("deployments", "Deployment", True), ("deployments/scale", "Scale", True)],
}


def served(resources: list[tuple[str, str, bool]]) -> Answer:
    listed = [{"name": name, "kind": kind, "namespaced": namespaced} for name, kind, namespaced in resources]
    return 200, {"Content-Type": "application/json"}, json.dumps({"resources": listed}).encode()


@pytest.fixture(autouse=True)
def discovery(fake: FakeApiServer) -> None:
    for path, resources in RESOURCES.items():
        fake.answers[path] = lambda handler, query, resources=resources: served(resources)  # type: ignore[misc]
    for name, namespace in (("a", "x"), ("b", "x"), ("a", "y")):
        labels = {"app": name}
        fake.add("apps", "deployments", {"metadata": {"name": name, "namespace": namespace, "labels": labels}})
    fake.add("", "namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})


def read(fake: FakeApiServer, *references: dict[str, Any]) -> list[dict[str, Any]]:
    wanted = [{"api_version": "apps/v1", "kind": "Deployment", **reference} for reference in references]
    check_references(wanted)
    return read_all(connect({"host": fake.url, "api_key": "t"}, timeout=5.0), wanted)


def names(answer: dict[str, Any]) -> list[str]:
    assert answer["error"] is None and answer["reason"] is None
    return [f"{item['metadata'].get('namespace')}/{item['metadata']['name']}" for item in answer["objects"]]


def test_by_name_and_by_label_in_order(fake: FakeApiServer) -> None:
    answers = read(
        fake,
        {"name": "a", "namespace": "y"},
        {"namespace": "x"},
        {"label_selector": "app=a"},
        {"api_version": "v1", "kind": "Namespace", "name": "x", "namespace": "ignored"},
        {},
    )
    assert [names(answer) for answer in answers] == [["y/a"], ["x/a", "x/b"], ["x/a", "y/a"], ["None/x"], ["x/a", "x/b", "y/a"]]
    assert all(item["kind"] == "Deployment" and item["apiVersion"] == "apps/v1" for item in answers[1]["objects"]), "lists leave that out of their items"


def test_what_does_not_exist_is_no_error(fake: FakeApiServer) -> None:
    assert read(fake, {"name": "zz", "namespace": "x"}) == [{"objects": [], "error": None, "reason": None}]


def test_each_group_is_asked_for_once(fake: FakeApiServer) -> None:
    read(fake, *[{"name": f"n{number}", "namespace": "x"} for number in range(40)])
    assert [path for _method, path, *_rest in fake.requests].count("/apis/apps/v1") == 1


def test_a_kind_that_is_not_served(fake: FakeApiServer) -> None:
    answers = read(fake, {"api_version": "cert-manager.io/v1", "kind": "Certificate"}, {"kind": "Scale"}, {"namespace": "x"})
    assert [answer["reason"] for answer in answers] == ["missing_api", "missing_api", None]
    assert answers[0]["error"] == "the API server does not serve Certificate of cert-manager.io/v1"


def test_what_is_forbidden(fake: FakeApiServer) -> None:
    fake.forbidden = {"deployments"}
    fake.answers["/api/v1"] = lambda handler, query: status(403, "Forbidden", "no discovery for you")
    answers = read(fake, {"name": "a", "namespace": "x"}, {}, {"api_version": "v1", "kind": "Namespace"})
    assert [answer["reason"] for answer in answers] == ["forbidden"] * 3
    assert "cannot list resource" in answers[0]["error"] and answers[2]["error"] == "no discovery for you"


def test_what_is_broken(fake: FakeApiServer) -> None:
    fake.answers["/apis/apps/v1/namespaces/x/deployments/a"] = lambda handler, query: status(500, "InternalError", "etcdserver: leader changed")
    fake.answers["/apis/apps/v1/namespaces/x/deployments/b"] = lambda handler, query: (200, {}, b"<html>")
    answers = read(fake, {"name": "a", "namespace": "x"}, {"name": "b", "namespace": "x"}, {"name": "a", "namespace": "y"})
    assert [answer["reason"] for answer in answers] == ["error", "error", None]
    assert answers[0]["error"] == "etcdserver: leader changed" and answers[1]["error"]


def test_nobody_answers(fake: FakeApiServer) -> None:
    fake.close()
    assert [answer["reason"] for answer in read(fake, {}, {"name": "a"})] == ["error", "error"]


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ({"api_version": "apps"}, "api_version 'apps' is none"),
        ({"api_version": "../v1"}, "is none"),
        ({"api_version": "apps/v1/../../v1"}, "is none"),
        ({"name": "a/b"}, "name 'a/b' is no name"),
        ({"name": ".."}, "is no name"),
        ({"namespace": "x?y"}, "namespace 'x"),
        ({"kind": "A B"}, "kind 'A B'"),
        ({"name": "a\n"}, "is no name"),
        ({"name": "a", "label_selector": "b=c"}, "both a name and a label_selector"),
    ],
)
def test_what_is_no_reference(reference: dict[str, Any], words: str) -> None:
    good = {"api_version": "v1", "kind": "Secret", "name": "system:a"}
    with pytest.raises(InvalidReference) as caught:
        check_references([good, {"api_version": "apps/v1", "kind": "Deployment", **reference}])
    assert caught.value.index == 1 and words in str(caught.value) and caught.value.expected
