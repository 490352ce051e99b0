# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes and the webhooks in their way, from a few words, without a planner.

A row of deadlock.yml:

    webhooks     in the words of callouts_short.several; none of them answers, but those in `alive`
    namespaces   {name: labels}; they have the label with their name, too
    version      minor version of Kubernetes, default 36; null: not known       allow_fail_open   default false
    unread       names of configurations that could not be read
    changes      {name: {patch | create | delete: "Kind/namespace/name", labels: of the object, set: {JSON pointer: value}, pods: labels of the template,
                 rollout, after: [names of changes], mends: [ids of call-outs]}}. A patch of a webhook configuration edits what the webhooks say.
    bypasses     {configuration: {JSON pointer: value after}}
    waits        {change: [what it waits for: names of changes, or bypass:<configuration>]}
    manual       {change: a part of why}
    risks        of the bypasses, where one is not medium
    opaque       true where condition_forms.py does not read the condition of the bypass
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.change import Change, Risk
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.deadlock import around
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.edit import Edit
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import Reference
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.callouts_short import a_refusal, several

_GROUPS = {
    "Deployment": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "APIService": "apiregistration.k8s.io/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "CertificateRequest": "cert-manager.io/v1",
}
_CLUSTER_SCOPED = {"CustomResourceDefinition", "APIService", "ClusterRole", "Namespace", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}


@dataclass(frozen=True)
class World:
    cluster: Cluster
    changes: Mapping[str, Change]
    live: Mapping[Reference, Mapping[str, Any]]
    allow_fail_open: bool

    def around(self, live: Mapping[Reference, Mapping[str, Any]] | None = None) -> tuple[list[Change], list[Change]]:
        return around(list(self.changes.values()), self.cluster, self.live if live is None else live, self.allow_fail_open)


def world(row: Mapping[str, Any]) -> World:
    facts = several(row["webhooks"], row.get("namespaces", {}))
    minor = row.get("version", 36)
    facts["version"] = {"git_version": f"v1.{minor}.0" if minor else None, "major": 1 if minor else None, "minor": minor}
    dead = [callout for callout in facts["callouts"] if callout["object"]["name"] not in row.get("alive", ())]
    cluster = Cluster.of(facts, [{**a_refusal([callout]), "name": f"apiserver {callout['id']}"} for callout in dead])
    live = {Reference.of(one): one for one in _configurations(facts["callouts"]) if one["metadata"]["name"] not in row.get("unread", ())}
    changes: dict[str, Change] = {}
    for name, words in row["changes"].items():
        action = next(word for word in ("patch", "create", "delete") if word in words)
        reference, item = _object(words[action], words, live)
        if action != "create":
            live.setdefault(reference, item)
        edit = None
        if action == "patch":
            edit = Edit(item)
            for path, value in words.get("set", {"/metadata/annotations/mended": "yes"}).items():
                edit.set(path, value)
        changes[name] = Change(
            remedy="test",
            codes=("WD301",),
            fingerprints=("f",) if "mends" in words else (),
            target=reference,
            action=action,
            reason="to mend it",
            risk=Risk(words.get("risk", "low")),
            edit=edit,
            created=item if action == "create" else None,
            callouts=tuple(words.get("mends", ())),
            after_=tuple(changes[other].id for other in words.get("after", ())),
            rollout=words.get("rollout", False),
        )
    return World(cluster, changes, live, row.get("allow_fail_open", False))


def elsewhere(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same changes, of objects in another namespace, or of another name where they are in none."""
    changes = copy.deepcopy(dict(row["changes"]))
    for words in changes.values():
        for action in ("patch", "create", "delete"):
            if action in words and "WebhookConfiguration" not in words[action]:
                kind, *places = words[action].split("/")
                words[action] = "/".join([kind, *(["elsewhere"] if len(places) > 1 else []), f"{places[-1]}-2" if len(places) == 1 else places[-1]])
    return {**row, "changes": changes, "namespaces": {**row.get("namespaces", {}), "elsewhere": {}}}


def _object(said: str, words: Mapping[str, Any], live: Mapping[Reference, Mapping[str, Any]]) -> tuple[Reference, dict[str, Any]]:
    kind, *places = said.split("/")
    reference = Reference(_GROUPS.get(kind, "v1"), kind, places[-1], places[0] if len(places) > 1 else None)
    assert (reference.namespace is None) == (kind in _CLUSTER_SCOPED), said
    if reference in live:
        return reference, copy.deepcopy(dict(live[reference]))
    own = {"kubernetes.io/metadata.name": reference.name} if kind == "Namespace" else {}  # the API server sees to it
    metadata = {"name": reference.name, "labels": {**own, **words.get("labels", {})}, **({"namespace": reference.namespace} if reference.namespace else {})}
    item: dict[str, Any] = {"apiVersion": reference.api_version, "kind": kind, "metadata": metadata}
    if "pods" in words:
        item["spec"] = {"template": {"metadata": {"labels": words["pods"]}, "spec": {"containers": [{"name": "main"}]}}}
    return reference, item


def _configurations(callouts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects of the API that these call-outs were read from."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for callout in callouts:
        owner = callout["object"]
        item = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": owner["kind"], "metadata": {"name": owner["name"], "uid": "u"}, "webhooks": []}
        entry: dict[str, Any] = {"name": callout["webhook"], "failurePolicy": callout["failure_policy"], "clientConfig": {"caBundle": "b2xk"}}
        for key, selector in (("namespaceSelector", callout["namespace_selector"]), ("objectSelector", callout["object_selector"])):
            if selector is not None:
                entry[key] = {"matchExpressions": selector["match_expressions"]}
        if callout["match_conditions"]:
            entry["matchConditions"] = callout["match_conditions"]
        found.setdefault((owner["kind"], owner["name"]), item)["webhooks"].append(entry)
    return list(found.values())
