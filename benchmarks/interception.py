# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What many webhooks and many namespaces cost the judgement of interception, injection and time-outs. Needs no lab: the facts are made here, from a seed.

python benchmarks/interception.py             the figures (with the collection importable, as `make bench` sets it up)
python benchmarks/interception.py --profile   where diagnose() spends its time, function by function
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.rules import deadlock, injection, interception, timeout_profiles, timeouts

WEBHOOKS, NAMESPACES, SEED, RUNS = 1000, 5000, 20261126, 3
NAME = "kubernetes.io/metadata.name"
FAMILIES = (interception, deadlock, injection, timeouts, timeout_profiles)
CREATED = "2026-01-01T00:00:00Z"
# (share, operations, groups, resources) of what webhooks intercept
RULES = (
    (30, ["CREATE", "UPDATE"], ["example.com"], ["*"]),
    (30, ["CREATE"], [""], ["pods"]),
    (10, ["CREATE", "UPDATE"], ["apps"], ["deployments", "statefulsets"]),
    (10, ["*"], ["*"], ["*"]),
    (10, ["CREATE", "UPDATE"], [""], ["configmaps", "secrets"]),
    (5, ["UPDATE"], ["coordination.k8s.io"], ["leases"]),
    (5, ["CREATE", "UPDATE"], ["rbac.authorization.k8s.io"], ["*"]),
)
CONDITIONS = ("!('system:nodes' in request.userInfo.groups)", "request.namespace != 'kube-system'", "object.spec.replicas > 3")


def facts(webhooks: int, namespaces: int, seed: int = SEED) -> dict[str, Any]:
    """Facts of a cluster with so many webhook entries, each with a back end of its own, and namespaces with six labels each."""
    dice = random.Random(seed)
    named = [*("kube-system", "kube-node-lease", "default"), *(f"ns-{number:05}" for number in range(namespaces - 3))]
    labels = {name: _labels(name, dice) for name in named}
    callouts = [_callout(number, named, dice) for number in range(webhooks)]
    return {
        "source": {"kind": "api", "cluster": "bench", "server": None, "observed_at": "2026-11-20T18:00:00Z", "paths": [], "access": {}},
        "version": {"git_version": "v1.36.3", "major": 1, "minor": 36},
        "platform": None,
        "callouts": callouts,
        "backends": [_backend(callout) for callout in callouts],
        "ca_sources": [],
        "namespaces": [{"name": name, "labels": labels[name]} for name in named],
        "control_plane": {"routing": "endpoint", "routing_because": None, "instances": []},
        "evidence": [],
        "apps": {},
        "coverage": [],
    }


def _labels(name: str, dice: random.Random) -> dict[str, str]:
    made = {NAME: name, "team": f"team-{dice.randrange(50)}", "env": dice.choice(["prod", "test", "dev"]), "cost": str(dice.randrange(300))}
    return {**made, "mesh": dice.choice(["on", "off"]), **({"skip": "true"} if dice.random() < 0.1 else {})}


def _callout(number: int, named: list[str], dice: random.Random) -> dict[str, Any]:
    kind = dice.choice(["validating", "mutating"])
    name, namespace = f"hook-{number:04}", dice.choice(named[3:])
    dummy, operations, groups, resources = dice.choices(RULES, weights=[rule[0] for rule in RULES])[0]
    selector = dice.choices(
        [
            {"match_labels": {}, "match_expressions": [{"key": NAME, "operator": "NotIn", "values": ["kube-system", namespace]}]},
            {"match_labels": {"team": f"team-{dice.randrange(50)}"}, "match_expressions": []},
            {"match_labels": {}, "match_expressions": [{"key": "skip", "operator": "DoesNotExist", "values": []}, _not_in(dice)]},
            {"match_labels": {}, "match_expressions": [{"key": NAME, "operator": "In", "values": dice.sample(named, 20)}]},
            None,
        ],
        weights=[35, 20, 20, 15, 10],
    )[0]
    labelled = {"match_labels": {}, "match_expressions": [{"key": "app", "operator": "NotIn", "values": [name]}]}
    return {
        "id": f"{kind}/{name}/{name}.bench.example.com",
        "kind": kind,
        "object": {
            "api_version": "admissionregistration.k8s.io/v1",
            "kind": f"{kind.title()}WebhookConfiguration",
            "name": name,
            "uid": name,
            "resource_version": "1",
            "generation": 1,
            "created": CREATED,
            "labels": {},
            "annotations": {},
            "managers": [],
            "owners": [],
        },
        "webhook": "injector.bench.io" if number % 10 == 0 else f"{name}.bench.example.com",
        "index": 0,
        "client": {"service": {"namespace": namespace, "name": name, "port": 443, "path": "/"}, "url": None},
        "server_name": f"{name}.{namespace}.svc",
        "ca_bundle": "",
        "ca_bundle_error": None,
        "insecure_skip_tls_verify": False,
        "failure_policy": dice.choices(["Fail", "Ignore"], weights=[80, 20])[0],
        "timeout_seconds": dice.choice([2, 5, 10, 10, 10, 30]),
        "side_effects": "None",
        "match_policy": "Equivalent",
        "reinvocation_policy": dice.choice(["Never", "IfNeeded"]) if kind == "mutating" else None,
        "review_versions": ["v1"],
        "rules": [{"operations": operations, "api_groups": groups, "api_versions": ["*"], "resources": resources, "scope": "*"}],
        "namespace_selector": selector,
        "object_selector": labelled if dice.random() < 0.3 else None,
        "match_conditions": [{"name": "x", "expression": dice.choice(CONDITIONS)}] if dice.random() < 0.1 else [],
        "conversion": None,
        "apiservice": None,
        "backend": f"service/{namespace}/{name}:443",
    }


def _not_in(dice: random.Random) -> dict[str, Any]:
    return {"key": "cost", "operator": "NotIn", "values": [str(dice.randrange(300)) for dummy in range(5)]}


def _backend(callout: dict[str, Any]) -> dict[str, Any]:
    wanted = callout["client"]["service"]
    namespace, name = wanted["namespace"], wanted["name"]
    pod = {"namespace": namespace, "name": f"{name}-1", "labels": {"app": name}, "phase": "Running", "ready": True, "terminating": False, "node": "node-1"}
    port = {"name": None, "port": 443, "target_port": 8443}
    return {
        "id": callout["backend"],
        "kind": "service",
        "url": None,
        "service": {
            "namespace": namespace,
            "name": name,
            "found": True,
            "type": "ClusterIP",
            "headless": False,
            "cluster_ips": ["10.96.0.1"],
            "external_name": None,
            "selector": {"app": name},
            "ports": [{**port, "protocol": "TCP"}],
        },
        "port": port,
        "endpoints": [
            {"address": f"10.0.0.{last}", "family": "IPv4", "port": 8443, "ready": True, "serving": True, "terminating": False, "node": "node-1", "pod": None}
            for last in (1, 2)
        ],
        "pods": [{**pod, "ip": "10.0.0.1", "host_network": False, "owner": {"kind": "ReplicaSet", "name": name}, "containers": []}],
    }


def of_the_families(observed: dict[str, Any]) -> int:
    """The rules about interception, injection and time-outs alone; how many findings they yield."""
    cluster = Cluster.of(observed)
    found = [finding for family in FAMILIES for rule in family.CASE_RULES for case in cluster.cases for finding in rule(case)]
    return len([*found, *(finding for family in FAMILIES for rule in family.CLUSTER_RULES for finding in rule(cluster))])


def seconds(work: Callable[[], object]) -> float:
    taken = []
    for dummy in range(RUNS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)  # of CPU: what else runs on the machine only ever adds


def measure(folder: Path) -> dict[str, Any]:
    """1,000 entries and 5,000 namespaces, and half of both, in seconds of CPU. Goal: at most 5 s for these rules, about twice as long for twice the objects.

    folder: not used; what makes the lab's cases and this one alike.
    """
    rows = []
    for share in (2, 1):
        observed = facts(WEBHOOKS // share, NAMESPACES // share)
        rows.append(
            {
                "webhooks": WEBHOOKS // share,
                "namespaces": NAMESPACES // share,
                "findings": of_the_families(observed),
                "rules_s": seconds(lambda observed=observed: of_the_families(observed)),
                "diagnose_s": seconds(lambda observed=observed: diagnose(observed)),
            }
        )
    half, whole = rows
    return {
        "goal": "rules_s <= 5; twice the objects, about twice the time",
        "rules_s": whole["rules_s"],
        "diagnose_s": whole["diagnose_s"],
        "growth_of_rules": whole["rules_s"] / half["rules_s"],
        "growth_of_diagnose": whole["diagnose_s"] / half["diagnose_s"],
        "rows": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", action="store_true", help="profile diagnose() instead")
    if not parser.parse_args().profile:
        print(json.dumps(measure(Path()), indent=2))
        return
    observed = facts(WEBHOOKS, NAMESPACES)
    profiler = cProfile.Profile()
    profiler.runcall(diagnose, observed)
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
