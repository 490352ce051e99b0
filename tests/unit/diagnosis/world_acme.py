# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cert-manager's ACME and what etcd stores, in a few words: `apps.acme`, `apps.etcd` and `apps.certificate_store` of the facts.

acme_says       message of the ClusterIssuer letsencrypt, which is then not ready; absent: it is ready
acme_reason     default ErrRegisterACMEAccount       acme_server    default Let's Encrypt's        acme_ca_bundle    default false
acme_untouched  minutes since the issuer was made, and no condition was written
controller      its pod: {HTTPS_PROXY, HTTP_PROXY, NO_PROXY, hidden, may_hide, ndots, searches, restarts, ready, dns_policy, api_host, arguments};
                none: not seen
cainjector      the same
cluster_proxy   {HTTPS_PROXY, NO_PROXY} of OpenShift
challenge       {says, type, minutes, state, domain}                               order    {says, state, minutes}
stored          {"<plural>.<group>": number, or [number, mean bytes]}              ovh_nodes   so many nodes of OVHcloud
counted         the same, as cert-manager's own are counted at the time of the observation
certificates, requests: as in certificate_garbage.yml, where `stored` says that there are many
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

SERVER = "https://acme-v02.api.letsencrypt.org/directory"
KEYS = frozenset(("acme_says", "acme_untouched", "controller", "cainjector", "challenge", "order", "stored", "requests", "ovh_nodes", "refused"))


def acme_facts(given: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What is to be merged over the facts; {} for a world without any of these."""
    if not KEYS & set(given):
        return {}
    facts: dict[str, Any] = {"apps": {"acme": _acme(given, at), "etcd": {"stored": _stored(given.get("stored", {}))}, "certificate_store": _store(given)}}
    if given.get("refused"):
        facts["evidence"] = [_refused(given["refused"], at)]
    if given.get("ovh_nodes"):
        facts["platform"] = {
            "api_groups": [],
            "node_count": given["ovh_nodes"],
            "nodes": [_node(number) for number in range(given["ovh_nodes"])],
            "daemonsets": [],
            "config": {},
        }
    return facts


def _acme(given: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    says, untouched = given.get("acme_says"), given.get("acme_untouched")
    ready = {"status": "True", "reason": "ACMEAccountRegistered", "message": "The ACME account was registered with the ACME server", "since": _ago(at, 60)}
    if says:
        ready = {"status": "False", "reason": given.get("acme_reason", "ErrRegisterACMEAccount"), "message": says, "since": _ago(at, 60)}
    issuer = {
        "kind": "ClusterIssuer",
        "namespace": None,
        "name": "letsencrypt",
        "created": _ago(at, untouched or 120),
        "server": given.get("acme_server", SERVER),
        "skip_tls_verify": False,
        "ca_bundle": given.get("acme_ca_bundle", False),
        "registered": not says,
        "solvers": ["http01"],
        "ready": None if untouched else ready,
    }
    controller = given.get("controller", {})
    pods = [] if controller == "none" else [_pod("controller", "cert-manager", controller)]
    pods += [_pod("cainjector", "cert-manager-cainjector", given["cainjector"])] if "cainjector" in given else []
    proxy = given.get("cluster_proxy")
    return {
        "issuers": [issuer],
        "orders": _summary(_waiting(given["order"], "order", at) if "order" in given else None),
        "challenges": _summary(_waiting(given["challenge"], "challenge", at) if "challenge" in given else None),
        "pods": pods,
        "cluster_proxy": {"HTTPS_PROXY": None, "HTTP_PROXY": None, "NO_PROXY": None, **proxy} if proxy else None,
        "api_addresses": ["10.96.0.1"],
        "leases": [{"namespace": "kube-system", "holder": "x", "renewed": _ago(at, given.get("lease_minutes", 0))}],
    }


def _pod(component: str, workload: str, said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "namespace": "cert-manager",
        "name": f"{workload}-5f7d-x",
        "component": component,
        "workload": workload,
        "instance": "cert-manager",
        "ready": said.get("ready", True),
        "restarts": said.get("restarts", 0),
        "waiting": None,
        "started": None,
        "host_network": False,
        "proxy": {name: said.get(name) for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")},
        "proxy_hidden": list(said.get("hidden", ())),
        "proxy_may_hide": said.get("may_hide", False),
        "api": {"KUBERNETES_SERVICE_HOST": said["api_host"]} if "api_host" in said else {},
        "dns_policy": said.get("dns_policy", "ClusterFirst"),
        "dns_nameservers": [],
        "dns_searches": list(said.get("searches", ())),
        "dns_options": {"ndots": str(said["ndots"])} if "ndots" in said else {},
        "arguments": dict(said.get("arguments", {})),
    }


def _waiting(said: Mapping[str, Any], name: str, at: datetime) -> dict[str, Any]:
    common = {
        "namespace": "shop",
        "name": name,
        "created": _ago(at, said.get("minutes", 60)),
        "owner": None,
        "state": said.get("state", "pending"),
        "reason": said["says"],
        "issuer": {"kind": "ClusterIssuer", "name": "letsencrypt"},
    }
    domain = said.get("domain", "shop.example.com")
    if name == "order":
        return {**common, "dns_names": [domain]}
    return {**common, "type": said.get("type", "HTTP-01"), "dns_name": domain, "presented": True, "processing": True}


def _summary(one: dict[str, Any] | None) -> dict[str, Any]:
    return {"total": 1 if one else 0, "states": {one["state"]: 1} if one else {}, "unfinished": [one] if one else []}


def _stored(said_of: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name, said in said_of.items():
        resource, dummy, group = name.partition(".")
        number, mean = said if isinstance(said, list) else (said, None)
        found.append({"group": group, "resource": resource, "count": number, "mean_bytes": mean})
    return found


def _store(given: Mapping[str, Any]) -> dict[str, Any]:
    from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.test_certificate_garbage import certificate, stored

    certificates = [certificate(*item) for item in given.get("certificates", {}).items()]
    return {"stored": _stored(given.get("counted", {})), "certificates": certificates, "objects": [stored(words) for words in given.get("requests", ())]}


def _refused(said: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    when = _ago(at, said["minutes_ago"])
    owner = {"kind": "ReplicaSet", "namespace": "shop", "name": "shop-6d5"}
    return {
        "source": said.get("source", "event"),
        "text": said["says"],
        "count": 3,
        "first": when,
        "last": when,
        "object": owner,
        "reporter": "replicaset-controller",
    }


def _node(number: int) -> dict[str, Any]:
    return {
        "name": f"node-{number}",
        "provider_id": None,
        "labels": {"node.k8s.ovh/type": "standard"},
        "internal_ips": [],
        "external_ips": [],
        "pod_cidrs": [],
        "kubelet_version": None,
        "container_runtime": None,
        "os_image": None,
        "ready": True,
    }


def _ago(at: datetime, minutes: float) -> str:
    return (at - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
