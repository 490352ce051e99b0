# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are planted in objects do not leave, and nothing moves."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.redact import HIDDEN, redacted

PLANTED = "hunter2-planted"
COPY = "kubectl.kubernetes.io/last-applied-configuration"


def pod(**more: Any) -> dict[str, Any]:
    """A pod's spec with a secret wherever a variable can be."""
    env = [
        {"name": "PASSWORD", "value": PLANTED},
        {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "NO_PROXY", "value": "10.0.0.0/8"},
        {"name": "no_proxy", "value": ".svc"},
        {"name": "HTTPS_PROXY", "value": f"http://user:{PLANTED}@proxy:3128"},
        {"name": "EMPTY"},
    ]
    container = {"name": "c", "image": "i", "env": env}
    return {"containers": [container, container], "initContainers": [container], "ephemeralContainers": [container], **more}


def workload(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "b", "annotations": {COPY: json.dumps(pod()), "kept": "yes"}}
    return {"apiVersion": "x/v1", "kind": kind, "metadata": metadata, "spec": spec}


ITEMS = {
    "Pod": workload("Pod", pod()),
    "Deployment": workload("Deployment", {"replicas": 1, "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod()}}),
    "CronJob": workload("CronJob", {"jobTemplate": {"spec": {"template": {"spec": pod()}}}}),
    "another's kind": workload("Widget", {"parts": [{"deep": {"template": {"spec": pod()}}}]}),
    "Secret": {
        "kind": "Secret",
        "metadata": {"name": "s", "annotations": {COPY: PLANTED}},
        "data": {"k": PLANTED, "tls.crt": PLANTED},
        "stringData": {"l": PLANTED},
    },
}


def paths(value: Any, at: str = "") -> set[str]:
    """Every key and position."""
    if isinstance(value, dict):
        return {f"{at}/{key}" for key in value} | {path for key, inner in value.items() for path in paths(inner, f"{at}/{key}")}
    return {path for number, inner in enumerate(value) for path in {f"{at}/{number}"} | paths(inner, f"{at}/{number}")} if isinstance(value, list) else set()


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_planted_secrets_do_not_leave_and_nothing_moves(item: dict[str, Any]) -> None:
    before = copy.deepcopy(item)
    shown = redacted(item)
    assert PLANTED in json.dumps(item) and PLANTED not in json.dumps(shown)
    assert paths(shown) == paths(item), "a JSON patch made from it would not fit"
    assert item == before, "the object itself is not touched"
    assert redacted(shown) == shown


def test_what_is_no_secret_stays() -> None:
    env = redacted(ITEMS["Pod"])["spec"]["initContainers"][0]["env"]
    assert [entry.get("value") for entry in env] == [HIDDEN, None, "10.0.0.0/8", ".svc", HIDDEN, None]
    assert env[1]["valueFrom"] == {"secretKeyRef": {"name": "s", "key": "k"}}
    assert redacted(ITEMS["Deployment"])["metadata"]["annotations"] == {COPY: HIDDEN, "kept": "yes"}
    assert redacted(ITEMS["Secret"])["data"] == {"k": None, "tls.crt": None}


def test_of_managed_fields_only_who_and_when() -> None:
    fields: dict[str, Any] = {"f:spec": {f'k:{{"value":"{PLANTED}"}}': {}}}
    entry = {"manager": "kubectl", "operation": "Apply", "time": "t", "fieldsType": "FieldsV1", "fieldsV1": fields}
    shown = redacted({"kind": "Service", "metadata": {"name": "s", "managedFields": [entry]}})
    assert shown["metadata"]["managedFields"] == [{"manager": "kubectl", "operation": "Apply", "subresource": None, "time": "t"}]


@pytest.mark.parametrize(
    "item", [{}, {"kind": "Secret", "data": None}, {"kind": "Pod", "metadata": None, "spec": {"env": {"A": "b"}}}, {"spec": {"env": ["x"]}}]
)
def test_odd_objects(item: dict[str, Any]) -> None:
    assert paths(item) <= paths(redacted(item))
