# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations in a few words: what the tables of this folder give, made into facts, probes and verdicts.

A world is one call-out that works, with what a table's `given` changes about it:

    kind            validating (default), mutating, conversion, apiservice
    failure_policy  Fail (default), Ignore           timeout   seconds, default 10 (30 for cert-manager, as its chart has it)       path   default /validate
    url             https://host:port/path instead of the Service system/hook, port 443
    service         missing | unreadable | {type, headless, ports: [443], target_port: 8443, selector: {...}, external_name}
    endpoints       unreadable | ["10.1.0.1 ready", "10.1.0.2 unready|draining|portless", ...]; default two ready ones, a pod behind each, on node-1
    pods            none | unreadable | unlisted (ready, in no EndpointSlice) | default: those of the endpoints, each with the container port `https`
    routing         endpoint (default) | cluster_ip | unknown
    apiserver       ok | ok 1800ms | not provable | {says: what follows the URL in its text} | {answers: what follows "failed to call webhook:"}
                    | {text: all of it}
    service_proxy, port_forward, direct
                    ok | ok 1800ms | none | <cause> | <cause> after 5000ms | http 404 | {cause, phase, error, status, body, tls, ms,
                    setup: milliseconds before the request}
                    direct also {<address>: one of these}; default none, direct: ok
    ca_bundle       "" | any text; default a CA          ca_bundle_error   text
    bundle          certificates of the caBundle: [{subject, days, life, serial}]
    served          the served leaf {subject, issuer, names, days, life}; {<address>: ...} for different ones
    ca_source       where the caBundle is meant to come from: {in: [its namespace, its name], state, message, claimed_by, holds: [subjects of its certificates],
                    binding, vouches: whether what is served verifies with it; absent: nobody asked}
    chain           what is served by the Service, in PEM, leaf first; default: words that stand for it
    trust           ok | <cause> | {cause, error}; {<address>: ...} for different ones
    events          [{says, minutes_ago, cause: of the condition or event}]           condition: the same for conditions
    available       of an APIService: {status, reason, message}
    instances       {<address>: the apiserver's answer there}                         proxy: {HTTPS_PROXY, NO_PROXY} of the first
    flags           of the first instance
    loopback        {subject, days, life} of every instance, or {<address>: {...}, <address>: refused | none}
    coverage        as in the facts
    source          api | dump
    listens         port of the pods, default 8443                pod  what is different of them, in the shape of the facts
    around          platform, network plugins and policies: around.py
    webhook         name of the entry      annotations   of its object      object   its name        group   of the CRD
    check           what the check of the application's work finds: {what, done, said}; default: it does its work
    cert_manager    what is seen of cert-manager: see cert_manager_world.py
    facts           further facts, merged over those of this world: {version: {git_version: ...}, platform: {...}, apps: {...}, namespaces: [...]}
    more            {<name>: the same again, for another call-out with a Service of its own}

What a table may say of cert-manager's ACME and of what etcd stores stands in world_acme.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._classify import classify
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.probe_plan import plan_probes
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.trust_plan import plan_trust
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.around import surround
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.cert_manager_world import cert_manager_facts, own_callouts
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world_acme import acme_facts

AT = datetime(2026, 11, 20, 18, 0, tzinfo=timezone.utc)
KINDS = {
    "validating": ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    "mutating": ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    "conversion": ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    "apiservice": ("apiregistration.k8s.io/v1", "APIService"),
}
LEAF = {"subject": "CN=hook", "issuer": "CN=hook-ca", "names": None, "days": 300, "life": 365}
CA = {"subject": "CN=hook-ca", "days": 3000, "life": 3650}
TIMEOUTS = {"conversion": 30, "apiservice": 5, "webhook.cert-manager.io": 30}
PHASE_OF = {
    "dns_failure": "resolve",
    "connection_refused": "connect",
    "connect_timeout": "connect",
    "no_route": "connect",
    "tls_timeout": "tls",
    "tls_not_spoken": "tls",
    "tls_alert": "tls",
    "client_certificate_required": "tls",
    "http_status": "http",
    "deadline_exceeded": "http",
}


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def observe(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """(facts, probes, verdicts) of a world."""
    others: Mapping[str, Any] = {**given.get("more", {}), **own_callouts(given)}
    worlds = [_World("hook", given, 0), *(_World(name, other, number) for number, (name, other) in enumerate(others.items(), 1))]
    instances = [
        {"name": f"kube-apiserver-{address}", "address": address, "port": 6443, "node": "cp-1", "flags": {}, "proxy": None, "visible": True}
        for address in given.get("instances", {"172.16.0.1": None})
    ]
    if "proxy" in given:
        instances[0]["proxy"] = {"HTTPS_PROXY": None, "HTTP_PROXY": None, "NO_PROXY": None, **given["proxy"]}
    instances[0]["flags"] = given.get("flags", {})
    facts = {
        "source": {
            "kind": given.get("source", "api"),
            "cluster": "test",
            "server": None,
            "observed_at": iso(AT),
            "paths": [],
            "access": {"port_forward": None, "service_proxy": None, "dry_run": None},
        },
        "version": {"git_version": "v1.36.3", "major": 1, "minor": 36},
        "platform": None,
        "callouts": [world.callout for world in worlds],
        "backends": [world.backend for world in worlds],
        "ca_sources": [source for world in worlds for source in world.ca_sources()],
        "namespaces": [{"name": world.namespace, "labels": {"kubernetes.io/metadata.name": world.namespace}} for world in worlds],
        "control_plane": {"routing": given.get("routing", "endpoint"), "routing_because": "the test says so", "instances": instances},
        "evidence": [item for world in worlds for item in world.evidence()],
        "apps": {"cert_manager": cert_manager_facts(given["cert_manager"], AT)} if "cert_manager" in given else {},
        "coverage": list(given.get("coverage", ())),
    }
    facts = merged(merged(surround(facts, given.get("around", {})), acme_facts(given, AT)), given.get("facts", {}))
    by_id = {world.callout["id"]: world for world in worlds}
    authorities = {source["id"]: "CA of the source" for world in worlds for source in world.ca_sources() if "vouches" in world.given["ca_source"]}
    specs = plan_probes(facts)
    probes = [by_id[spec["callouts"][0]].answer(spec) if spec["callouts"] else _loopback(spec, given) for spec in specs]
    probes = [probe for probe in probes if probe]
    questions = plan_trust(facts, probes, authorities=authorities)
    verdicts = [by_id[item["callouts"][0]].verdict(item) if item["callouts"] else _loopback_verdict(item, given) for item in questions]
    return facts, probes, verdicts


def merged(base: Any, over: Any) -> Any:
    """Mappings merged key by key, lists put one behind the other, anything else replaced."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{key: merged(base[key], value) if key in base else value for key, value in over.items()}}
    return [*base, *over] if isinstance(base, list) and isinstance(over, list) else over


class _World:
    def __init__(self, name: str, given: Mapping[str, Any], number: int) -> None:
        self.name, self.given, self.number = name, given, number
        self.namespace = "system" if name == "hook" else f"{name}-system"
        self.kind = given.get("kind", "validating")
        self.url = given.get("url")
        self.server_name = self.url.split("/")[2].split(":")[0] if self.url else f"{name}.{self.namespace}.svc"
        self.backend = self._url_backend() if self.url else self._service_backend()
        self.callout = self._callout()

    def _callout(self) -> dict[str, Any]:
        kind, given, name = self.kind, self.given, self.name
        api_version, object_kind = KINDS[kind]
        admission = kind in ("validating", "mutating")
        webhook = given.get("webhook", f"{name}.example.com") if admission else None
        object_name = given.get("object") or {"conversion": f"{name}s.example.com", "apiservice": f"v1.{name}.example.com"}.get(kind, name)
        port = given.get("port", 443)
        rule = {"operations": ["CREATE"], "api_groups": ["example.com"], "api_versions": ["*"], "resources": [f"{name}s"], "scope": "*"}
        return {
            "id": f"{kind}/{object_name}/{webhook}" if admission else f"{kind}/{object_name}",
            "kind": kind,
            "object": {
                "api_version": api_version,
                "kind": object_kind,
                "name": object_name,
                "uid": name,
                "resource_version": "1",
                "generation": 1,
                "created": iso(AT),
                "labels": {},
                "annotations": given.get("annotations", {}),
                "managers": [],
                "owners": [],
            },
            "webhook": webhook,
            "index": 0,
            "client": {
                "service": None if self.url else {"namespace": self.namespace, "name": name, "port": port, "path": given.get("path", "/validate")},
                "url": self.url,
            },
            "server_name": self.server_name,
            "ca_bundle": given.get("ca_bundle", f"CA of {name}"),
            "ca_bundle_error": given.get("ca_bundle_error"),
            "insecure_skip_tls_verify": given.get("insecure", False),
            "failure_policy": given.get("failure_policy", "Fail") if admission else None,
            "timeout_seconds": given.get(
                "timeout", {"conversion": 30, "apiservice": 5}.get(kind, 30 if given.get("webhook") == "webhook.cert-manager.io" else 10)
            ),
            "side_effects": "None",
            "match_policy": "Equivalent",
            "reinvocation_policy": "Never" if kind == "mutating" else None,
            "review_versions": ["v1"],
            "rules": given.get("rules", [rule] if admission else []),
            "namespace_selector": given.get("namespace_selector"),
            "object_selector": None,
            "match_conditions": [],
            "conversion": {
                "group": given.get("group", "example.com"),
                "kind": name.title(),
                "plural": f"{name}s",
                "scope": "Namespaced",
                "versions": [{"name": "v1", "served": True, "storage": True}, {"name": "v1beta1", "served": True, "storage": False}],
                "stored_versions": ["v1"],
            }
            if kind == "conversion"
            else None,
            "apiservice": {"group": f"{name}.example.com", "version": "v1", "available": self._available()} if kind == "apiservice" else None,
            "backend": self.backend["id"],
        }

    def _available(self) -> dict[str, Any]:
        return {"status": "True", "reason": "Passed", "message": "all checks passed", "since": iso(AT), **self.given.get("available", {})}

    def _url_backend(self) -> dict[str, Any]:
        host, dummy, port = self.url.split("/")[2].partition(":")
        return {
            "id": f"url/https://{host}:{port or 443}",
            "kind": "url",
            "url": {"scheme": "https", "host": host, "port": int(port or 443)},
            "service": None,
            "port": None,
            "endpoints": None,
            "pods": None,
        }

    def _service_backend(self) -> dict[str, Any]:
        service = self.given.get("service", {})
        details = service if isinstance(service, Mapping) else {}
        external = details.get("type") == "ExternalName"
        port, target = self.given.get("port", 443), details.get("target_port", 8443)
        ports = [{"name": "https", "port": number, "target_port": target, "protocol": "TCP"} for number in details.get("ports", [] if external else [443])]
        endpoints = [self._endpoint(text, index) for index, text in enumerate(self._endpoint_texts(service))]
        unreadable = self.given.get("endpoints") == "unreadable"
        return {
            "id": f"service/{self.namespace}/{self.name}:{port}",
            "kind": "service",
            "url": None,
            "service": {
                "namespace": self.namespace,
                "name": self.name,
                "found": {"missing": False, "unreadable": None}.get(service if isinstance(service, str) else "", True),
                "type": details.get("type", "ClusterIP"),
                "headless": details.get("headless", False),
                "cluster_ips": [] if external else ["None"] if details.get("headless") else ["10.96.0.7"],
                "external_name": details.get("external_name"),
                "selector": details.get("selector", {"app": self.name}),
                "ports": ports,
            },
            "port": next((one for one in ports if one["port"] == port), None) if service != "missing" else None,
            "endpoints": None if unreadable else endpoints,
            "pods": self._pods(endpoints),
        }

    def _endpoint_texts(self, service: Any) -> list[str]:
        if service == "missing" or (isinstance(service, Mapping) and service.get("type") == "ExternalName"):
            return []
        texts = self.given.get("endpoints", [f"10.1.{self.number}.1 ready", f"10.1.{self.number}.2 ready"])
        return [] if texts == "unreadable" else list(texts)

    def _endpoint(self, text: str, index: int) -> dict[str, Any]:
        address, state = text.split()
        return {
            "address": address,
            "family": "IPv6" if ":" in address else "IPv4",
            "port": None if state == "portless" else self.given.get("listens", 8443),
            "ready": state in ("ready", "portless"),
            "serving": state in ("ready", "portless", "draining"),
            "terminating": state == "draining",
            "node": self.given.get("node", "node-1"),
            "pod": f"{self.namespace}/{self.name}-{index}",
        }

    def _pods(self, endpoints: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
        given = self.given.get("pods")
        if given == "unreadable":
            return None
        if given == "none":
            return []
        if given == "unlisted":
            endpoints = [self._endpoint("10.1.9.1 ready", 0)]
        return [
            {
                "namespace": self.namespace,
                "name": endpoint["pod"].split("/")[1],
                "labels": {"app": self.name},
                "phase": "Running",
                "ready": endpoint["ready"],
                "terminating": endpoint["terminating"],
                "node": endpoint["node"],
                "ip": endpoint["address"],
                "host_network": False,
                "owner": {"kind": "ReplicaSet", "name": self.name},
                "containers": [
                    {
                        "name": self.name,
                        "ready": endpoint["ready"],
                        "restarts": 0,
                        "waiting": None if endpoint["ready"] else "CrashLoopBackOff",
                        "terminated": None,
                        "ports": [{"name": "https", "port": self.given.get("listens", 8443)}],
                    }
                ],
                **self.given.get("pod", {}),
            }
            for endpoint in endpoints
        ]

    # ---- evidence

    def evidence(self) -> list[dict[str, Any]]:
        items = []
        for source in ("event", "condition"):
            for item in self.given.get(f"{source}s", ()):
                last = iso(AT - timedelta(minutes=item.get("minutes_ago", 1)))
                items.append(
                    {
                        "source": source,
                        "text": f"Error creating: {self._envelope(item)}",
                        "count": 3,
                        "first": last,
                        "last": last,
                        "object": {"kind": "ReplicaSet", "namespace": "shop", "name": "web"},
                        "reporter": "replicaset-controller",
                    }
                )
        return items

    def _envelope(self, answer: Mapping[str, Any]) -> str:
        """The API server's text, as it wraps it."""
        if "text" in answer:
            return str(answer["text"])
        url = self.url or f"https://{self.server_name}:{self.given.get('port', 443)}{self.given.get('path', '/validate')}"
        inner = f'Post "{url}?timeout={self.callout["timeout_seconds"]}s": {answer["says"]}' if "says" in answer else str(answer["answers"])
        if self.kind == "conversion":
            return f"conversion webhook for example.com/v1, Kind={self.name.title()} failed: {inner}"
        return f'Internal error occurred: failed calling webhook "{self.callout["webhook"]}": failed to call webhook: {inner}'

    # ---- probes

    def answer(self, spec: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the planned probe brings back."""
        vantage = spec["vantage"]
        if vantage == "apiserver":
            instance = spec["instance"]
            told = self.given.get("instances", {}).get(instance["address"]) if instance else None
            checked = {"check": self.given.get("check", {"what": "work", "done": True, "said": "done"})} if spec.get("check") else {}
            return {**self._api_server(spec, told or self.given.get("apiserver", "ok")), **checked}
        told = self.given.get(vantage, "ok" if vantage == "direct" else "none")
        if isinstance(told, Mapping) and spec.get("host") in told:
            told = told[spec["host"]]
        elif isinstance(told, Mapping) and vantage == "direct" and not set(told) & {"cause", "status", "ms", "setup", "body", "tls"}:
            told = "ok"
        if told == "none":
            return None
        answer = _parsed(told)
        peer = f"{spec['host']}:{spec['port']}" if vantage == "direct" else None
        chain = self._chain(spec.get("host")) if vantage in ("direct", "port_forward") and answer["phase"] in ("http", "review") else None
        tls = {"version": answer["tls"] or "TLSv1.3", "chain": chain} if chain else {"version": answer["tls"], "chain": []} if answer["tls"] else None
        return _result(spec, answer, peer=peer, tls=tls)

    def _api_server(self, spec: Mapping[str, Any], told: Any) -> dict[str, Any]:
        request = {"verb": "patch", "resource": f"{self.name}s", "namespace": "shop", "name": "one", "dry_run": True}
        if isinstance(told, Mapping):
            text = self._envelope(told)
            said = classify(text)
            answer = {**_parsed("ok"), "status": None, "ok": False, "cause": said["cause"], "phase": said["phase"], "error": text}
            return _result(spec, answer, request=request)
        if told == "not provable":
            return {
                **_result(spec, {**_parsed("ok"), "status": None, "ok": False, "phase": "resolve"}),
                "provable": False,
                "attempts": 0,
                "reason": "no object matches its rules",
            }
        return _result(spec, _parsed(told), request=request)

    def _chain(self, host: str | None) -> list[str]:
        if "chain" in self.given:
            return list(self.given["chain"])
        return [f"leaf of {self.name} at {host}" if self._differs(host) else f"leaf of {self.name}"]

    def _differs(self, host: str | None) -> bool:
        return any(isinstance(self.given.get(key), Mapping) and host in self.given[key] for key in ("served", "trust"))

    # ---- trust

    def ca_sources(self) -> list[dict[str, Any]]:
        if "ca_source" not in self.given:
            return []
        told = self.given["ca_source"]
        namespace, secret = told.get("in", [self.namespace, f"{self.name}-ca"])
        return [
            {
                "id": f"Secret/{namespace}/{secret}:ca.crt",
                "kind": "Secret",
                "namespace": namespace,
                "name": secret,
                "key": "ca.crt",
                "claimed_by": told.get("claimed_by", "annotation cert-manager.io/inject-ca-from-secret"),
                "via": None,
                "binding": told.get("binding", True),
                "callouts": [self.callout["id"]],
                "state": told.get("state", "read"),
                "message": told.get("message"),
                "certificates": [f"bundle-0-{subject}" for subject in told.get("holds", [CA["subject"]])],
            }
        ]

    def verdict(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """What cabundle_verify says to the planned question."""
        if item["source"]:
            vouches = bool(self.given["ca_source"]["vouches"])
            trust = {"trusted": vouches, "cause": None if vouches else "unknown_authority", "error": None, "anchor": None, "certificates": [], "problems": []}
            return {"name": item["name"], "callouts": item["callouts"], "source": item["source"], **trust}
        host = item["chain"][0].partition(" at ")[2] if item["chain"] else ""
        trust, served = (self._at(self.given.get(key, default), host) for key, default in (("trust", "ok"), ("served", {})))
        bundle = self.given.get("bundle", [CA] if self.callout["ca_bundle"] else [])
        certificates = [
            _certificate("bundle", index, {"issuer": one.get("subject", CA["subject"]), "names": [], **CA, **one}) for index, one in enumerate(bundle)
        ]
        if item["chain"]:
            leaf = {**LEAF, **(served or {})}
            certificates.append(_certificate("chain", 0, {**leaf, "names": [self.server_name] if leaf["names"] is None else leaf["names"]}))
        cause = trust.get("cause") if isinstance(trust, Mapping) else None if trust == "ok" else trust
        error = (trust.get("error") if isinstance(trust, Mapping) else None) or (f"x509: {cause}" if cause else None)
        asked = bool(item["chain"])
        return {
            "name": item["name"],
            "callouts": item["callouts"],
            "source": None,
            "trusted": (cause is None) if asked else None,
            "cause": cause if asked else None,
            "error": error if asked else None,
            "anchor": {key: certificates[0][key] for key in ("subject", "serial", "sha256", "not_after")} if asked and not cause and bundle else None,
            "certificates": certificates,
            "problems": [],
        }

    @staticmethod
    def _at(told: Any, host: str) -> Any:
        if isinstance(told, Mapping) and host in told:
            return told[host]
        return {} if isinstance(told, Mapping) and any("." in key for key in told) else told


def _parsed(told: Any) -> dict[str, Any]:
    """`ok 1800ms`, `connection_refused after 5000ms`, `http 404`, or a mapping, as the fields of a result."""
    answer: dict[str, Any] = {"ok": False, "cause": None, "phase": "review", "error": None, "status": None, "body": None, "ms": 20.0, "setup": 0.0, "tls": None}
    if isinstance(told, Mapping):
        answer.update(told)
        answer["phase"] = told.get("phase", PHASE_OF.get(told.get("cause"), "review"))
        answer["ok"] = not told.get("cause")
        return answer
    words = str(told).replace(" after ", " ").split()
    if words[-1].endswith("ms"):
        answer["ms"] = float(words.pop()[:-2])
    if words[0] == "http":
        answer.update(cause="http_status", phase="http", status=int(words[1]))
    elif words[0] == "ok":
        answer.update(ok=True, status=200)
    else:
        answer.update(cause=words[0], phase=PHASE_OF.get(words[0], "review"))
    return answer


def _result(spec: Mapping[str, Any], answer: Mapping[str, Any], request: Any = None, peer: str | None = None, tls: Any = None) -> dict[str, Any]:
    status = answer["status"]
    return {
        "name": spec["name"],
        "vantage": spec["vantage"],
        "callouts": spec["callouts"],
        "instance": spec.get("instance"),
        "ok": answer["ok"],
        "phase": answer["phase"],
        "cause": answer["cause"],
        "error": answer["error"] or (answer["cause"] or "").replace("_", " ") or None,
        "provable": True,
        "reason": None,
        "request": request,
        "hidden_by": None,
        "elapsed_ms": {
            "resolve": None,
            "connect": None,
            "tls": None,
            "http": answer["ms"] if answer["setup"] else None,
            "total": answer["ms"] + answer["setup"],
        },
        "peer": {"address": peer},
        "tls": tls,
        "http": {"status": status, "body": answer["body"] or ""} if status else None,
        "attempts": 1,
    }


def _certificate(source: str, index: int, one: Mapping[str, Any]) -> dict[str, Any]:
    end = AT + timedelta(days=one["days"])
    return {
        "source": source,
        "index": index,
        "subject": one["subject"],
        "issuer": one["issuer"],
        "serial": "1",
        "sha256": f"{source}-{index}-{one['subject']}",
        "not_before": iso(end - timedelta(days=one["life"])),
        "not_after": iso(end),
        "is_ca": source == "bundle",
        "dns_names": one["names"],
        "ip_addresses": [],
        "key": "EC 256",
        "signature": "ecdsa-with-SHA256",
        "days_left": float(one["days"]),
    }


def _loopback(spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any] | None:
    told = _loopback_at(given.get("loopback"), spec["host"])
    if told in (None, "none"):
        return None
    peer = f"{spec['host']}:{spec['port']}"
    if told == "refused":
        return _result(spec, _parsed("connection_refused"), peer=peer)
    return _result(spec, _parsed("ok"), peer=peer, tls={"version": "TLSv1.3", "chain": [f"loopback leaf of {spec['host']}", "loopback ca"]})


def _loopback_at(told: Any, host: str) -> Any:
    return told.get(host) if isinstance(told, Mapping) and "days" not in told else told


def _loopback_verdict(item: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    told = _loopback_at(given["loopback"], item["chain"][0].rpartition(" ")[2])
    leaf = {"issuer": "CN=apiserver-loopback-client-ca@1795197545", "names": ["apiserver-loopback-client"], "life": 365, **told}
    return {
        "name": item["name"],
        "callouts": [],
        "source": None,
        "trusted": False,
        "cause": "unknown_authority",
        "error": "x509: certificate signed by unknown authority",
        "anchor": None,
        "certificates": [_certificate("chain", 0, leaf)],
        "problems": [],
    }
