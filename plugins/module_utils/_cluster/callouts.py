# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects -> call-outs: admission webhooks, conversion webhooks, aggregated APIs. Pure. PRIVATE to the collection.

Shapes: docs/architecture.md. Defaults where an object omits a field are those of its API version:
https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/ and, for v1beta1, k8s.io/api/admissionregistration/v1beta1.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import (
    Malformed,
    integer,
    labels,
    mapping,
    mappings,
    name_of,
    required,
    text,
    texts,
)

Callout = dict[str, Any]

# How long the API server waits. Sources: apiserver pkg/util/webhook/authentication.go (setGlobalDefaults: 30 s, the only limit of a conversion);
# kube-aggregator remote_available_controller.go (5 s).
CONVERSION_TIMEOUT = 30
APISERVICE_TIMEOUT = 5

# Annotations that say who manages the object or its caBundle. Never all of them: kubectl's last-applied-configuration repeats the whole object.
_ANNOTATION_FAMILIES = (
    "cert-manager.io/",
    "certmanager.k8s.io/",
    "service.beta.openshift.io/",
    "service.alpha.openshift.io/",
    "meta.helm.sh/",
    "helm.sh/",
    "admissions.enforcer/",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "olm.operatorframework.io/",
    "operators.coreos.com/",
    "addonmanager.kubernetes.io/",
    "kapp.k14s.io/",
    "cnrm.cloud.google.com/",
    "components.gke.io/",
    "control-plane.alpha.kubernetes.io/",
    "webhook-doctor.kubeops/",
)
_LONGEST_ANNOTATION = 500

_ADMISSION_DEFAULTS = {
    "v1": {"failure_policy": "Fail", "match_policy": "Equivalent", "timeout": 10, "side_effects": None, "review_versions": []},
    "v1beta1": {"failure_policy": "Ignore", "match_policy": "Exact", "timeout": 30, "side_effects": "Unknown", "review_versions": ["v1beta1"]},
}


def admission_callouts(configuration: dict[str, Any], kind: str) -> tuple[list[Callout], list[str]]:
    """The call-outs of a ValidatingWebhookConfiguration or MutatingWebhookConfiguration (`kind`: validating or mutating).

    The second list says which entries could not be understood, and why. Raises Malformed where there is no reading the object at all.
    """
    entries = configuration.get("webhooks")
    if entries is not None and not isinstance(entries, list):
        raise Malformed(f"webhooks is a {type(entries).__name__}, not a list")
    about = _object(configuration)
    found: list[Callout] = []
    problems: list[str] = []
    seen: set[str] = set()
    for index, entry in enumerate(entries or []):
        try:
            callout = _admission(mapping(entry), index, kind, about)
        except Malformed as error:
            problems.append(f"webhooks[{index}]: {error}")
            continue
        if callout["id"] in seen:  # only v1beta1 let two entries share a name
            callout["id"] = f"{callout['id']}#{index}"
        seen.add(callout["id"])
        found.append(callout)
    return found, problems


def _admission(entry: dict[str, Any], index: int, kind: str, about: dict[str, Any]) -> Callout:
    name = required(entry, "name")
    default = _ADMISSION_DEFAULTS["v1beta1" if about["api_version"].endswith("/v1beta1") else "v1"]
    return {
        **_empty(f"{kind}/{about['name']}/{name}", kind, about),
        **_client(entry.get("clientConfig"), "clientConfig"),
        "webhook": name,
        "index": index,
        "failure_policy": text(entry.get("failurePolicy")) or default["failure_policy"],
        "timeout_seconds": integer(entry.get("timeoutSeconds")) or default["timeout"],
        "side_effects": text(entry.get("sideEffects")) or default["side_effects"],
        "match_policy": text(entry.get("matchPolicy")) or default["match_policy"],
        "reinvocation_policy": (text(entry.get("reinvocationPolicy")) or "Never") if kind == "mutating" else None,
        "review_versions": texts(entry.get("admissionReviewVersions")) or default["review_versions"],
        "rules": [_rule(rule) for rule in mappings(entry.get("rules"))],
        "namespace_selector": selector(entry.get("namespaceSelector")),
        "object_selector": selector(entry.get("objectSelector")),
        "match_conditions": [{"name": text(item.get("name")), "expression": text(item.get("expression"))} for item in mappings(entry.get("matchConditions"))],
    }


def conversion_callout(crd: dict[str, Any]) -> Callout | None:
    """The call-out of a CustomResourceDefinition (v1, v1beta1) that converts by webhook, else None. Raises Malformed."""
    spec = mapping(crd.get("spec"))
    conversion = mapping(spec.get("conversion"))
    if conversion.get("strategy") != "Webhook":
        return None
    about = _object(crd)
    webhook = mapping(conversion.get("webhook"))
    client = webhook.get("clientConfig") or conversion.get("webhookClientConfig")
    versions = mappings(spec.get("versions")) or [{"name": spec.get("version"), "served": True, "storage": True}]
    names = mapping(spec.get("names"))
    return {
        **_empty(f"conversion/{about['name']}", "conversion", about),
        **_client(client, "spec.conversion.webhook.clientConfig"),
        "timeout_seconds": CONVERSION_TIMEOUT,
        "review_versions": texts(webhook.get("conversionReviewVersions") or conversion.get("conversionReviewVersions")),
        "conversion": {
            "group": text(spec.get("group")) or "",
            "kind": text(names.get("kind")),
            "plural": text(names.get("plural")),
            "scope": text(spec.get("scope")),
            "versions": [
                {"name": text(item.get("name")), "served": item.get("served") is not False, "storage": item.get("storage") is True} for item in versions
            ],
            "stored_versions": texts(mapping(crd.get("status")).get("storedVersions")),
        },
    }


def apiservice_callout(apiservice: dict[str, Any]) -> Callout | None:
    """The call-out of an APIService that is served by a Service, None for the API server's own groups. Raises Malformed."""
    spec = mapping(apiservice.get("spec"))
    if not isinstance(spec.get("service"), dict):
        return None
    about = _object(apiservice)
    group, version = text(spec.get("group")) or "", required(spec, "version")
    # The back end is asked for its discovery document; there is no path to configure.
    client = {"service": {**spec["service"], "path": f"/apis/{group}/{version}"}, "caBundle": spec.get("caBundle")}
    return {
        **_empty(f"apiservice/{about['name']}", "apiservice", about),
        **_client(client, "spec"),
        "insecure_skip_tls_verify": spec.get("insecureSkipTLSVerify") is True,
        "timeout_seconds": APISERVICE_TIMEOUT,
        "apiservice": {"group": group, "version": version, "available": _available(apiservice)},
    }


def _available(apiservice: dict[str, Any]) -> dict[str, Any] | None:
    conditions = mappings(mapping(apiservice.get("status")).get("conditions"))
    found = next((condition for condition in conditions if condition.get("type") == "Available"), None)
    if found is None:
        return None
    return {
        key: text(found.get(source)) for key, source in (("status", "status"), ("reason", "reason"), ("message", "message"), ("since", "lastTransitionTime"))
    }


def _empty(identifier: str, kind: str, about: dict[str, Any]) -> Callout:
    """A call-out of which only the identity is known, with every key that there is."""
    return {
        "id": identifier,
        "kind": kind,
        "object": about,
        "webhook": None,
        "index": 0,
        "client": {"service": None, "url": None},
        "server_name": "",
        "ca_bundle": "",
        "ca_bundle_error": None,
        "insecure_skip_tls_verify": False,
        "failure_policy": None,
        "timeout_seconds": 0,
        "side_effects": None,
        "match_policy": None,
        "reinvocation_policy": None,
        "review_versions": [],
        "rules": [],
        "namespace_selector": None,
        "object_selector": None,
        "match_conditions": [],
        "conversion": None,
        "apiservice": None,
        "backend": "",
    }


def _object(obj: dict[str, Any]) -> dict[str, Any]:
    metadata = mapping(obj.get("metadata"))
    annotations = labels(metadata.get("annotations"))
    return {
        "api_version": text(obj.get("apiVersion")) or "",
        "kind": text(obj.get("kind")) or "",
        "name": name_of(obj),
        "uid": text(metadata.get("uid")),
        "resource_version": text(metadata.get("resourceVersion")),
        "generation": integer(metadata.get("generation")),
        "created": text(metadata.get("creationTimestamp")),
        "labels": labels(metadata.get("labels")),
        "annotations": {key: value[:_LONGEST_ANNOTATION] for key, value in annotations.items() if key.startswith(_ANNOTATION_FAMILIES)},
        "managers": sorted({entry["manager"] for entry in mappings(metadata.get("managedFields")) if text(entry.get("manager"))}),
        "owners": [{"kind": text(owner.get("kind")), "name": text(owner.get("name"))} for owner in mappings(metadata.get("ownerReferences"))],
    }


def _client(config: Any, where: str) -> dict[str, Any]:
    """client, server_name, ca_bundle, ca_bundle_error and backend of a WebhookClientConfig (or what an APIService has of one)."""
    if not isinstance(config, dict):
        raise Malformed(f"{where} is missing")
    bundle, error = _decoded(config.get("caBundle"))
    common = {"ca_bundle": bundle, "ca_bundle_error": error}
    if isinstance(config.get("service"), dict):
        service = config["service"]
        namespace, name = required(service, "namespace"), required(service, "name")
        port = integer(service.get("port"))
        port = 443 if port is None else port
        client = {"namespace": namespace, "name": name, "port": port, "path": text(service.get("path")) or "/"}
        return {
            **common,
            "client": {"service": client, "url": None},
            "server_name": f"{name}.{namespace}.svc",
            "backend": f"service/{namespace}/{name}:{port}",
        }
    url = text(config.get("url"))
    if url is None:
        raise Malformed(f"{where} has neither service nor url")
    scheme, host, url_port = url_target(url, where)
    return {**common, "client": {"service": None, "url": url}, "server_name": host, "backend": f"url/{scheme}://{_bracketed(host)}:{url_port}"}


def url_target(url: str, where: str = "url") -> tuple[str, str, int]:
    """(scheme, host, port) that a URL leads to. Raises Malformed."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Malformed(f"{where}: {url[:200]} is not a URL ({error})") from error
    if not host:
        raise Malformed(f"{where}: {url[:200]} names no host")
    scheme = parts.scheme or "https"
    return scheme, host, port or (80 if scheme == "http" else 443)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _decoded(bundle: Any) -> tuple[str, str | None]:
    """The text of a base64 caBundle, and why it could not be decoded. Bytes that are no text become U+FFFD; PEM blocks beside them stay readable."""
    if bundle is None or bundle == "":
        return "", None
    if not isinstance(bundle, str):
        return "", f"caBundle is a {type(bundle).__name__}, not base64 text"
    try:
        return base64.b64decode("".join(bundle.split()), validate=True).decode("utf-8", "replace"), None
    except (binascii.Error, ValueError):
        return "", "caBundle is not base64"


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "operations": texts(rule.get("operations")),
        "api_groups": texts(rule.get("apiGroups")),
        "api_versions": texts(rule.get("apiVersions")),
        "resources": texts(rule.get("resources")),
        "scope": text(rule.get("scope")) or "*",
    }


def selector(value: Any) -> dict[str, Any] | None:
    """A LabelSelector in the facts' shape; None where it selects everything."""
    given = mapping(value)
    match_labels = labels(given.get("matchLabels"))
    expressions = [
        {"key": text(item.get("key")) or "", "operator": text(item.get("operator")) or "", "values": texts(item.get("values"))}
        for item in mappings(given.get("matchExpressions"))
    ]
    return {"match_labels": match_labels, "match_expressions": expressions} if match_labels or expressions else None
