# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way around a dead webhook, on the real API server: it lets through what it is made for, nothing else, and is taken back to the letter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from doctorlab import Lab, Options
from doctorlab.api import wait
from doctorlab.errors import LabError

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.patching import apply_patch
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import Reference
from ansible_collections.kubeops.webhook_doctor.tests.unit.remedy.blocked_changes import world

# What the one webhook is asked about; nothing listens where it is called.
WEBHOOK: dict[str, Any] = {
    "name": "hook.example.com",
    "failurePolicy": "Fail",
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    "clientConfig": {"url": "https://127.0.0.1:9/"},
    "rules": [
        {"operations": ["UPDATE"], "apiGroups": [""], "apiVersions": ["*"], "resources": ["configmaps", "namespaces"]},
        {"operations": ["UPDATE"], "apiGroups": ["apiextensions.k8s.io"], "apiVersions": ["*"], "resources": ["customresourcedefinitions"]},
        {"operations": ["UPDATE"], "apiGroups": ["rbac.authorization.k8s.io"], "apiVersions": ["*"], "resources": ["clusterroles"]},
    ],
    "matchConditions": [{"name": "people", "expression": "!('system:nodes' in request.userInfo.groups)"}],
}
SHORT = {
    "rules": [[rule["operations"], rule["apiGroups"], rule["resources"]] for rule in WEBHOOK["rules"]],
    "match_conditions": [[one["name"], one["expression"]] for one in WEBHOOK["matchConditions"]],
}
CONFIGURATION = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "hook"},
    "webhooks": [WEBHOOK],
}
QUOTED = "o'neill\\s"
# What is changed -> (the object, another of its kind) as kubectl names them.
OBJECTS = {
    "ConfigMap/one/settings": (["configmap", "settings", "-n", "one"], ["configmap", "settings", "-n", "two"]),
    "Namespace/one": (["namespace", "one"], ["namespace", "two"]),
    "CustomResourceDefinition/gauges.example.com": (["crd", "gauges.example.com"], ["crd", "meters.example.com"]),
    f"ClusterRole/{QUOTED}": (["clusterrole", QUOTED], ["clusterrole", "view"]),
}


@pytest.fixture(scope="module", params=[None, "1.30.14"], ids=["newest", "oldest"])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("bypass") / "lab", Options(kubernetes=request.param, faults="apiservice-refused")) as running:
        items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("one", "two")]
        items += [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": name}} for name in ("one", "two")]
        items += [crd(name) for name in ("gauge", "meter")]
        items += [{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": QUOTED}, "rules": []}]
        for item in items:
            running.kubectl("create", "-f", "-", stdin=json.dumps(item))
        running.kubectl("create", "-f", "-", stdin=json.dumps(CONFIGURATION))
        yield running


def crd(name: str) -> dict[str, Any]:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    spec = {"group": "example.com", "scope": "Namespaced", "names": {"plural": f"{name}s", "kind": name.capitalize()}, "versions": [version]}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{name}s.example.com"}, "spec": spec}


@pytest.mark.parametrize("target", list(OBJECTS))
def test_it_lets_through_what_it_is_made_for_and_is_taken_back(lab: Lab, target: str) -> None:
    mine, other = OBJECTS[target]
    wait(f"{target} refused", lambda: refused(lab, mine), 30)
    before = configuration(lab)

    made = world({"webhooks": {"hook": SHORT}, "changes": {"mend": {"patch": target}}})
    (change,), (bypass,) = made.around({Reference.of(before): before})
    assert change.after_ == (bypass.id,)
    assert bypass.edit is not None
    lab.kubectl("replace", "-f", "-", stdin=json.dumps(bypass.edit.result))
    wait(f"{target} let through", lambda: not refused(lab, mine), 30)
    assert refused(lab, other)

    lab.kubectl("replace", "-f", "-", stdin=json.dumps(apply_patch(configuration(lab), bypass.edit.undo)))
    wait(f"{target} refused again", lambda: refused(lab, mine), 30)
    assert configuration(lab)["webhooks"] == before["webhooks"]


def configuration(lab: Lab) -> dict[str, Any]:
    return json.loads(lab.kubectl("get", "validatingwebhookconfiguration", "hook", "-o", "json"))


def refused(lab: Lab, words: list[str]) -> bool:
    """Whether the API server refuses a change because the webhook does not answer."""
    try:
        lab.kubectl("annotate", "--dry-run=server", "--overwrite", *words, "mended=yes")
    except LabError as error:
        assert 'failed calling webhook "hook.example.com"' in str(error)
        return True
    return False
