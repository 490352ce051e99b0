# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small observations and findings in the shapes of docs/architecture.md, for the tests of what people see."""

from __future__ import annotations

from typing import Any

AT = "2026-08-21T14:03:09Z"


def callout(
    name: str, *, kind: str = "validating", policy: str | None = "Fail", service: str | None = None, url: str | None = None, **more: Any
) -> dict[str, Any]:
    """A call-out to the Service `namespace/name` (default: webhooks/<name>), or to a URL."""
    namespace, _slash, service_name = (service or f"webhooks/{name.split('.')[0]}").partition("/")
    kinds = {
        "validating": "ValidatingWebhookConfiguration",
        "mutating": "MutatingWebhookConfiguration",
        "conversion": "CustomResourceDefinition",
        "apiservice": "APIService",
    }
    admission = kind in ("validating", "mutating")
    owner = f"{name.split('.')[0]}-{kind}" if admission else name
    client = (
        {"service": None, "url": url} if url else {"service": {"namespace": namespace, "name": service_name, "port": 443, "path": "/validate"}, "url": None}
    )
    host = url.split("/")[2] if url else f"{service_name}.{namespace}.svc"
    return {
        "id": f"{kind}/{owner}/{name}" if admission else f"{kind}/{name}",
        "kind": kind,
        "object": {
            "api_version": "admissionregistration.k8s.io/v1",
            "kind": kinds[kind],
            "name": owner,
            "uid": "0b7e",
            "resource_version": "1",
            "generation": 1,
            "created": AT,
            "labels": {},
            "annotations": {},
            "managers": ["helm"],
            "owners": [{"kind": "Deployment", "name": owner}],
        },
        "webhook": name if admission else None,
        "index": 0,
        "client": client,
        "server_name": host,
        "ca_bundle": "",
        "ca_bundle_error": None,
        "insecure_skip_tls_verify": False,
        "failure_policy": policy if admission else None,
        "timeout_seconds": 10,
        "side_effects": "None",
        "match_policy": "Equivalent",
        "reinvocation_policy": None,
        "review_versions": ["v1"],
        "rules": [{"operations": ["CREATE", "UPDATE"], "api_groups": [""], "api_versions": ["v1"], "resources": ["configmaps"], "scope": "*"}],
        "namespace_selector": None,
        "object_selector": None,
        "match_conditions": [],
        "conversion": None,
        "apiservice": None,
        "backend": f"url/https://{host}:443" if url else f"service/{namespace}/{service_name}:443",
        **more,
    }


def _pod(namespace: str, name: str, address: str) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "name": name,
        "labels": {},
        "phase": "Running",
        "ready": True,
        "terminating": False,
        "node": "node-1",
        "ip": address,
        "host_network": False,
        "owner": {"kind": "ReplicaSet", "name": name},
        "containers": [{"name": "webhook", "ready": True, "restarts": 0, "waiting": None, "terminated": None, "ports": [{"name": "https", "port": 8443}]}],
    }


def backend(of: dict[str, Any], *, found: bool | None = True, addresses: tuple[str, ...] = ("10.64.0.7",), ready: int | None = None) -> dict[str, Any]:
    """The back end of a call-out; the first `ready` of its endpoints are (default: all)."""
    service = of["client"]["service"]
    host = of["server_name"]
    return {
        "id": of["backend"],
        "kind": "service" if service else "url",
        "url": None if service else {"scheme": "https", "host": host, "port": 443},
        "service": service
        and {
            "namespace": service["namespace"],
            "name": service["name"],
            "found": found,
            "type": "ClusterIP",
            "headless": False,
            "cluster_ips": ["10.96.0.20"],
            "external_name": None,
            "selector": {"app": service["name"]},
            "ports": [{"name": "https", "port": 443, "target_port": 8443, "protocol": "TCP"}],
        },
        "port": {"name": "https", "port": 443, "target_port": 8443} if service else None,
        "endpoints": None
        if not service
        else [
            {
                "address": address,
                "family": "IPv6" if ":" in address else "IPv4",
                "port": 8443,
                "ready": ready is None or number < ready,
                "serving": True,
                "terminating": False,
                "node": "node-1",
                "pod": f"{service['namespace']}/{service['name']}-{number}",
            }
            for number, address in enumerate(addresses)
        ],
        "pods": [_pod(service["namespace"], f"{service['name']}-{number}", address) for number, address in enumerate(addresses)] if service else None,
    }


def probe(
    of: dict[str, Any], vantage: str = "direct", *, cause: str | None = None, phase: str = "review", status: int | None = 200, **more: Any
) -> dict[str, Any]:
    """A probe of a call-out: good, or stopped by `cause` in `phase`."""
    return {
        "name": f"{vantage} {of['id']}",
        "vantage": vantage,
        "callouts": [of["id"]],
        "instance": None,
        "ok": cause is None,
        "phase": phase,
        "cause": cause,
        "error": None if cause is None else f"{cause} (the error text)",
        "provable": True,
        "reason": None,
        "request": {"verb": "create", "resource": "configmaps", "namespace": "default", "name": "probe", "dry_run": True} if vantage == "apiserver" else None,
        "hidden_by": None,
        "elapsed_ms": {"resolve": 0.1, "connect": 0.3, "tls": 2.1, "http": 4.0, "total": 6.5},
        "peer": {"address": "10.64.0.7:8443" if vantage == "direct" and phase not in ("resolve", "connect") else None},
        "tls": {"version": "TLSv1.3", "chain": []} if phase in ("http", "review") else None,
        "http": {"status": status, "body": ""} if phase in ("http", "review") else None,
        "attempts": 1,
        **more,
    }


def verdict(of: dict[str, Any], *, trusted: bool | None = True, days_left: float = 81.4, **more: Any) -> dict[str, Any]:
    """A trust verdict with the served leaf."""
    return {
        "name": of["id"],
        "callouts": [of["id"]],
        "trusted": trusted,
        "error": None if trusted is not False else "x509: certificate signed by unknown authority",
        "cause": None if trusted is not False else "unknown_authority",
        "anchor": None,
        "certificates": [
            {
                "source": "chain",
                "index": 0,
                "subject": f"CN={of['server_name']}",
                "issuer": "CN=lab-ca",
                "serial": "1",
                "sha256": "00",
                "not_before": AT,
                "not_after": AT,
                "is_ca": False,
                "dns_names": [of["server_name"]],
                "ip_addresses": [],
                "key": "ECDSA P-256",
                "signature": "ECDSA-SHA256",
                "days_left": days_left,
            }
        ],
        "problems": [{"certificate": None, "problem": "garbage", "message": "text between the certificates", "days_left": None}],
        **more,
    }


def finding(
    of: dict[str, Any] | list[dict[str, Any]], code: str, title: str, *, severity: str = "error", cause: str | None = None, **more: Any
) -> dict[str, Any]:
    """A finding about one or more call-outs."""
    callouts = of if isinstance(of, list) else [of]
    first = callouts[0] if callouts else None
    return {
        "code": code,
        "title": title,
        "severity": severity,
        "subject": {"kind": first["object"]["kind"], "namespace": None, "name": first["object"]["name"], "webhook": first["webhook"]}
        if first
        else {"kind": "Cluster", "namespace": None, "name": "lab", "webhook": None},
        "affects": [callout["id"] for callout in callouts],
        "impact": "CREATE, UPDATE of configmaps in all namespaces but 2",
        "cause": cause,
        "phase": None,
        "evidence": ["the API server says so"],
        "confirm": ["kubectl -n webhooks get service"],
        "remedy": {"role": None, "vars": {}, "manual": ["# Look at the pods behind the Service.", "kubectl -n webhooks get pods"]},
        "docs": f"docs/findings/{code}.md",
        "fingerprint": f"{code}-{first['id'] if first else 'cluster'}",
        **more,
    }


def bundle(
    callouts: list[dict[str, Any]],
    *,
    backends: list[dict[str, Any]] | None = None,
    probes: list[dict[str, Any]] | None = None,
    verdicts: list[dict[str, Any]] | None = None,
    example: bool = False,
    **facts: Any,
) -> dict[str, Any]:
    """A bundle of these call-outs; by default with healthy back ends and good answers."""
    instances = [{"name": "kube-apiserver-cp1", "address": "10.0.0.10", "port": 6443, "node": "cp1", "flags": {}, "proxy": None, "visible": True}]
    return {
        "format": "kubeops.webhook_doctor/bundle",
        "format_version": 1,
        "collection_version": "0.1.0",
        "example": example,
        "took_seconds": 2.31,
        "facts": {
            "source": {
                "kind": "api",
                "cluster": "lab",
                "server": "https://10.0.0.10:6443",
                "observed_at": AT,
                "paths": [],
                "access": {"port_forward": True, "service_proxy": True, "dry_run": True},
            },
            "version": {"git_version": "v1.36.3", "major": 1, "minor": 36},
            "platform": None,
            "callouts": callouts,
            "backends": list({item["backend"]: backend(item) for item in callouts}.values()) if backends is None else backends,
            "namespaces": [{"name": "default", "labels": {}}],
            "control_plane": {"routing": "endpoint", "routing_because": "the flag --enable-aggregator-routing=true", "instances": instances},
            "evidence": [],
            "apps": {},
            "coverage": [],
            **facts,
        },
        "probes": [probe(item, vantage) for item in callouts for vantage in ("apiserver", "direct")] if probes is None else probes,
        "verdicts": [verdict(item) for item in callouts] if verdicts is None else verdicts,
    }
