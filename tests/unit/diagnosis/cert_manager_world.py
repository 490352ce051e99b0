# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`apps.cert_manager` of the facts in a few words: the key `cert_manager` of a world.

A healthy installation in namespace `system`, whose webhook is the call-out's back end (Deployment `hook`), with two healthy call-outs of its own beside it
(unless the world says `alone: true`), changed by:

    version     of all parts, default 1.21.1                  age   seconds since they were created, default a year
    webhook, cainjector, controller
                none | what differs in the Deployment (`arguments`: those that are replaced or added; `pod`: what differs in its pod)
    leases      {cainjector: {found, holder, renewed: seconds ago}, controller: ...}
    failures    what the kubelet says of the webhook's probes        jobs   [{name, ended}]
    second      namespace of a second installation (leader: its leader election namespace; holds: whether its pods hold the leases; scope: --namespace)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

YEAR = 365 * 86400
LEASES = {"controller": "cert-manager-controller", "cainjector": "cert-manager-cainjector-leader-election"}
NAMES = {"webhook": "hook", "cainjector": "hook-cainjector", "controller": "cert-manager"}


INJECTED = {"cert-manager.io/inject-ca-from-secret": "system/hook-ca"}


def own_callouts(given: Mapping[str, Any]) -> dict[str, Any]:
    """Further worlds: what an installation has."""
    if "cert_manager" not in given or given.get("alone"):
        return {}
    own = {"webhook": "webhook.cert-manager.io", "annotations": INJECTED, "timeout": 30}
    return {"own": own, "owm": {**own, "kind": "mutating"}}


def cert_manager_facts(given: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    facts = _installation("system", given, at)
    other = given.get("second")
    if other:
        scope = {"arguments": {"namespace": [other["scope"]]}} if other.get("scope") else {}
        second = {"webhook": "none", "cainjector": {"replicas": 1, **scope}, "controller": scope}
        found = _installation(other["namespace"], second, at)
        for item in found["deployments"]:
            item["arguments"]["leader-election-namespace"] = [other.get("leader", "kube-system")]
        facts["deployments"] += found["deployments"]
        facts["pods"] += found["pods"]
        if other.get("holds"):
            facts["leases"] = found["leases"]
    return facts


def _installation(namespace: str, given: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    parts = {kind: given.get(kind, {}) for kind in NAMES if given.get(kind) != "none"}
    facts: dict[str, Any] = {"deployments": [], "pods": [], "leases": [], "jobs": [], "probe_failures": []}
    for kind, changed in parts.items():
        facts["deployments"].append(_deployment(namespace, kind, given, changed, at))
        if facts["deployments"][-1]["replicas"]:
            facts["pods"].append(_pod(namespace, kind, facts["deployments"][-1], changed.get("pod", {}), given, at))
        if kind in LEASES:
            facts["leases"].append(_lease(namespace, kind, given.get("leases", {}).get(kind, {}), at))
    facts["probe_failures"] = [
        {"namespace": namespace, "pod": f"{namespace}-webhook-0", "message": message, "count": 3, "last": _iso(at)} for message in given.get("failures", ())
    ]
    facts["jobs"] = [{"namespace": namespace, "created": _iso(at), "succeeded": 0, "failed": 4, "ended": None, **job} for job in given.get("jobs", ())]
    return facts


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _deployment(namespace: str, kind: str, given: Mapping[str, Any], changed: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    names = ["hook", "hook.system", "hook.system.svc"]
    arguments: dict[str, list[str]] = {"leader-election-namespace": ["kube-system"]} if kind in LEASES else {}
    if kind == "webhook":
        arguments = {
            "secure-port": ["8443"],
            "dynamic-serving-ca-secret-namespace": [namespace],
            "dynamic-serving-ca-secret-name": ["hook-ca"],
            "dynamic-serving-dns-names": names,
        }
    base = {
        "namespace": namespace,
        "name": NAMES[kind],
        "component": kind,
        "instance": "cert-manager",
        "helm": True,
        "version": given.get("version", "1.21.1"),
        "created": _iso(at - timedelta(seconds=given.get("age", YEAR))),
        "replicas": 1,
        "container": f"cert-manager-{kind}",
        "ports": [{"name": "https", "port": 8443}, {"name": "healthcheck", "port": 6080}] if kind == "webhook" else [],
        "readiness": {"path": "/healthz", "port": "healthcheck"} if kind == "webhook" else None,
        "host_network": False,
        "service_account": NAMES[kind],
        "conditions": [],
        **{key: value for key, value in changed.items() if key not in ("arguments", "pod")},
    }
    kept = {**arguments, **changed.get("arguments", {})}
    return {"ready": base["replicas"], **base, "arguments": {key: value for key, value in kept.items() if value is not None}}


def _pod(namespace: str, kind: str, deployment: Mapping[str, Any], changed: Mapping[str, Any], given: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "name": f"{namespace}-{kind}-0",
        "component": kind,
        "instance": "cert-manager",
        "phase": "Running",
        "ready": deployment["ready"] > 0,
        "terminating": False,
        "node": "node-1",
        "started": _iso(at - timedelta(seconds=changed.get("age", given.get("age", YEAR)))),
        "restarts": 0,
        "waiting": None,
        "terminated": None,
        **{key: value for key, value in changed.items() if key != "age"},
    }


def _lease(namespace: str, kind: str, changed: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    suffix = "_1c9e" if kind == "cainjector" else "-external-cert-manager-controller"
    found = changed.get("found", True)
    return {
        "namespace": "kube-system",
        "name": LEASES[kind],
        "found": found,
        "holder": changed.get("holder", f"{namespace}-{kind}-0{suffix}") if found else None,
        "renewed": _iso(at - timedelta(seconds=changed.get("renewed", 5))) if found else None,
        "duration_seconds": 60 if found else None,
    }
