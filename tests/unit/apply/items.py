# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects, plan items and findings of the tests of applying, in a few words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.backups import Backups
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.changing import Changer
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.journal import Journal
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.marks import marks_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.rollback import Rollback, Undone
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.run import Run
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.change import Change, Risk
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.edit import Edit
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.item import PLANNED, item_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import Reference
from ansible_collections.kubeops.webhook_doctor.tests.unit.apply.cluster import Cluster

HOOK, POLICY = "ValidatingWebhookConfiguration", "NetworkPolicy"
Item = dict[str, Any]


def hook(name: str, seconds: int = 30, **metadata: Any) -> dict[str, Any]:
    """A webhook configuration of one entry, with no labels and annotations unless said."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": HOOK,
        "metadata": {"name": name, **metadata},
        "webhooks": [{"name": f"{name}.example.com", "timeoutSeconds": seconds, "failurePolicy": "Fail", "matchPolicy": "Equivalent"}],
    }


def network_policy(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": POLICY,
        "metadata": {"name": name, "namespace": "system"},
        "spec": {"podSelector": {}, "ingress": [{}]},
    }


def patch(cluster: Cluster, name: str, edit: Callable[[Edit], None], **more: Any) -> Item:
    """A plan item that edits a hook as it is in the cluster now."""
    live = cluster.objects[f"{HOOK}/{name}"]
    made = Edit(live)
    made.anchor("/webhooks/0/name")
    edit(made)
    return item("patch", live, edit=made, **more)


def shorter(cluster: Cluster, name: str, seconds: int = 15, **more: Any) -> Item:
    return patch(cluster, name, lambda edit: edit.set("/webhooks/0/timeoutSeconds", seconds), **more)


def opened(cluster: Cluster, name: str, **more: Any) -> Item:
    """failurePolicy Ignore for the time of the repair."""
    return patch(cluster, name, lambda edit: edit.set("/webhooks/0/failurePolicy", "Ignore"), temporary=True, part="bypass", **more)


def made_new(name: str, **more: Any) -> Item:
    return item("create", network_policy(name), exists=False, created=network_policy(name), **more)


def deleted(cluster: Cluster, name: str, **more: Any) -> Item:
    return item("delete", cluster.objects[f"{HOOK}/{name}"], **{"risk": Risk.HIGH, **more})


def item(action: str, target: Mapping[str, Any], exists: bool = True, remedy: str = "webhook_timeouts", mends: tuple[str, ...] = (), **more: Any) -> Item:
    """mends: fingerprints. A call-out of the target's name proves it."""
    reference = Reference.of(target)
    change = Change(remedy, ("WD504",), mends, reference, action, "because", **{"callouts": (reference.name,), **more})
    return item_of(change, None, PLANNED, {reference: target} if exists else {})


def finding(callout: str, fingerprint: str, severity: str = "error", cause: str | None = "deadline_exceeded") -> dict[str, Any]:
    return {
        "code": "WD504",
        "title": "It takes too long",
        "severity": severity,
        "cause": cause,
        "subject": {"kind": HOOK, "namespace": None, "name": callout, "webhook": None},
        "affects": [callout],
        "evidence": ["30 s"],
        "fingerprint": fingerprint,
    }


def run_of(cluster: Cluster, folder: Path, name: str = "run-1", before: Any = (), check: bool = False, journal: Journal | None = None) -> Run:
    kept = journal or Journal(None if check else folder / f"{name}.jsonl")
    return Run(cluster, kept, Backups("kube-system"), name, f"me ({name})", list(before), check)


def apply(cluster: Cluster, folder: Path, plan: list[Item], **more: Any) -> dict[str, str]:
    """Item -> what became of it."""
    return {result.item["id"]: result.state.value for result in run_of(cluster, folder, **more).apply(plan)}


def roll_back(cluster: Cluster, folder: Path, run: str | None = None, check: bool = False, journal: Any = ()) -> list[Undone]:
    changer = Changer(cluster, Journal(None if check else folder / "rollback.jsonl"), "back-1")
    return Rollback(cluster, changer, "kube-system", run, check).take_back(journal)


def noted(cluster: Cluster, name: str) -> list[str]:
    """Items of the marks of an object."""
    return [mark.item for mark in marks_of(cluster.objects[name])]
