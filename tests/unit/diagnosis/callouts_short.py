# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Call-outs and facts in the shapes of docs/architecture.md, from the short form that the tables of this folder use.

Short form of an admission call-out: {kind, failure_policy, timeout, reinvocation, url: true, rules: [[operations, groups, resources, scope]],
namespace_selector and object_selector: [[key, operator, values...]], match_conditions: [[name, expression]]}; what is not said has the API's default.
"""

from __future__ import annotations

from typing import Any

BACKEND = "service/hooks/hook:443"
NAMESPACES = {"hooks": {"team": "platform"}, "kube-system": {}, "kube-node-lease": {}, "default": {}, "shop": {}, "web": {}}


def a_selector(expressions: list[list[str]] | None) -> dict[str, Any] | None:
    if expressions is None:
        return None
    return {"match_labels": {}, "match_expressions": [{"key": key, "operator": operator, "values": values} for key, operator, *values in expressions]}


def a_callout(name: str = "hook", short: dict[str, Any] | None = None) -> dict[str, Any]:
    short = dict(short or {})
    kind = short.pop("kind", "validating")
    rules = short.pop("rules", [[["CREATE"], [""], ["pods"]]])
    service = {"namespace": "hooks", "name": "hook", "port": 443, "path": "/"}
    url = short.pop("url", False)
    callout = {
        **_of(f"{kind}/{name}/{name}.example.com", f"{kind.capitalize()}WebhookConfiguration", name),
        "kind": kind,
        "webhook": f"{name}.example.com",
        "client": {"service": None, "url": "https://hook.example.com/"} if url else {"service": service, "url": None},
        "failure_policy": short.pop("failure_policy", "Fail"),
        "timeout_seconds": short.pop("timeout", 10),
        "match_policy": "Equivalent",
        "reinvocation_policy": short.pop("reinvocation", "Never") if kind == "mutating" else None,
        "rules": [
            {"operations": operations, "api_groups": groups, "api_versions": ["*"], "resources": resources, "scope": scope[0] if scope else "*"}
            for operations, groups, resources, *scope in rules
        ],
        "namespace_selector": a_selector(short.pop("namespace_selector", None)),
        "object_selector": a_selector(short.pop("object_selector", None)),
        "match_conditions": [{"name": name, "expression": expression} for name, expression in short.pop("match_conditions", [])],
        "backend": "url/https://hook.example.com:443" if url else BACKEND,
    }
    assert not short, f"unknown in the short form: {sorted(short)}"
    return callout


def a_conversion(short: dict[str, Any]) -> dict[str, Any]:
    versions = [{"name": name, "served": "served" in marks, "storage": "storage" in marks} for name, *marks in short["versions"]]
    conversion = {"group": "example.com", "kind": "Foo", "plural": "foos", "scope": short.get("scope", "Namespaced"), "versions": versions}
    return {
        **_of("conversion/foos.example.com", "CustomResourceDefinition", "foos.example.com"),
        "kind": "conversion",
        "timeout_seconds": 30,
        "conversion": {**conversion, "stored_versions": short["stored"]},
    }


def an_apiservice(name: str) -> dict[str, Any]:
    version, _dot, group = name.partition(".")
    return {
        **_of(f"apiservice/{name}", "APIService", name),
        "kind": "apiservice",
        "timeout_seconds": 5,
        "apiservice": {"group": group, "version": version, "available": None},
    }


def _of(identity: str, kind: str, name: str) -> dict[str, Any]:
    owner = {"api_version": "v1", "kind": kind, "name": name, "uid": "u", "resource_version": "1", "generation": 1, "created": "2026-01-01T00:00:00Z"}
    return {
        "id": identity,
        "object": {**owner, "labels": {}, "annotations": {}, "managers": [], "owners": []},
        "webhook": None,
        "index": 0,
        "client": {"service": {"namespace": "hooks", "name": "hook", "port": 443, "path": "/"}, "url": None},
        "server_name": "hook.hooks.svc",
        "ca_bundle": "",
        "ca_bundle_error": None,
        "insecure_skip_tls_verify": False,
        "failure_policy": None,
        "timeout_seconds": 10,
        "side_effects": "None",
        "match_policy": None,
        "reinvocation_policy": None,
        "review_versions": ["v1"],
        "rules": [],
        "namespace_selector": None,
        "object_selector": None,
        "match_conditions": [],
        "conversion": None,
        "apiservice": None,
        "backend": BACKEND,
    }


def some_namespaces(labels: dict[str, dict[str, str]] | None) -> list[dict[str, Any]]:
    return [{"name": name, "labels": {"kubernetes.io/metadata.name": name, **more}} for name, more in (labels or {}).items()]


def some_facts(callouts: list[dict[str, Any]], namespaces: dict[str, dict[str, str]] | None, pods: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """namespaces: labels by name, None if they could not be read. pods: None for one ready pod labelled app=hook."""
    owner = {"kind": "ReplicaSet", "name": "hook-1"}
    pod = {
        "namespace": "hooks",
        "name": "hook-1-a",
        "labels": {"app": "hook"},
        "phase": "Running",
        "ready": True,
        "terminating": False,
        "node": "n1",
        "ip": "10.0.0.1",
        "host_network": False,
        "owner": owner,
        "containers": [],
    }
    endpoint = {"address": "10.0.0.1", "family": "IPv4", "port": 8443, "ready": True, "serving": True, "terminating": False, "node": "n1"}
    service = {
        "namespace": "hooks",
        "name": "hook",
        "found": True,
        "type": "ClusterIP",
        "headless": False,
        "cluster_ips": ["10.96.0.7"],
        "external_name": None,
        "selector": {"app": "hook"},
        "ports": [{"name": None, "port": 443, "target_port": 8443, "protocol": "TCP"}],
    }
    port = {"name": None, "port": 443, "target_port": 8443}
    backends = [
        {
            "id": BACKEND,
            "kind": "service",
            "url": None,
            "service": service,
            "port": port,
            "endpoints": [{**endpoint, "pod": "hooks/hook-1-a"}] if pods is None else [],
            "pods": [pod] if pods is None else pods,
        },
        {
            "id": "url/https://hook.example.com:443",
            "kind": "url",
            "url": {"scheme": "https", "host": "hook.example.com", "port": 443},
            "service": None,
            "port": None,
            "endpoints": None,
            "pods": None,
        },
    ]
    return {
        "source": {"kind": "api", "cluster": "c", "server": None, "observed_at": "2026-11-20T18:00:00Z", "paths": [], "access": {}},
        "version": {"git_version": "v1.36.3", "major": 1, "minor": 36},
        "platform": None,
        "callouts": callouts,
        "backends": backends,
        "namespaces": some_namespaces(namespaces),
        "control_plane": {"routing": "endpoint", "routing_because": None, "instances": []},
        "evidence": [],
        "apps": {},
        "coverage": [{"what": "namespaces", "reason": "forbidden", "message": "", "consequence": ""}] if namespaces is None else [],
    }


def a_ca_source(callout: str, namespace: str = "hooks", kind: str = "Secret", via: str | None = None) -> dict[str, Any]:
    """Where the caBundle of a call-out is meant to come from, not read."""
    found = {"id": f"{kind}/{namespace}/hook-ca:ca.crt", "kind": kind, "namespace": namespace, "name": "hook-ca", "key": "ca.crt", "claimed_by": "annotation x"}
    return {**found, "via": via, "binding": True, "callouts": [callout], "state": "not_asked", "message": None, "certificates": []}


def a_refusal(callouts: list[dict[str, Any]], cause: str = "connection_refused") -> dict[str, Any]:
    """What the apiserver vantage returns for a webhook that nothing answers for, or that fails for another cause."""
    if cause != "connection_refused":
        return {**a_refusal(callouts), "cause": cause, "phase": "tls", "error": f"x509: {cause}"}
    return {
        "name": "apiserver x",
        "vantage": "apiserver",
        "callouts": [callout["id"] for callout in callouts],
        "instance": None,
        "ok": False,
        "phase": "connect",
        "cause": "connection_refused",
        "provable": True,
        "reason": None,
        "request": None,
        "hidden_by": None,
        "error": 'failed calling webhook "hook.example.com": failed to call webhook: Post "https://hook.hooks.svc:443/?timeout=10s": '
        "dial tcp 10.0.0.1:8443: connect: connection refused",
        "elapsed_ms": {"total": 5},
        "peer": {"address": None},
        "tls": None,
        "http": None,
        "attempts": 1,
    }


def a_backend(name: str, labels: dict[str, str] | None = None, pods: int = 1) -> dict[str, Any]:
    """A Service in a namespace of the same name, with so many ready pods."""
    facts = some_facts([], None)
    backend = facts["backends"][0]
    made = [
        {**backend["pods"][0], "namespace": name, "name": f"{name}-{number}", "labels": labels or {"app": name}, "owner": {"kind": "ReplicaSet", "name": name}}
        for number in range(pods)
    ]
    service = {**backend["service"], "namespace": name, "name": name, "selector": {"app": name}}
    return {**backend, "id": f"service/{name}/{name}:443", "service": service, "endpoints": backend["endpoints"] if made else [], "pods": made}


def several(webhooks: dict[str, dict[str, Any]], namespaces: dict[str, dict[str, str]] | None, pods: dict[str, dict[str, str]] | None = None) -> dict[str, Any]:
    """Facts with webhooks that each have a back end of their own, by `of` of the short form, default the webhook's name; its namespace is there.

    A webhook `a/b` is the entry b of configuration a. pods: labels of the back ends' pods; null where a back end has no pod.
    """
    callouts = []
    for name, short in webhooks.items():
        configuration, _slash, entry = name.partition("/")
        rest = {key: value for key, value in short.items() if key != "of"}
        callout = a_callout(configuration, rest)
        of = short.get("of", configuration)
        if entry:
            callout = {**callout, "id": f"{callout['kind']}/{configuration}/{entry}", "webhook": entry, "index": len(callouts)}
        client = {"service": {"namespace": of, "name": of, "port": 443, "path": "/"}, "url": None}
        callouts.append({**callout, "client": client, "backend": f"service/{of}/{of}:443"})
    names = sorted({callout["backend"].split("/")[1] for callout in callouts})
    there = None if namespaces is None else {**NAMESPACES, **{name: {} for name in names}, **namespaces}
    facts = some_facts(callouts, there)
    facts["backends"] = [a_backend(name, (pods or {}).get(name), 0 if pods and pods.get(name, "") is None else 1) for name in names]
    return facts
