# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells how Istio (Cloud Service Mesh, the add-on of AKS) injects sidecars, and whether they get configured. Pure. PRIVATE to the collection.

The injectors and validators themselves are call-outs and stand there, with their labels. Here is what explains them: istiod's Deployments and Services, the
address that proxies are told to ask, pods that have a sidecar or have none, what the kubelet says of proxies that are not ready.
Sources: istio/istio manifests/charts/istio-control/istio-discovery, pkg/kube/inject, pilot/cmd/pilot-agent/status.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.events import count_of, last_seen, message_of, subject_of
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.istio_names import (
    IGNORED_NAMESPACES,
    INJECTOR,
    REVISION,
    TAG,
    VALIDATOR,
    cluster_role,
    suffix,
)
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Listing, Named, Wanted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.istio_pods import Pod, Workloads
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import (
    bounded,
    integer,
    labels,
    mapping,
    mappings,
    name_of,
    namespace_of,
    text,
    texts,
)
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import selector_matches

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory

MANAGED_GROUP = "mesh.cloud.google.com"
# Pods of so many namespaces are asked for one by one; beyond that one LIST of all is cheaper for both sides.
_MOST_NAMESPACES = 20
_MOST_PODS = 5_000
_MOST_SAID = 200
_LONGEST = 600
_NOT_FINISHED = "status.phase!=Succeeded,status.phase!=Failed"
_DISCOVERY = re.compile(r"[\"']?discoveryAddress[\"']?\s*:\s*[\"']?([\w.:\[\]-]{1,300})")
_POLICY = re.compile(r"(?m)^policy:\s*(\w{1,20})")
_NEVER = re.compile(r"(?m)^neverInjectSelector:\s*(?!\[\s*\]|null\b|~|\w+:)\S")
_ISTIOD = re.compile(r"is forbidden: User \"?system:serviceaccount:[\w.-]{1,63}:istiod[\w.-]{0,253}\"? cannot ")


class Istio(Observer):
    """`apps.istio` of the facts."""

    path = ("apps", "istio")
    kinds = frozenset(
        (
            ("apps", "Deployment"),
            ("", "Service"),
            ("", "ConfigMap"),
            ("", "Pod"),
            ("", "Event"),
            ("events.k8s.io", "Event"),
            ("rbac.authorization.k8s.io", "ClusterRole"),
            ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
            (MANAGED_GROUP, "ControlPlaneRevision"),
        )
    )

    def __init__(self) -> None:
        self._deployments: dict[tuple[str, str], dict[str, Any]] = {}
        self._services: dict[tuple[str, str], dict[str, Any]] = {}
        self._meshes: dict[tuple[str, str], dict[str, Any]] = {}
        self._injection: dict[tuple[str, str], dict[str, Any]] = {}
        self._roles: dict[tuple[str, str], dict[str, Any]] = {}
        self._managed: dict[tuple[str, str], dict[str, Any]] = {}
        self._said: dict[tuple[str, str], dict[str, Any]] = {}
        self._of_proxies: dict[tuple[str, str], dict[str, Any]] = {}
        self._workloads = Workloads()
        self._any_deployment = False  # a dump that holds any holds all, as far as anybody can tell
        self._asked = False  # by LISTs; a dump is not asked
        self._asked_roles: list[tuple[str, str]] = []
        self._asked_services: set[str] = set()

    # ---- what is to be read

    def first(self) -> Iterable[Wanted]:
        self._asked = True
        yield Listing("istiod deployments", "/apis/apps/v1/deployments", "apps/v1", "Deployment", {"labelSelector": "app=istiod"})

    def then(self, inventory: Inventory) -> Iterable[Wanted]:
        callouts = [callout for callout in inventory.callouts.values() if _is_mesh(callout)]
        homes = {service["namespace"] for callout in callouts if (service := callout["client"]["service"])} | {key[0] for key in self._deployments}
        for namespace in sorted(homes):
            if namespace in inventory.namespaces:
                self._asked_services.add(namespace)
                yield Listing(f"services of {namespace}", f"/api/v1/namespaces/{namespace}/services", "v1", "Service")
        yield from self._config_maps(callouts)
        yield from self._pods(inventory, callouts)
        yield from self._permissions(callouts)
        if MANAGED_GROUP in (inventory.api_groups or ()):
            path = f"/apis/{MANAGED_GROUP}/v1beta1/controlplanerevisions"
            yield Listing("controlplanerevisions", path, f"{MANAGED_GROUP}/v1beta1", "ControlPlaneRevision", optional=True)

    def _config_maps(self, callouts: list[dict[str, Any]]) -> Iterator[Wanted]:
        """Of every istiod its mesh configuration, and how it decides about injection."""
        places = set(self._revisions())
        for callout in callouts:
            service = callout["client"]["service"]
            if service and callout["kind"] == "mutating" and REVISION in callout["object"]["labels"]:
                places.add((service["namespace"], callout["object"]["labels"][REVISION]))
        for namespace, revision in sorted(places):
            for name in (f"istio{suffix(revision)}", f"istio-sidecar-injector{suffix(revision)}"):
                yield Named(f"configmap {namespace}/{name}", f"/api/v1/namespaces/{namespace}/configmaps/{name}", "v1", "ConfigMap")

    def _revisions(self) -> Iterator[tuple[str, str]]:
        for (namespace, _name), deployment in sorted(self._deployments.items()):
            yield namespace, deployment["revision"] or "default"

    def _pods(self, inventory: Inventory, callouts: list[dict[str, Any]]) -> Iterator[Wanted]:
        """The pods of the namespaces where a pod without labels is injected, and those elsewhere that ask for it themselves."""
        injectors = [callout for callout in callouts if callout["kind"] == "mutating"]
        if not injectors:
            return
        wanted = sorted(name for name, own in inventory.namespaces.items() if name not in IGNORED_NAMESPACES and _injects_all(injectors, own))
        if len(wanted) > _MOST_NAMESPACES:
            yield Listing("mesh pods", "/api/v1/pods", "v1", "Pod", {"fieldSelector": _NOT_FINISHED}, most=_MOST_PODS)
            return
        for namespace in wanted:
            yield Listing("mesh pods", f"/api/v1/namespaces/{namespace}/pods", "v1", "Pod", {"fieldSelector": _NOT_FINISHED}, most=_MOST_PODS)
        for selector in ("sidecar.istio.io/inject=true", REVISION):
            yield Listing("mesh pods", "/api/v1/pods", "v1", "Pod", {"labelSelector": selector, "fieldSelector": _NOT_FINISHED}, most=_MOST_PODS)

    def _permissions(self, callouts: list[dict[str, Any]]) -> Iterator[Wanted]:
        """istiod's own rights, where it has not done what it needs them for."""
        undone = [
            callout
            for callout in callouts
            if callout["client"]["service"]
            and (not callout["ca_bundle"].strip() or (callout["kind"] == "validating" and callout["failure_policy"] == "Ignore"))
        ]
        if not undone:
            return
        for namespace, revision in sorted(set(self._revisions())):
            name = cluster_role(revision, namespace)
            for kind, plural in (("ClusterRole", "clusterroles"), ("ClusterRoleBinding", "clusterrolebindings")):
                self._asked_roles.append((kind, name))
                path = f"/apis/rbac.authorization.k8s.io/v1/{plural}/{name}"
                yield Named(f"{kind.lower()} {name}", path, "rbac.authorization.k8s.io/v1", kind)

    # ---- what is kept

    def take(self, obj: dict[str, Any]) -> None:
        kind = obj["kind"]
        if kind == "Pod":
            self._workloads.add(Pod.of(obj, _discovery_address))
        elif kind == "Event":
            self._take_event(obj)
        elif kind == "Deployment":
            self._any_deployment = True
            own = labels(mapping(obj.get("metadata")).get("labels"))
            if own.get("app") == "istiod":
                self._deployments[(namespace_of(obj), name_of(obj))] = _deployment(obj, own)
            self._take_conditions(obj)
        elif kind == "Service":
            self._services[(namespace_of(obj), name_of(obj))] = _service(obj)
        elif kind == "ConfigMap":
            self._take_config_map(obj)
        elif kind == "ControlPlaneRevision":
            self._managed[(namespace_of(obj), name_of(obj))] = _control_plane_revision(obj)
        elif name_of(obj).startswith("istiod"):
            self._roles[(kind, name_of(obj))] = _role(obj)

    def _take_config_map(self, obj: dict[str, Any]) -> None:
        key, data = (namespace_of(obj), name_of(obj)), labels(obj.get("data"))
        if "mesh" in data and (key[1] == "istio" or key[1].startswith("istio-")):
            self._meshes[key] = {"namespace": key[0], "name": key[1], "discovery_address": _discovery_address(data["mesh"])}
        elif "config" in data and key[1].startswith("istio-sidecar-injector"):
            policy = _POLICY.search(data["config"])
            self._injection[key] = {
                "namespace": key[0],
                "name": key[1],
                "policy": policy[1] if policy else None,
                "never_inject": _NEVER.search(data["config"]) is not None,
            }

    def _take_event(self, event: dict[str, Any]) -> None:
        message, subject = message_of(event), subject_of(event)
        if message is None or event.get("type") == "Normal":
            return
        if _ISTIOD.search(message):
            self._remember(message, subject, last_seen(event))
        about_proxy = "istio-proxy" in (text(subject.get("fieldPath")) or "") or "Envoy proxy is NOT ready" in message
        name = text(subject.get("name"))
        if about_proxy and name and ("probe failed" in message or "NOT ready" in message):
            key, last = (text(subject.get("namespace")) or "default", name), last_seen(event)
            known = self._of_proxies.get(key)
            # What the proxy itself said tells more than the status of its probe.
            if known is None or ("updates:" in message, last or "") > ("updates:" in known["said"], known["last"] or ""):
                self._of_proxies[key] = {"said": bounded(message, _LONGEST), "count": count_of(event), "last": last}

    def _take_conditions(self, obj: dict[str, Any]) -> None:
        for condition in mappings(mapping(obj.get("status")).get("conditions")):
            message = text(condition.get("message"))
            if message and _ISTIOD.search(message):
                self._remember(message, {"kind": obj["kind"], **mapping(obj.get("metadata"))}, text(condition.get("lastTransitionTime")))

    def _remember(self, message: str, subject: dict[str, Any], last: str | None) -> None:
        """What the API server refused istiod; the same text about the same object once."""
        owner = {"kind": text(subject.get("kind")), "namespace": text(subject.get("namespace")), "name": text(subject.get("name"))}
        key = (message, str(owner["name"]))
        if key in self._said or len(self._said) < _MOST_SAID:
            self._said[key] = {"text": bounded(message, _LONGEST), "object": owner, "last": last}

    # ---- facts

    def facts(self, inventory: Inventory) -> dict[str, Any]:
        unread = {entry["what"] for entry in inventory.coverage.entries()}
        deployments_known = "istiod deployments" not in unread if self._asked else self._any_deployment
        injectors = [callout for callout in inventory.callouts.values() if callout["kind"] == "mutating" and _is_mesh(callout)]
        workloads, proxies, asked_of = self._workloads.facts(
            self._of_proxies, lambda pod: _may_inject(injectors, inventory.namespaces.get(pod.namespace), dict(pod.labels))
        )
        asked_of += [(mesh["discovery_address"], f"ConfigMap {key[0]}/{key[1]}") for key, mesh in sorted(self._meshes.items()) if mesh["discovery_address"]]
        return {
            "control_planes": [self._deployments[key] for key in sorted(self._deployments)] if deployments_known else None,
            "services": [self._services[key] for key in sorted(self._services) if self._services[key]["istiod"]],
            "injection": [self._injection[key] for key in sorted(self._injection)],
            "meshes": [self._meshes[key] for key in sorted(self._meshes)],
            "discovery": list(self._discovery(inventory, asked_of, unread)),
            "workloads": workloads,
            "proxies": proxies,
            "refused": sorted(self._said.values(), key=lambda item: (item["last"] or "", item["text"]), reverse=True),
            "roles": [self._role(key, unread) for key in sorted(set(self._asked_roles) | set(self._roles))],
            "managed": [self._managed[key] for key in sorted(self._managed)],
        }

    def _discovery(self, inventory: Inventory, asked_of: list[tuple[str, str]], unread: set[str]) -> Iterator[dict[str, Any]]:
        """The addresses that proxies are told to ask for their configuration, who is told so, and whether a Service is there."""
        told: dict[str, list[str]] = {}
        for address, who in asked_of:
            told.setdefault(address, []).append(who)
        for address in sorted(told):
            service = _service_of(address)
            found: bool | None = None
            if service:
                namespace, name, port = service
                known = self._services.get((namespace, name))
                if known:
                    found = port in known["ports"]
                elif self._looked_at(inventory, namespace, name, unread):
                    found = False
            yield {
                "address": address,
                "service": {"namespace": service[0], "name": service[1], "port": service[2]} if service else None,
                "exists": None if service is None else True if (service[0], service[1]) in self._services else False if found is False else None,
                "found": found,
                "told": len(told[address]),
                "examples": told[address][:5],
            }

    def _looked_at(self, inventory: Inventory, namespace: str, name: str, unread: set[str]) -> bool:
        """Whether a Service that was not met does not exist."""
        if inventory.looked["namespaces"].everywhere and namespace not in inventory.namespaces:
            return True
        if self._asked:
            return namespace in self._asked_services and f"services of {namespace}" not in unread
        return inventory.looked["services"].covers(namespace, name)

    def _role(self, key: tuple[str, str], unread: set[str]) -> dict[str, Any]:
        kind, name = key
        known = self._roles.get(key)
        found = True if known else None if f"{kind.lower()} {name}" in unread else False
        return {"kind": kind, "name": name, "found": found, **(known or {"rules": [], "role": None, "subjects": []})}


def _is_mesh(callout: dict[str, Any]) -> bool:
    return (callout["webhook"] or "").endswith((INJECTOR, VALIDATOR))


def _injects_all(injectors: list[dict[str, Any]], namespace: dict[str, str]) -> bool:
    """Whether some injector takes pods of a namespace with these labels that have no labels themselves."""
    return any(selector_matches(one["namespace_selector"], namespace) and selector_matches(one["object_selector"], {}) for one in injectors)


def _may_inject(injectors: list[dict[str, Any]], namespace: dict[str, str] | None, pod: dict[str, str]) -> bool:
    """Whether some injector may take a pod of such a namespace; of its labels only those that speak of Istio are known."""

    def may(one: dict[str, Any]) -> bool:
        keys = {item["key"] for item in (one["object_selector"] or {}).get("match_expressions", ())} | set(
            (one["object_selector"] or {}).get("match_labels", ())
        )
        known = all("istio" in key for key in keys)
        return selector_matches(one["namespace_selector"], namespace or {}) and (not known or selector_matches(one["object_selector"], pod))

    return namespace is None or any(may(one) for one in injectors)


def _deployment(obj: dict[str, Any], own: dict[str, str]) -> dict[str, Any]:
    metadata, spec, status = (mapping(obj.get(key)) for key in ("metadata", "spec", "status"))
    pod = mapping(mapping(spec.get("template")).get("spec"))
    image = next((text(one.get("image")) or "" for one in mappings(pod.get("containers")) if one.get("name") == "discovery"), "")
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    replicas = integer(spec.get("replicas"))
    return {
        "namespace": namespace_of(obj),
        "name": name_of(obj),
        "revision": own.get(REVISION),
        "version": tag or own.get("app.kubernetes.io/version"),
        "account": text(pod.get("serviceAccountName")) or "default",
        "replicas": 1 if replicas is None else replicas,
        "ready": integer(status.get("readyReplicas")) or 0,
        "created": text(metadata.get("creationTimestamp")),
    }


def _service(obj: dict[str, Any]) -> dict[str, Any]:
    own, name = labels(mapping(obj.get("metadata")).get("labels")), name_of(obj)
    spec = mapping(obj.get("spec"))
    return {
        "namespace": namespace_of(obj),
        "name": name,
        "istiod": own.get("app") == "istiod" or name == "istiod" or name.startswith("istiod-"),
        "revision": own.get(REVISION),
        "tag": own.get(TAG),
        "ports": [port for item in mappings(spec.get("ports")) if (port := integer(item.get("port")))],
    }


def _control_plane_revision(obj: dict[str, Any]) -> dict[str, Any]:
    conditions = mappings(mapping(obj.get("status")).get("conditions"))
    failed = next((one for one in conditions if one.get("status") == "False" and text(one.get("message"))), {})
    return {
        "namespace": namespace_of(obj),
        "name": name_of(obj),
        "channel": text(mapping(obj.get("spec")).get("channel")),
        "message": bounded(text(failed.get("message")) or "", _LONGEST) or None,
    }


def _role(obj: dict[str, Any]) -> dict[str, Any]:
    subjects = [item for item in mappings(obj.get("subjects")) if item.get("kind") == "ServiceAccount"]
    return {
        "rules": [
            {"groups": texts(rule.get("apiGroups")), "resources": texts(rule.get("resources")), "verbs": texts(rule.get("verbs"))}
            for rule in mappings(obj.get("rules"))
        ],
        "role": text(mapping(obj.get("roleRef")).get("name")),
        "subjects": [f"{text(item.get('namespace'))}/{text(item.get('name'))}" for item in subjects],
    }


def _discovery_address(config: str) -> str | None:
    """The one value of a proxy's configuration that is kept (YAML of the mesh or of the annotation, JSON of PROXY_CONFIG)."""
    found = _DISCOVERY.search(config)
    return found[1].rstrip(":") if found else None


def _service_of(address: str) -> tuple[str, str, int] | None:
    """(namespace, name, port) of `istiod.istio-system.svc:15012`, None for any other host."""
    host, _colon, port = address.rpartition(":")
    parts = host.split(".")
    return (parts[1], parts[0], int(port)) if port.isdigit() and len(port) < 6 and len(parts) >= 3 and parts[2] == "svc" else None
