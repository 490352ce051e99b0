# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane in a few words: three hosts on which all is well, with what a table's `given` changes about them.

hosts       {cp1: {...}, ...}: of each what is different from `FACTS`, and in short
              days     its certificate ends in so many (default 100, of 365)       life    of so many
              started  so many hours ago (default: as its life says)                subject another common name
              unreachable, failed, stderr: why nothing is known of it               gone    true: there is no such host
target      whose turn it is (default cp1)
nodes       {cp1: {...}}: of each Node what is different
leases      {name: holderIdentity}
unavailable names of the APIServices that are            baseline    names of those that were; without it this is the beginning
kured       the annotation of its DaemonSet (text, or an object that is written as JSON)
servers     addresses of the EndpointSlices of default/kubernetes (default: those of all hosts)
unread      {Kind: why}: what could not be read
world       what the diagnosis saw, as in tests/unit/diagnosis/world.py; none: there was no diagnosis
options     of the rollout
now         default 2026-11-20T18:00:00Z, a Friday
asked       seconds that it took to ask the hosts (default 2)
alerts      {status, json, msg}       lock    what the module lease returned
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.api import Api
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.instance import Instance, read_instances
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.options import Options
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.situation import Situation
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe

NOW = "2026-11-20T18:00:00Z"
HOSTS = ("cp1", "cp2", "cp3")
LOCK = {"held": True, "holder": None, "until": None}
_KEY = ec.generate_private_key(ec.SECP256R1())


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def address(host: str) -> str:
    return f"10.0.0.{HOSTS.index(host) + 1 if host in HOSTS else 9}"


@lru_cache(maxsize=256)
def pem(subject: str, not_before: datetime, not_after: datetime) -> str:
    """A certificate with this common name and these dates."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "apiserver-loopback-client-ca")])
    made = x509.CertificateBuilder(issuer, name, _KEY.public_key(), 2, not_before, not_after).sign(_KEY, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def chain(days: float, life: float, now: datetime, started: float | None = None, subject: str | None = None) -> list[str]:
    """The chain of a process, from how long its certificate lives still and how long in all."""
    not_after = now + timedelta(days=days)
    not_before = not_after - timedelta(days=life)
    began = now - timedelta(hours=started) if started is not None else not_before + timedelta(hours=1)
    return [pem(subject or f"apiserver-loopback-client@{int(began.timestamp())}", not_before, not_after)]


def facts(host: str, different: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What api_server_facts returns, with what is different in it."""
    short = {key: different[key] for key in ("started", "subject") if key in different}
    good: dict[str, Any] = {
        "hostname": host,
        "clock": {"now": now.isoformat().replace("+00:00", "Z"), "synchronised": True},
        "distribution": {"name": "kubeadm", "because": "/etc/kubernetes/manifests/kube-apiserver.yaml"},
        "manages_by": "static_pod",
        "process": {"pid": 100, "started": "2026-01-01T00:00:00Z", "arguments": {"secure-port": "6443", "advertise-address": address(host)}},
        "container": {"id": f"{host}-old", "attempt": 0, "pod_uid": f"uid-{host}", "state": "running", "started": "2026-01-01T00:00:00Z"},
        "runtime": {"crictl": "/usr/bin/crictl", "endpoint": "unix:///run/containerd/containerd.sock"},
        "address": address(host),
        "port": 6443,
        "addresses": [address(host), "127.0.0.1"],
        "loopback": {"chain": chain(different.get("days", 100), different.get("life", 365), now, **short), "error": None},
        "ready": {"status": 200, "failed": [], "error": None},
        "live": {"status": 200, "failed": [], "error": None},
        "version": "v1.30.14",
        "etcd": {
            "servers": ["https://127.0.0.1:2379"],
            "members": [{"name": name, "client_urls": [f"https://{address(name)}:2379"], "healthy": True, "error": None} for name in HOSTS],
            "embedded": False,
            "error": None,
        },
        "busy": [],
        "manifest": {"path": "/etc/kubernetes/manifests/kube-apiserver.yaml", "sha256": "0" * 64, "grace_seconds": 30},
        "proxy": {},
        "coverage": [],
    }
    rest = {key: value for key, value in different.items() if key not in ("days", "life", "started", "subject", "unreachable", "failed", "stderr", "gone")}
    return over(good, rest)


def over(base: Any, different: Any) -> Any:
    """Mappings merged key by key; anything else replaced."""
    if isinstance(base, Mapping) and isinstance(different, Mapping):
        return {**base, **{key: over(base.get(key), value) for key, value in different.items()}}
    return copy.deepcopy(different)


def result(host: str, different: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """One result of the loop over the hosts."""
    if "unreachable" in different:
        return {"item": host, "unreachable": True, "msg": different["unreachable"]}
    if "failed" in different:
        return {"item": host, "failed": True, "msg": different["failed"], **({"module_stderr": different["stderr"]} if "stderr" in different else {})}
    return {"item": host, "api_server": facts(host, different, now)}


def results(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    hosts = {**{host: {} for host in HOSTS}, **given.get("hosts", {})}
    now = moment(given.get("now", NOW))
    return [result(host, different or {}, now) for host, different in hosts.items() if not (different or {}).get("gone")]


def instances(given: Mapping[str, Any]) -> tuple[Instance, ...]:
    return read_instances(results(given))


def reads(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What read_objects returns."""
    hosts = [item["item"] for item in results(given)]
    nodes = [_node(host, given.get("nodes", {}).get(host, {})) for host in hosts if given.get("nodes", {}).get(host, {}) is not None]
    leases = [{"metadata": {"namespace": "kube-system", "name": name}, "spec": {"holderIdentity": holder}} for name, holder in given.get("leases", {}).items()]
    names = ["v1beta1.metrics.k8s.io", *given.get("unavailable", ())]
    services = [
        {"metadata": {"name": name}, "status": {"conditions": [{"type": "Available", "status": str(name not in given.get("unavailable", ()))}]}}
        for name in dict.fromkeys(names)
    ]
    kured = given.get("kured")
    lock = {"weave.works/kured-node-lock": kured if isinstance(kured, str) else json.dumps(kured)} if kured else {}
    sets = [{"metadata": {"namespace": "kube-system", "name": "kured", "annotations": lock}}]
    slices = [
        {
            "metadata": {"name": "kubernetes"},
            "ports": [{"name": "https", "port": 6443}],
            "endpoints": [{"addresses": [one]} for one in given.get("servers", [address(host) for host in hosts])],
        }
    ]
    found = {"Node": nodes, "Lease": leases, "APIService": services, "DaemonSet": sets, "EndpointSlice": slices}
    unread = given.get("unread", {})
    return [
        {"kind": kind, "objects": [] if kind in unread else objects, "error": unread.get(kind), "reason": "forbidden" if kind in unread else None}
        for kind, objects in found.items()
    ]


def situation(given: Mapping[str, Any]) -> Situation:
    now = moment(given.get("now", NOW))
    diagnosis = None
    if given.get("world") != "none":
        seen = observe(given.get("world", {"rules": []}))
        diagnosis = dict(zip(("facts", "probes", "verdicts"), seen, strict=True))
    baseline = given.get("baseline")
    return Situation(
        instances=instances(given),
        api=Api.of(reads(given)),
        now=now,
        asked=(now - timedelta(seconds=given.get("asked", 2)), now),
        options=Options.of(given.get("options", {})),
        target=given.get("target", "cp1"),
        diagnosis=diagnosis,
        baseline=None if baseline is None else frozenset(baseline),
        lock=given.get("lock", LOCK),
        alerts=given.get("alerts"),
    )


def _node(host: str, different: Mapping[str, Any]) -> dict[str, Any]:
    good = {
        "metadata": {"name": host, "labels": {"node-role.kubernetes.io/control-plane": ""}, "annotations": {}},
        "spec": {},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address(host)}, {"type": "Hostname", "address": host}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"osImage": "Debian GNU/Linux 12 (bookworm)"},
        },
    }
    return over(good, different)
