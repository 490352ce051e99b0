# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster with Istio in a few words: Kubernetes objects as Istio's charts make them, taken in by the observer as if they had been read.

A world works, with what a table's `given` says about it:

    istiods      {<revision>: ready (default) | unready | {account, version, replicas: 0}}; default {default: ready}. Each has a Deployment, a Service and a pod
    services     further Services of istio-system: [istiod-old]        missing  [those that are not there]
    injectors    {<configuration>: {revision, tag, asks: what namespaces say (default: the tag, else the revision), service: <namespace>/<name>, url, ca: false,
                 deactivated: true, auto: true (all namespaces), label: istio.io/rev if it is another, null for none, minutes: its age, manager}};
                 default one for each istiod
    validators   {<configuration>: {revision, policy, ca, label, minutes, service, manager}}; default istiod-default-validator of the first istiod
    namespaces   {<name>: labels}, beside istio-system and kube-system
    pods         ["<namespace>/<deployment> sidecar|native|bare [<label>=<value>] [host-network] [annotated-false] [done] [unready] [young]
                 [asks=<address>] [of=<kind>]", ...]
    config_maps  {<name>: the text of mesh, or {config: ...}} of istio-system
    roles        {<ClusterRole name>: full | <resource that is not granted>}      bindings {<name>: <namespace>/<account>}
    events       [{says, about: <namespace>/<name>, kind, container, minutes_ago}]
    apiserver    {<configuration>: what follows "failed to call webhook:"}; the others are called without trouble
    unread       what could not be read, in the words of coverage
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.facts import facts_of
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.istio import Istio
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._classify import classify
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.probe_plan import plan_probes
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import AT, iso

Object = dict[str, Any]
HOME = "istio-system"
CA = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").decode()
NEEDED = {
    "mutatingwebhookconfigurations": ("admissionregistration.k8s.io", ["get", "list", "watch", "update", "patch"]),
    "validatingwebhookconfigurations": ("admissionregistration.k8s.io", ["get", "list", "watch", "update"]),
    "virtualservices": ("networking.istio.io", ["get", "watch", "list"]),
}


def observe(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """(facts, probes, verdicts) of a world."""
    observer, inventory = Istio(), Inventory()
    inventory.observers.append(observer)
    list(observer.first())
    for what in given.get("unread", ()):
        inventory.coverage.add(what, "forbidden", "no right")
    for scope in inventory.looked.values():
        scope.everywhere = True
    for obj in objects(given):
        inventory.add(obj)
    list(observer.then(inventory))
    source = {"kind": "api", "cluster": "test", "server": None, "observed_at": iso(AT), "paths": [], "access": {}}
    facts = facts_of(inventory, source, {"git_version": "v1.36.3", "major": 1, "minor": 36}, [])
    specs = plan_probes(facts)
    answers = given.get("apiserver") or {}
    probes = [_answer(spec, answers) for spec in specs if spec["vantage"] == "apiserver" and spec["callouts"]]
    return facts, probes, []


def objects(given: Mapping[str, Any]) -> Iterator[Object]:
    istiods: Mapping[str, Any] = given.get("istiods", {"default": "ready"})
    missing = given.get("missing", ())
    namespaces = {HOME: {}, "kube-system": {}, **given.get("namespaces", {})}
    for name, labels in namespaces.items():
        yield obj("v1", "Namespace", name, labels={"kubernetes.io/metadata.name": name, **(labels or {})})
    for number, (revision, state) in enumerate(istiods.items(), 1):
        yield from _istiod(revision, state, number, missing)
    for name in given.get("services", ()):
        yield _service(name, "old")
    injectors = given.get("injectors", {f"istio-sidecar-injector{suffix(revision)}": {"revision": revision} for revision in istiods})
    for name, told in injectors.items():
        yield injector(name, told or {})
    first = next(iter(istiods), "default")
    for name, told in given.get("validators", {"istiod-default-validator": {"revision": first}}).items():
        yield _validator(name, told or {})
    for number, words in enumerate(given.get("pods", ())):
        yield _pod(words.split(), number)
    for name, content in given.get("config_maps", {}).items():
        yield obj("v1", "ConfigMap", name, HOME, data=content if isinstance(content, dict) else {"mesh": content})
    for name, granted in given.get("roles", {}).items():
        rules = [{"apiGroups": [group], "resources": [resource], "verbs": verbs} for resource, (group, verbs) in NEEDED.items() if resource != granted]
        yield obj("rbac.authorization.k8s.io/v1", "ClusterRole", name, rules=rules)
    for name, account in given.get("bindings", {}).items():
        namespace, account_name = account.split("/")
        subject = {"kind": "ServiceAccount", "namespace": namespace, "name": account_name}
        yield obj("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", name, roleRef={"kind": "ClusterRole", "name": name}, subjects=[subject])
    for number, told in enumerate(given.get("events", ())):
        yield _event(told, number)


def suffix(revision: str) -> str:
    return "" if revision == "default" else f"-{revision}"


def obj(
    api_version: str, kind: str, name: str, namespace: str | None = None, labels: Mapping[str, str] | None = None, minutes: int = 600, **rest: Any
) -> Object:
    metadata: Object = {"name": name, "labels": dict(labels or {}), "creationTimestamp": iso(AT - timedelta(minutes=minutes))}
    return {"apiVersion": api_version, "kind": kind, "metadata": {**metadata, **({"namespace": namespace} if namespace else {})}, **rest}


def _service(name: str, revision: str) -> Object:
    ports = [{"name": "https-dns", "port": 15012}, {"name": "https-webhook", "port": 443, "targetPort": 15017}]
    labels = {"app": "istiod", "istio.io/rev": revision}
    spec = {"type": "ClusterIP", "clusterIPs": ["10.96.0.9"], "selector": {"app": "istiod", "istio.io/rev": revision}, "ports": ports}
    return obj("v1", "Service", name, HOME, labels, spec=spec)


def _istiod(revision: str, state: Any, number: int, missing: Any) -> Iterator[Object]:
    told = state if isinstance(state, dict) else {}
    name, ready = f"istiod{suffix(revision)}", state != "unready" and told.get("replicas") != 0
    labels = {"app": "istiod", "istio.io/rev": revision}
    containers = [{"name": "discovery", "image": f"docker.io/istio/pilot:{told.get('version', '1.30.3')}", "ports": [{"containerPort": 15017}]}]
    template = {"spec": {"serviceAccountName": told.get("account", name), "containers": containers}}
    status = {"readyReplicas": 2} if ready else {}
    yield obj("apps/v1", "Deployment", name, HOME, labels, spec={"replicas": told.get("replicas", 2), "template": template}, status=status)
    if name in missing:
        return
    yield _service(name, revision)
    endpoints = [
        {
            "addresses": [f"10.1.{number}.{index}"],
            "conditions": {"ready": ready, "serving": ready, "terminating": False},
            "targetRef": {"kind": "Pod", "namespace": HOME, "name": f"{name}-{index}"},
        }
        for index in (1, 2)
    ]
    own = {"kubernetes.io/service-name": name}
    ports = [{"name": "https-webhook", "port": 15017}]
    yield obj("discovery.k8s.io/v1", "EndpointSlice", f"{name}-1", HOME, own, addressType="IPv4", endpoints=endpoints, ports=ports)
    for index in (1, 2):
        pod = {"containers": containers}
        conditions = {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]}
        yield obj("v1", "Pod", f"{name}-{index}", HOME, {**labels, "sidecar.istio.io/inject": "false"}, spec=pod, status=conditions)


def injector(name: str, told: Mapping[str, Any]) -> Object:
    """As the templates mutatingwebhook.yaml and revision-tags-mwc.yaml make it."""
    revision = told.get("revision", "default")
    asked = told.get("asks", told.get("tag", revision))

    def entry(prefix: str, namespaces: list[Any], pods: list[Any]) -> Object:
        off = {"matchLabels": {"istio.io/deactivated": "never-match"}}
        return {
            "name": f"{prefix}.sidecar-injector.istio.io",
            "clientConfig": _client(told, revision, "/inject"),
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "namespaceSelector": off if told.get("deactivated") else {"matchExpressions": [_expression(*one) for one in namespaces]},
            "objectSelector": off if told.get("deactivated") else {"matchExpressions": [_expression(*one) for one in pods]},
        }

    unlabelled = [("istio.io/rev", "DoesNotExist"), ("istio-injection", "DoesNotExist")]
    not_disabled = ("sidecar.istio.io/inject", "NotIn", "false")
    entries = [
        entry("rev.namespace", [("istio.io/rev", "In", asked), ("istio-injection", "DoesNotExist")], [not_disabled]),
        entry("rev.object", unlabelled, [not_disabled, ("istio.io/rev", "In", asked)]),
    ]
    if asked == "default":
        entries += [
            entry("namespace", [("istio-injection", "In", "enabled")], [not_disabled]),
            entry("object", unlabelled, [("sidecar.istio.io/inject", "In", "true"), ("istio.io/rev", "DoesNotExist")]),
        ]
    if told.get("auto"):
        system = ("kubernetes.io/metadata.name", "NotIn", "kube-system", "kube-public", "kube-node-lease", "local-path-storage")
        entries.append(entry("auto", [*unlabelled, system], [("sidecar.istio.io/inject", "DoesNotExist"), ("istio.io/rev", "DoesNotExist")]))
    return _configuration("MutatingWebhookConfiguration", name, told, revision, entries)


def _expression(key: str, operator: str, *values: str) -> Object:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


def _validator(name: str, told: Mapping[str, Any]) -> Object:
    revision = told.get("revision", "default")
    groups = ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"]
    entry = {
        "name": "validation.istio.io" if name == "istiod-default-validator" else "rev.validation.istio.io",
        "clientConfig": _client(told, revision, "/validate"),
        "rules": [{"operations": ["CREATE", "UPDATE"], "apiGroups": groups, "apiVersions": ["*"], "resources": ["*"]}],
        "failurePolicy": told.get("policy", "Fail"),
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    return _configuration("ValidatingWebhookConfiguration", name, told, revision, [entry])


def _client(told: Mapping[str, Any], revision: str, path: str) -> Object:
    bundle = {"caBundle": CA} if told.get("ca", not told.get("url")) else {}
    if told.get("url"):
        return {"url": told["url"], **bundle}
    namespace, name = told.get("service", f"{HOME}/istiod{suffix(revision)}").split("/")
    return {"service": {"namespace": namespace, "name": name, "path": path, "port": 443}, **bundle}


def _configuration(kind: str, name: str, told: Mapping[str, Any], revision: str, entries: list[Object]) -> Object:
    label = told.get("label", revision)
    labels = {**({"istio.io/rev": label} if label else {}), **({"istio.io/tag": told["tag"]} if "tag" in told else {})}
    made = obj("admissionregistration.k8s.io/v1", kind, name, labels=labels, minutes=told.get("minutes", 600), webhooks=entries)
    if "manager" in told:
        made["metadata"]["managedFields"] = [{"manager": told["manager"]}]
    return made


def _pod(words: list[str], number: int) -> Object:
    place, *more = words
    namespace, deployment = place.split("/")
    told = {word.partition("=")[0]: word.partition("=")[2] for word in more}
    proxy: Object = {
        "name": "istio-proxy",
        "env": [{"name": "PROXY_CONFIG", "value": f'{{"discoveryAddress":"{told["asks"]}","x":"y"}}' if "asks" in told else "{}"}],
    }
    main = {"name": "main", "image": "x"}
    kind = told.get("of", "ReplicaSet")
    labels = {"app": deployment, **({"pod-template-hash": "5d8f"} if kind == "ReplicaSet" else {})}
    labels.update({key: value for key, value in told.items() if "istio" in key})
    owner = {"kind": kind, "name": f"{deployment}-5d8f" if kind == "ReplicaSet" else deployment, "controller": True}
    spec: Object = {"containers": [main, *([proxy] if "sidecar" in told else [])], "hostNetwork": "host-network" in told}
    if "native" in told:
        spec["initContainers"] = [{**proxy, "restartPolicy": "Always"}]
    started = iso(AT - timedelta(seconds=30 if "young" in told else 3600))
    state = {"name": "istio-proxy", "ready": "unready" not in told, "state": {"running": {"startedAt": started}}}
    status = {"phase": "Succeeded" if "done" in told else "Running", "initContainerStatuses" if "native" in told else "containerStatuses": [state]}
    made = obj("v1", "Pod", f"{deployment}-5d8f-{number}", namespace, labels, spec=spec, status=status)
    if kind != "Pod":
        made["metadata"]["ownerReferences"] = [owner]
    if "annotated-false" in told:
        made["metadata"]["annotations"] = {"sidecar.istio.io/inject": "false"}
    return made


def _event(told: Mapping[str, Any], number: int) -> Object:
    namespace, name = told.get("about", f"{HOME}/istiod").split("/")
    last = iso(AT - timedelta(minutes=told.get("minutes_ago", 1)))
    subject = {"kind": told.get("kind", "Pod"), "namespace": namespace, "name": name}
    if "container" in told:
        subject["fieldPath"] = f"spec.containers{{{told['container']}}}"
    content = {"type": "Warning", "message": told["says"], "involvedObject": subject, "count": 7, "firstTimestamp": last, "lastTimestamp": last}
    return obj("v1", "Event", f"event-{number}", namespace, source={"component": told.get("from", "kubelet")}, **content)


def _answer(spec: Mapping[str, Any], answers: Mapping[str, str]) -> dict[str, Any]:
    callout = spec["callouts"][0].split("/")
    says = answers.get(callout[1])
    text = f'Internal error occurred: failed calling webhook "{callout[2]}": failed to call webhook: {says}' if says else None
    said = classify(text or "")
    return {
        "name": spec["name"],
        "vantage": "apiserver",
        "callouts": spec["callouts"],
        "instance": spec.get("instance"),
        "ok": text is None,
        "phase": said["phase"] if text else "review",
        "cause": said["cause"] if text else None,
        "error": text,
        "provable": True,
        "reason": None,
        "request": {"verb": "create", "resource": "pods", "namespace": "shop", "name": "probe", "dry_run": True},
        "hidden_by": None,
        "elapsed_ms": {"resolve": None, "connect": None, "tls": None, "http": None, "total": 20.0},
        "peer": {"address": None},
        "tls": None,
        "http": None if text else {"status": 200, "body": ""},
        "attempts": 1,
    }
