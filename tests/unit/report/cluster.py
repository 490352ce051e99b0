# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster with a fault at every station of the way, as an observation and its findings."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from .observations import backend, bundle, callout, finding, probe, verdict

PHASES = ("resolve", "connect", "tls", "http", "total")

HEALTHY = [callout(f"policy-{number}.example.org", kind=("validating", "mutating")[number % 2]) for number in range(9)]
ROTATED = callout("webhook.cert-manager.io", service="cert-manager/cert-manager-webhook")
GONE = callout("gone.example.org", kind="mutating")
REFUSED = callout("refused.example.org")
_SELECTOR = {"match_labels": {"team": "a"}, "match_expressions": [{"key": "env", "operator": "In", "values": ["prod"]}]}
DROPPED = callout(
    "dropped.example.org",
    policy="Ignore",
    namespace_selector=_SELECTOR,
    object_selector=_SELECTOR,
    match_conditions=[{"name": "no leases", "expression": "request.resource.resource != 'leases'"}],
)
NAMED = callout("hooks.example.org", url="https://hooks.example.org/validate")
PLAIN = callout("plain.example.org")
LOST = callout("lost.example.org")
_CONVERSION = {"group": "example.org", "kind": "Widget", "plural": "widgets", "scope": "Namespaced", "versions": [], "stored_versions": ["v1"]}
WIDGETS = callout("widgets.example.org", kind="conversion", conversion=_CONVERSION)
_APISERVICE = {"group": "metrics.k8s.io", "version": "v1beta1", "available": None}
METRICS = callout("v1beta1.metrics.k8s.io", kind="apiservice", service="kube-system/metrics-server", apiservice=_APISERVICE)
EXPIRING = callout("expiring.example.org")
PROXIED = [callout(f"behind-proxy-{number}.example.org") for number in range(6)]
UNPROVEN = callout("unproven.example.org", side_effects="Some")
CALLOUTS = [*HEALTHY, ROTATED, GONE, REFUSED, DROPPED, NAMED, PLAIN, LOST, WIDGETS, METRICS, EXPIRING, *PROXIED, UNPROVEN]

_EVENT = {
    "source": "event",
    "text": 'failed calling webhook "gone.example.org"',
    "count": 3,
    "first": None,
    "last": None,
    "object": {"kind": "ReplicaSet", "namespace": "default", "name": "web"},
    "reporter": "replicaset-controller",
}


def _steps(*manual: str) -> dict[str, Any]:
    return {"role": None, "vars": {}, "manual": list(manual)}


def observation() -> dict[str, Any]:
    """The bundle; a new one each time, to be changed at will."""
    backends = [backend(item) for item in CALLOUTS if item not in (GONE, REFUSED)]
    backends += [backend(GONE, found=False, addresses=()), backend(REFUSED, addresses=("10.64.0.9", "fd00::9"))]
    unprovable = {"ok": False, "provable": False, "reason": "its sideEffects Some forbid dry runs", "elapsed_ms": dict.fromkeys(PHASES)}
    probes = [
        *[probe(item, vantage) for item in HEALTHY for vantage in ("apiserver", "service_proxy", "direct")],
        probe(ROTATED, cause="unknown_authority", phase="tls"),
        probe(REFUSED, cause="connection_refused", phase="connect"),
        probe(DROPPED, cause="connect_timeout", phase="connect"),
        probe(LOST, cause="http_status", phase="http", status=404),
        probe(EXPIRING, "apiserver"),
        probe(EXPIRING),
        *[probe(item, "apiserver", cause="proxied", phase="connect") for item in PROXIED],
        probe(UNPROVEN, "apiserver", phase="resolve", **unprovable),
    ]
    proxy = {"HTTPS_PROXY": "http://proxy.corp.example:3128", "HTTP_PROXY": "", "NO_PROXY": "localhost,127.0.0.1"}
    instances = [
        {"name": f"kube-apiserver-cp{number}", "address": f"10.0.0.{number}", "port": 6443, "node": f"cp{number}", "flags": {}, "visible": True, "proxy": proxy}
        for number in (1, 2)
    ]
    gaps = [
        ("pods/portforward", "forbidden", 'User "doctor" cannot create resource "pods/portforward"', "no probe tells a dead pod from a network policy"),
        ("events", "error", "context deadline exceeded", "error texts of the past are not used as evidence"),
    ]
    return bundle(
        deepcopy(CALLOUTS),
        backends=backends,
        probes=probes,
        verdicts=[*[verdict(item) for item in HEALTHY], verdict(ROTATED, trusted=False), verdict(EXPIRING, days_left=9.3)],
        control_plane={"routing": "endpoint", "routing_because": "the flag --enable-aggregator-routing=true", "instances": instances},
        evidence=[_EVENT],
        coverage=[dict(zip(("what", "reason", "message", "consequence"), gap, strict=True)) for gap in gaps],
    )


def findings() -> list[dict[str, Any]]:
    """What is found in it, worst first."""
    return [
        finding(
            ROTATED,
            "WD301",
            "The caBundle holds no CA that signed the served certificate",
            cause="unknown_authority",
            phase="tls",
            impact="CREATE, UPDATE of *.cert-manager.io, *.acme.cert-manager.io in all namespaces but 2",
            evidence=[
                'the API server says "tls: failed to verify certificate: x509: certificate signed by unknown authority"',
                "the caBundle holds cert-manager-webhook-ca (serial 4f31), the served certificate was signed by another CA of that name: it was rotated",
                "direct and service proxy get the same certificate",
                "the Service has 1 of 1 endpoint ready",
            ],
            remedy=_steps(
                "# Let cainjector write the new CA: its annotation names the Secret.",
                "kubectl annotate validatingwebhookconfiguration cert-manager-webhook --overwrite cert-manager.io/inject-ca-from-secret=cert-manager/ca",
                "kubectl -n cert-manager rollout restart deployment cert-manager-cainjector",
            ),
        ),
        finding(GONE, "WD101", "The Service does not exist", cause="service_not_found", phase="resolve"),
        finding(REFUSED, "WD201", "Nothing listens on the port", cause="connection_refused", phase="connect"),
        finding(NAMED, "WD204", "The webhook's host name does not resolve", cause="dns_failure", phase="resolve"),
        finding(PLAIN, "WD320", "The port speaks plain HTTP", cause="tls_not_spoken", phase="tls"),
        finding(LOST, "WD401", "The webhook answers 404: no such path", cause="http_status", phase="http"),
        finding(WIDGETS, "WD420", "The conversion webhook answers with wrong objects", cause="conversion_failed", phase="review"),
        finding(METRICS, "WD430", "The back end of the aggregated API does not answer", cause="aggregated_api_unavailable", phase="connect"),
        finding(
            PROXIED,
            "WD220",
            "A forward proxy in the API server's environment gets in the way",
            cause="proxied",
            phase="connect",
            subject={"kind": "Pod", "namespace": "kube-system", "name": "kube-apiserver-cp1", "webhook": None},
            remedy=_steps("# Add .svc to NO_PROXY of every kube-apiserver.", "kubectl -n kube-system get pod kube-apiserver-cp1 -o yaml"),
        ),
        finding(DROPPED, "WD210", "Nothing answers: SYN packets are dropped", severity="warning", cause="connect_timeout", phase="connect"),
        finding(EXPIRING, "WD305", "The served certificate expires soon", severity="warning", impact=None, evidence=["it expires in 9 days"]),
        finding([], "WD901", "Something could not be read", severity="info", impact=None, evidence=["pods/portforward: forbidden"]),
    ]


def suppressed() -> list[dict[str, Any]]:
    """What is known and accepted."""
    single = finding(HEALTHY[0], "WD130", "A single ready replica stands behind a fail-closed webhook", severity="warning")
    return [{**single, "reason": "a second one comes with the next release", "until": "2026-12-01"}]
