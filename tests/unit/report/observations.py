# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small observations and findings in the shapes of docs/architecture.md, for the tests of what people see."""

from __future__ import annotations

from typing import Any

AT = "2026-08-21T14:03:09Z"


def callout(name: str, *, kind: str = "validating", policy: str | None = "Fail", service: str | None = None, url: str | None = None, **more: Any) -> dict[str, Any]:
    """A call-out to the Service `namespace/name` (default: webhooks/<name>), or to a URL."""
    namespace, _, service_name = (service or f"webhooks/{name.split('.')[0]}").partition("/")
    kinds = {
        "validating": "ValidatingWebhookConfiguration",
        "mutating": "MutatingWebhookConfiguration",
        "conversion": "CustomResourceDefinition",
        "apiservice": "APIService",
    }
    admission = kind in ("validating", "mutating")
    owner = f"{name.split('.')[0]}-{kind}" if admission else name
    client = {"service": None, "url": url} if url else {"service": {"namespace": namespace, "name": service_name, "port": 443, "path": "/validate"}, "url": None}
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
            "owners": [],
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
        "pods": [] if service else None,
    }


def probe(of: dict[str, Any], vantage: str = "direct", *, cause: str | None = None, phase: str = "review", status: int | None = 200, **more: Any) -> dict[str, Any]:
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
        "problems": [],
        **more,
    }


def finding(of: dict[str, Any] | list[dict[str, Any]], code: str, title: str, *, severity: str = "error", cause: str | None = None, **more: Any) -> dict[str, Any]:
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


def broken() -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """A cluster with a fault at every station of the way: the bundle, its findings, and one that is suppressed."""
    healthy = [callout(f"policy-{number}.example.org", kind=("validating", "mutating")[number % 2]) for number in range(9)]
    rotated = callout("webhook.cert-manager.io", service="cert-manager/cert-manager-webhook")
    gone = callout("gone.example.org", kind="mutating")
    refused = callout("refused.example.org")
    dropped = callout("dropped.example.org", policy="Ignore")
    named = callout("hooks.example.org", url="https://hooks.example.org/validate")
    plain = callout("plain.example.org")
    lost = callout("lost.example.org")
    widgets = callout("widgets.example.org", kind="conversion")
    metrics = callout("v1beta1.metrics.k8s.io", kind="apiservice", service="kube-system/metrics-server")
    expiring = callout("expiring.example.org")
    proxied = [callout(f"behind-proxy-{number}.example.org") for number in range(6)]
    unproven = callout("unproven.example.org", side_effects="Some")
    callouts = [*healthy, rotated, gone, refused, dropped, named, plain, lost, widgets, metrics, expiring, *proxied, unproven]
    backends = [backend(item) for item in callouts if item not in (gone, lost, refused)]
    backends += [backend(gone, found=False, addresses=()), backend(lost), backend(refused, addresses=("10.64.0.9", "fd00::9"), ready=2)]
    probes = [probe(item, vantage) for item in healthy for vantage in ("apiserver", "service_proxy", "direct")]
    probes += [
        probe(rotated, cause="unknown_authority", phase="tls"),
        probe(refused, cause="connection_refused", phase="connect"),
        probe(dropped, cause="connect_timeout", phase="connect"),
        probe(lost, cause="http_status", phase="http", status=404),
        probe(expiring, "apiserver"),
        probe(expiring),
        *[probe(item, "apiserver", cause="proxied", phase="connect") for item in proxied],
        probe(unproven, "apiserver", phase="resolve", ok=False, provable=False, reason="its sideEffects Some forbid dry runs", status=None, elapsed_ms=dict.fromkeys(("resolve", "connect", "tls", "http", "total"))),
    ]
    verdicts = [verdict(item) for item in healthy] + [verdict(rotated, trusted=False), verdict(expiring, days_left=9.3)]
    instances = [
        {"name": f"kube-apiserver-cp{number}", "address": f"10.0.0.{10 + number}", "port": 6443, "node": f"cp{number}", "flags": {"enable-aggregator-routing": "true"}, "visible": True,
         "proxy": {"HTTPS_PROXY": "http://proxy.corp.example:3128", "HTTP_PROXY": "", "NO_PROXY": "localhost,127.0.0.1"}}
        for number in (1, 2)
    ]  # fmt: skip
    observed = bundle(
        callouts,
        backends=backends,
        probes=probes,
        verdicts=verdicts,
        control_plane={"routing": "endpoint", "routing_because": "the flag --enable-aggregator-routing=true", "instances": instances},
        coverage=[
            {"what": "pods/portforward", "reason": "forbidden", "message": 'pods is forbidden: User "doctor" cannot create resource "pods/portforward"', "consequence": "no probes through a port-forward; network policies that hide a pod from the host cannot be told from a dead pod"},
            {"what": "events", "reason": "error", "message": "context deadline exceeded", "consequence": "error texts of the past are not used as evidence"},
        ],
    )  # fmt: skip
    findings = [
        finding(
            rotated, "WD301", "The caBundle holds no CA that signed the certificate which cert-manager/cert-manager-webhook serves.",
            cause="unknown_authority", phase="tls", impact="CREATE, UPDATE of *.cert-manager.io, *.acme.cert-manager.io in all namespaces but 2",
            evidence=[
                'the API server says "tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of \\"crypto/rsa: verification error\\" while trying to verify candidate authority certificate \\"cert-manager-webhook-ca\\")"',
                "the caBundle holds one CA, cert-manager-webhook-ca (serial 4f31, until 2027-01-10); the served certificate was signed by another of the same name: the CA was rotated",
                "direct and service proxy get the same certificate",
                "the Service has 1 of 1 endpoint ready",
            ],
            remedy={"role": None, "vars": {}, "manual": ["# Let cainjector write the new CA: its annotation names the Secret.", "kubectl annotate validatingwebhookconfiguration cert-manager-webhook --overwrite cert-manager.io/inject-ca-from-secret=cert-manager/cert-manager-webhook-ca", "kubectl -n cert-manager rollout restart deployment cert-manager-cainjector"]},
        ),
        finding(gone, "WD101", "The Service webhooks/gone does not exist.", cause="service_not_found", phase="resolve", evidence=['the API server says "service \\"gone\\" not found"']),
        finding(refused, "WD201", "Nothing listens on port 8443 of the endpoints of webhooks/refused.", cause="connection_refused", phase="connect"),
        finding(named, "WD204", "The host hooks.example.org does not resolve.", cause="dns_failure", phase="resolve"),
        finding(plain, "WD320", "The port speaks plain HTTP.", cause="tls_not_spoken", phase="tls"),
        finding(lost, "WD401", "The webhook answers 404: no such path.", cause="http_status", phase="http"),
        finding(widgets, "WD420", "The conversion webhook answers with wrong objects.", cause="conversion_failed", phase="review", impact="every request for widgets.example.org that needs another version than it is stored in"),
        finding(metrics, "WD430", "The back end of the aggregated API does not answer.", cause="aggregated_api_unavailable", phase="connect"),
        finding(
            proxied, "WD220", "A forward proxy in the API server's environment gets in the way.", cause="proxied", phase="connect",
            subject={"kind": "Pod", "namespace": "kube-system", "name": "kube-apiserver-cp1", "webhook": None},
            remedy={"role": None, "vars": {}, "manual": ["# Add .svc and the cluster's service and pod ranges to NO_PROXY of every kube-apiserver, in /etc/kubernetes/manifests/kube-apiserver.yaml.", "kubectl -n kube-system get pod kube-apiserver-cp1 -o jsonpath='{.spec.containers[0].env}'"]},
        ),
        finding(dropped, "WD210", "Nothing answers at 10.64.0.7:8443: SYN packets are dropped.", severity="warning", cause="connect_timeout", phase="connect"),
        finding(expiring, "WD305", "The served certificate expires soon.", severity="warning", impact=None, evidence=["CN=expiring.webhooks.svc expires in 9 days, 2026-08-30 21:15 UTC"]),
        finding([], "WD901", "Something could not be read.", severity="info", impact=None, evidence=["pods/portforward: forbidden"]),
    ]  # fmt: skip
    suppressed = [{**finding(healthy[0], "WD130", "A single ready replica stands behind a fail-closed webhook.", severity="warning"), "suppressed": {"reason": "a second replica comes with the next release", "until": "2026-12-01"}}]
    return observed, findings, suppressed
