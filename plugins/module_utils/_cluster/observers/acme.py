# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cert-manager's ACME: issuers and what their conditions say, orders, challenges, and by which way its pods go out. Pure. PRIVATE to the collection.

Challenge tokens and keys are secrets (whoever has them can answer for the domain while the challenge is open): none is kept, nor a message with one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.cert_manager_election import DEFAULT_NAMESPACE, LEASES
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Listing, Named, Wanted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import (
    bounded,
    condition_of,
    labels,
    mapping,
    mappings,
    name_of,
    namespace_of,
    owner_of,
    text,
    texts,
)
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._secrets import redacted

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory

GROUP, ACME_GROUP = "cert-manager.io", "acme.cert-manager.io"
_MOST_ISSUERS = 500
# Runaway clusters have tens of thousands of orders; so many are read, so many of those that are not done are kept.
_MOST_READ, _MOST_KEPT = 2000, 50
_LONGEST = 1000
# RFC 8555 7.1.6, and cert-manager's own "errored": an order or challenge that is over. Of these, only `valid` is good.
_OVER = frozenset(("valid", "ready", "expired"))
_PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
# Whom client-go calls inside of a pod, where something (AKS does) puts another name there than the Service's address.
_API_VARIABLES = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
_ARGUMENTS = frozenset(
    (
        "dns01-recursive-nameservers",
        "dns01-recursive-nameservers-only",
        "acme-http01-solver-nameservers",
        "cluster-resource-namespace",
        "leader-election-namespace",
    )
)
_LEASE = LEASES["controller"]
_COMPONENTS = {"cert-manager": "controller", "cainjector": "cainjector", "webhook": "webhook"}
# The token in a challenge's URL, the key that a self check expects, and a key authorization (two base64url words of 32 bytes) anywhere.
_SECRET = re.compile(r"(?<=/\.well-known/acme-challenge/)[\w-]+|(?<=expected response )\"[^\"]*\"|\b[\w-]{20,128}\.[\w-]{43}\b")


class Acme(Observer):
    """`apps.acme` of the facts."""

    path = ("apps", "acme")
    kinds = frozenset(
        (
            (GROUP, "Issuer"),
            (GROUP, "ClusterIssuer"),
            (ACME_GROUP, "Order"),
            (ACME_GROUP, "Challenge"),
            ("", "Pod"),
            ("", "Service"),
            ("config.openshift.io", "Proxy"),
            ("coordination.k8s.io", "Lease"),
        )
    )

    def __init__(self) -> None:
        self._issuers: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._orders: dict[tuple[str, str], dict[str, Any]] = {}
        self._challenges: dict[tuple[str, str], dict[str, Any]] = {}
        self._pods: dict[tuple[str, str], dict[str, Any]] = {}
        self._cluster_proxy: dict[str, str | None] | None = None
        self._api_addresses: list[str] = []
        self._leases: dict[str, dict[str, str | None]] = {}

    def first(self) -> Iterable[Wanted]:
        for plural, kind in (("issuers", "Issuer"), ("clusterissuers", "ClusterIssuer")):
            yield Listing(plural, f"/apis/{GROUP}/v1/{plural}", f"{GROUP}/v1", kind, most=_MOST_ISSUERS, optional=True)
        for plural, kind in (("orders", "Order"), ("challenges", "Challenge")):
            yield Listing(plural, f"/apis/{ACME_GROUP}/v1/{plural}", f"{ACME_GROUP}/v1", kind, most=_MOST_READ, optional=True)
        selector = f"app.kubernetes.io/name in ({','.join(_COMPONENTS)})"
        yield Listing("cert-manager pods", "/api/v1/pods", "v1", "Pod", {"labelSelector": selector})
        yield Named("service default/kubernetes", "/api/v1/namespaces/default/services/kubernetes", "v1", "Service")

    def then(self, inventory: Inventory) -> Iterable[Wanted]:
        if "config.openshift.io" in (inventory.api_groups or ()):
            yield Named("proxy cluster", "/apis/config.openshift.io/v1/proxies/cluster", "config.openshift.io/v1", "Proxy")
        for namespace in sorted(self._lease_namespaces()):
            path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{_LEASE}"
            yield Named(f"lease {namespace}/{_LEASE}", path, "coordination.k8s.io/v1", "Lease")

    def _lease_namespaces(self) -> set[str]:
        """Where the controllers keep their lease; the default is the program's."""
        controllers = [pod for pod in self._pods.values() if pod["component"] == "controller"]
        return {pod["arguments"].get("leader-election-namespace") or DEFAULT_NAMESPACE for pod in controllers}

    def take(self, obj: dict[str, Any]) -> None:
        kind = obj["kind"]
        if kind in ("Issuer", "ClusterIssuer"):
            if mapping(mapping(obj.get("spec")).get("acme")):
                self._issuers[(kind, namespace_of(obj) if kind == "Issuer" else "", name_of(obj))] = _issuer(obj)
        elif kind in ("Order", "Challenge"):
            # Others ask for the metadata of many more of them: that tells nothing here.
            if "spec" in obj and kind == "Order":
                self._orders[(namespace_of(obj), name_of(obj))] = _order(obj)
            elif "spec" in obj:
                self._challenges[(namespace_of(obj), name_of(obj))] = _challenge(obj)
        elif kind == "Pod":
            component = _component(obj)
            if component:
                self._pods[(namespace_of(obj), name_of(obj))] = _pod(obj, component)
        elif kind == "Service":
            if (namespace_of(obj), name_of(obj)) == ("default", "kubernetes"):
                spec = mapping(obj.get("spec"))
                self._api_addresses = texts(spec.get("clusterIPs")) or [address for address in (text(spec.get("clusterIP")),) if address]
        elif kind == "Lease":
            if name_of(obj) == _LEASE:
                spec = mapping(obj.get("spec"))
                self._leases[namespace_of(obj)] = {"holder": text(spec.get("holderIdentity")), "renewed": text(spec.get("renewTime"))}
        elif name_of(obj) == "cluster":
            status = mapping(obj.get("status"))
            self._cluster_proxy = _without_credentials(
                {"HTTPS_PROXY": text(status.get("httpsProxy")), "HTTP_PROXY": text(status.get("httpProxy")), "NO_PROXY": text(status.get("noProxy"))}
            )

    def facts(self, inventory: Inventory) -> dict[str, Any]:
        return {
            "issuers": [self._issuers[key] for key in sorted(self._issuers)],
            "orders": _summary(self._orders),
            "challenges": _summary(self._challenges),
            "pods": [self._pods[key] for key in sorted(self._pods)],
            "cluster_proxy": self._cluster_proxy,
            "api_addresses": self._api_addresses,
            "leases": [{"namespace": namespace, **self._leases[namespace]} for namespace in sorted(self._leases)],
        }


def _summary(found: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    """How many there are in which state, and the newest of those that are not done."""
    open_ones = [one for one in found.values() if one["state"] not in _OVER]
    newest = sorted(open_ones, key=lambda one: (one["created"] or "", one["namespace"], one["name"]), reverse=True)[:_MOST_KEPT]
    states = Counter(one["state"] or "" for one in found.values())
    return {"total": len(found), "states": {state: states[state] for state in sorted(states)}, "unfinished": newest}


def _issuer(issuer: dict[str, Any]) -> dict[str, Any]:
    acme, status = mapping(mapping(issuer.get("spec")).get("acme")), mapping(issuer.get("status"))
    metadata = mapping(issuer.get("metadata"))
    cluster_wide = issuer["kind"] == "ClusterIssuer"
    solvers = {kind for solver in mappings(acme.get("solvers")) for kind in ("http01", "dns01") if mapping(solver.get(kind)) or kind in solver}
    return {
        "kind": issuer["kind"],
        "namespace": None if cluster_wide else namespace_of(issuer),
        "name": name_of(issuer),
        "created": text(metadata.get("creationTimestamp")),
        "server": redacted(bounded(text(acme.get("server")) or "", _LONGEST)),
        "skip_tls_verify": acme.get("skipTLSVerify") is True,
        "ca_bundle": text(acme.get("caBundle")) is not None,
        "registered": text(mapping(status.get("acme")).get("uri")) is not None,
        "solvers": sorted(solvers),
        "ready": _ready(status),
    }


def _ready(status: dict[str, Any]) -> dict[str, str | None] | None:
    condition = condition_of(status, "Ready")
    if not condition:
        return None
    return {
        "status": text(condition.get("status")),
        "reason": text(condition.get("reason")),
        "message": _message(condition.get("message")),
        "since": text(condition.get("lastTransitionTime")),
    }


def _order(order: dict[str, Any]) -> dict[str, Any]:
    spec, status = mapping(order.get("spec")), mapping(order.get("status"))
    return {
        **_common(order, status),
        "dns_names": texts(spec.get("dnsNames"))[:3],
        "issuer": _reference(spec.get("issuerRef")),
    }


def _challenge(challenge: dict[str, Any]) -> dict[str, Any]:
    spec, status = mapping(challenge.get("spec")), mapping(challenge.get("status"))
    return {
        **_common(challenge, status),
        "type": text(spec.get("type")),
        "dns_name": text(spec.get("dnsName")),
        "issuer": _reference(spec.get("issuerRef")),
        "presented": status.get("presented") is True,
        "processing": status.get("processing") is True,
    }


def _common(obj: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    metadata = mapping(obj.get("metadata"))
    return {
        "namespace": namespace_of(obj),
        "name": name_of(obj),
        "created": text(metadata.get("creationTimestamp")),
        "owner": owner_of(metadata),
        "state": text(status.get("state")),
        "reason": _message(status.get("reason")),
    }


def _reference(reference: Any) -> dict[str, str]:
    found = mapping(reference)
    return {"kind": text(found.get("kind")) or "Issuer", "name": text(found.get("name")) or ""}


def _message(message: Any) -> str | None:
    found = text(message)
    return None if found is None else bounded(_SECRET.sub("***", found), _LONGEST)


def _component(pod: dict[str, Any]) -> str | None:
    """Which of cert-manager's programs a pod runs; the labels alone would also fit somebody else's "webhook"."""
    metadata = mapping(pod.get("metadata"))
    component = _COMPONENTS.get(labels(metadata.get("labels")).get("app.kubernetes.io/name") or "")
    if component is None:
        return None
    containers = mappings(mapping(pod.get("spec")).get("containers"))
    known = any("cert-manager" in f"{one.get('name')} {one.get('image')}" for one in containers)
    return component if known else None


def _pod(pod: dict[str, Any], component: str) -> dict[str, Any]:
    spec, status = mapping(pod.get("spec")), mapping(pod.get("status"))
    containers = mappings(spec.get("containers"))
    container = next((one for one in containers if f"cert-manager-{component}" == one.get("name")), containers[0] if containers else {})
    state = next((one for one in mappings(status.get("containerStatuses")) if one.get("name") == container.get("name")), {})
    owner = owner_of(pod.get("metadata"))
    variables = {name: item for item in mappings(container.get("env")) if (name := text(item.get("name")))}
    given = {name: text(variables.get(name, {}).get("value")) or text(variables.get(name.lower(), {}).get("value")) for name in _PROXY_VARIABLES}
    hidden = sorted(name for name, item in variables.items() if name.upper() in _PROXY_VARIABLES and "valueFrom" in item)
    dns = mapping(spec.get("dnsConfig"))
    return {
        "namespace": namespace_of(pod),
        "name": name_of(pod),
        "component": component,
        "workload": (owner["name"] or "").rpartition("-")[0] or None if owner and owner["kind"] == "ReplicaSet" else None,
        "instance": labels(mapping(pod.get("metadata")).get("labels")).get("app.kubernetes.io/instance"),
        "ready": condition_of(status, "Ready").get("status") == "True",
        "restarts": state.get("restartCount") if isinstance(state.get("restartCount"), int) else 0,
        "waiting": text(mapping(mapping(state.get("state")).get("waiting")).get("reason")),
        "started": text(mapping(mapping(state.get("state")).get("running")).get("startedAt")),
        "host_network": spec.get("hostNetwork") is True,
        "proxy": _without_credentials(given),
        "proxy_hidden": hidden,
        "proxy_may_hide": bool(mappings(container.get("envFrom"))),
        "api": {name: bounded(value, 253) for name in _API_VARIABLES if (value := text(variables.get(name, {}).get("value")))},
        "dns_policy": text(spec.get("dnsPolicy")) or "ClusterFirst",
        "dns_nameservers": texts(dns.get("nameservers")),
        "dns_searches": texts(dns.get("searches")),
        "dns_options": {name: text(item.get("value")) for item in mappings(dns.get("options")) if (name := text(item.get("name")))},
        "arguments": _arguments([*texts(container.get("command")), *texts(container.get("args"))]),
    }


def _arguments(words: list[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, dummy, value = word.lstrip("-").partition("=")
        if word.startswith("--") and name in _ARGUMENTS:
            found[name] = bounded(value or "true", _LONGEST)
    return found


def _without_credentials(variables: dict[str, str | None]) -> dict[str, str | None]:
    return {name: value if value is None else bounded(value if name == "NO_PROXY" else redacted(value), _LONGEST) for name, value in variables.items()}
