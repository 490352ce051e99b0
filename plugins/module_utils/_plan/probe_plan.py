# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which probes tell most about the call-outs of the facts. PRIVATE to the collection.

Facts in, probe specifications for `endpoint_check` out (docs/architecture.md has both shapes). What is asked once is asked for all whom the answer
speaks for: probes are one per (address, port, server name, path, kind of review), whatever caBundle the call-outs have, because trust is judged
afterwards from the served chain. Everything is bounded, so that one Service with a thousand endpoints does not become a thousand probes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import resource_listed
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.loopback import loopback_probes
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._vocabulary import VANTAGES

Facts = Mapping[str, Any]
Spec = dict[str, Any]

# Endpoints of one back end that are dialled, and pods that are forwarded to. More of the same kind tell nothing new.
MOST_DIRECT = 16
MOST_FORWARDS = 3
# A probe from elsewhere waits a little longer than the API server would, so that "late" and "never" differ; but not half a minute.
LONGEST_OUTSIDE = 12.0
SHORTEST_OUTSIDE = 5.0
# The API server itself needs timeoutSeconds to say that the time is up.
APISERVER_MARGIN = 2.0

# The right in `facts.source.access` that a vantage needs.
_RIGHTS = {"apiserver": "dry_run", "service_proxy": "service_proxy", "port_forward": "port_forward"}

# What the API server's vantage needs of a call-out; the caBundle, labels and annotations are left behind, they are most of its bytes.
_LEAN = (
    "id",
    "kind",
    "webhook",
    "index",
    "client",
    "server_name",
    "failure_policy",
    "timeout_seconds",
    "side_effects",
    "match_policy",
    "reinvocation_policy",
    "review_versions",
    "rules",
    "namespace_selector",
    "object_selector",
    "match_conditions",
    "conversion",
    "apiservice",
    "backend",
)
# Webhooks whose work can be checked, beyond that they answer -> (the check, group and resource of the request that it sends).
_CHECKED = {"webhook.cert-manager.io": ("cert_manager", "cert-manager.io", "certificaterequests")}
# What tells the other vantages which request the back end expects.
_REVIEWED = ("kind", "rules", "conversion", "review_versions")


def plan_probes(facts: Facts, vantages: Sequence[str] | None = None) -> list[Spec]:
    """The probe specifications, in a stable order. Nothing is probed where the facts come from a dump: there is no cluster to ask.

    vantages: the ones to use; None or empty for all that the facts' rights permit (`facts.source.access`).
    Raises ValueError for a vantage that does not exist.
    """
    chosen = _vantages(facts, vantages)
    if facts["source"]["kind"] != "api":
        return []
    callouts = sorted(facts["callouts"], key=lambda callout: callout["id"])
    backends = {backend["id"]: backend for backend in facts["backends"]}
    specs: list[Spec] = []
    if "apiserver" in chosen:
        specs += _from_apiserver(callouts, facts["control_plane"]["instances"])
        specs += _checks(callouts)
    if "service_proxy" in chosen:
        specs += _merged(_through_service_proxy(callouts, backends))
    if "port_forward" in chosen:
        specs += _merged(_through_port_forward(callouts, backends))
    if "direct" in chosen:
        specs += _merged(_direct(callouts, backends, facts["control_plane"]["routing"]))
        specs += loopback_probes(facts)
    return specs


def of_interest(specs: list[Spec], callouts: Iterable[str]) -> list[Spec]:
    """The specifications that speak for one of the call-outs; all where none is named.

    Those that are left out stay rivals: a dry run is chosen so that another webhook, which may be broken, does not end it.
    """
    wanted = set(callouts)
    if not wanted:
        return specs
    kept = [spec for spec in specs if wanted & set(spec["callouts"])]
    others = {spec["callout"]["id"]: spec["callout"] for spec in specs if spec["vantage"] == "apiserver" and not wanted & set(spec["callouts"])}
    rivals = [callout for callout in others.values() if callout["kind"] in ("validating", "mutating")]
    return [{**spec, "rivals": rivals} if spec["vantage"] == "apiserver" else spec for spec in kept]


def _vantages(facts: Facts, asked: Sequence[str] | None) -> set[str]:
    unknown = sorted(set(asked or ()) - set(VANTAGES))
    if unknown:
        raise ValueError(f"unknown vantage {', '.join(map(repr, unknown))}. Expected: {', '.join(VANTAGES)}.")
    access = facts["source"].get("access") or {}
    forbidden = {vantage for vantage, right in _RIGHTS.items() if access.get(right) is False}
    return set(asked or VANTAGES) - forbidden


def review_of(callout: Mapping[str, Any]) -> str:
    """What a probe sends to the back end of this call-out. An aggregated API answers no reviews: the handshake is all that can be asked."""
    return {"validating": "admission", "mutating": "admission", "conversion": "conversion"}.get(callout["kind"], "none")


def path_of(callout: Mapping[str, Any]) -> str:
    """The path that the API server posts to."""
    client = callout["client"]
    if client.get("url"):
        path = client["url"].partition("://")[2].partition("?")[0].partition("#")[0].partition("/")[2]
        return f"/{path}"
    return (client.get("service") or {}).get("path") or "/"


def outside_timeout(callout: Mapping[str, Any]) -> float:
    """Seconds a probe from outside the API server may take."""
    return min(max(float(callout["timeout_seconds"]) + 1.0, SHORTEST_OUTSIDE), LONGEST_OUTSIDE)


def usable_endpoints(backend: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The endpoints that traffic is sent to: ready, with a port."""
    return [endpoint for endpoint in backend.get("endpoints") or () if endpoint["ready"] and endpoint["port"]]


def _merged(specs: Iterable[Spec]) -> list[Spec]:
    """One probe for all that ask the same; `callouts` lists everybody it speaks for, the most patient one sets the time.

    Entries that share a path share the code behind it, so one of them is enough to choose the object of the review.
    """
    merged: dict[tuple[Any, ...], Spec] = {}
    for spec in specs:
        key = tuple((name, spec[name]) for name in sorted(spec) if name not in ("callouts", "timeout", "callout"))
        known = merged.setdefault(key, spec)
        if known is not spec:
            known["callouts"] = sorted({*known["callouts"], *spec["callouts"]})
            known["timeout"] = max(known["timeout"], spec["timeout"])
    return list(merged.values())


def _common(callout: Mapping[str, Any], vantage: str, where: str) -> Spec:
    path, review = path_of(callout), review_of(callout)
    asked = f"{path} ({review})" if review != "none" else "handshake"
    return {
        "name": f"{vantage} {where} {callout['server_name']} {asked}",
        "callouts": [callout["id"]],
        "vantage": vantage,
        "server_name": callout["server_name"],
        "path": path,
        "review": review,
        "callout": {key: callout[key] for key in _REVIEWED} if review != "none" else None,
        "timeout": outside_timeout(callout),
    }


def _direct(callouts: Sequence[Mapping[str, Any]], backends: Mapping[str, Mapping[str, Any]], routing: str) -> Iterator[Spec]:
    """From the host that the module runs on: every usable endpoint, the ClusterIP where the API server may use it, URLs as they are."""
    for callout in callouts:
        backend = backends[callout["backend"]]
        for address, port in _direct_targets(backend, routing):
            where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
            yield {**_common(callout, "direct", where), "host": address, "port": port}


def _direct_targets(backend: Mapping[str, Any], routing: str) -> list[tuple[str, int]]:
    if backend["kind"] == "url":
        # `localhost` in a URL is the API server's own host; asked from here it would be somebody else.
        url = backend["url"]
        return [] if _is_local(url["host"]) else [(url["host"], url["port"])]
    targets = [(endpoint["address"], endpoint["port"]) for endpoint in usable_endpoints(backend)][:MOST_DIRECT]
    service = backend.get("service") or {}
    if routing != "endpoint" and targets and backend.get("port"):
        targets += [(address, backend["port"]["port"]) for address in service.get("cluster_ips") or () if address and address != "None"]
    return targets


def _is_local(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or host.startswith("127.") or host.strip("[]") == "::1"


def _through_service_proxy(callouts: Sequence[Mapping[str, Any]], backends: Mapping[str, Mapping[str, Any]]) -> Iterator[Spec]:
    """Through the API server to an endpoint of its choice: the network path of a webhook call, without its TLS verification.

    Left out where the facts already say that there is nobody to answer.
    """
    for callout in callouts:
        backend = backends[callout["backend"]]
        service = (callout["client"] or {}).get("service")
        if not service or not _may_answer(backend):
            continue
        yield {
            **_common(callout, "service_proxy", f"{service['namespace']}/{service['name']}:{service['port']}"),
            "namespace": service["namespace"],
            "service": service["name"],
            "service_port": service["port"],
        }


def _may_answer(backend: Mapping[str, Any]) -> bool:
    service = backend.get("service") or {}
    if service.get("found") is False or service.get("type") == "ExternalName":
        return False
    if service.get("found") and not backend.get("port"):
        return False
    return backend.get("endpoints") is None or bool(usable_endpoints(backend))


def _through_port_forward(callouts: Sequence[Mapping[str, Any]], backends: Mapping[str, Mapping[str, Any]]) -> Iterator[Spec]:
    """To the process itself, past Service, kube-proxy and network policies: a few ready pods of each back end."""
    for callout in callouts:
        backend = backends[callout["backend"]]
        if backend["kind"] != "service":
            continue
        pods = sorted({(endpoint["pod"], endpoint["port"]) for endpoint in usable_endpoints(backend) if endpoint["pod"]})
        for pod, port in pods[:MOST_FORWARDS]:
            namespace, name = pod.split("/", 1)
            yield {**_common(callout, "port_forward", f"{pod}:{port}"), "namespace": namespace, "pod": name, "pod_port": port}


def _from_apiserver(callouts: Sequence[Mapping[str, Any]], instances: Sequence[Mapping[str, Any]]) -> Iterator[Spec]:
    """One dry run per call-out at the configured address, and one at each API server where several are known.

    `rivals` stays empty: the vantage takes all call-outs of all probes for rivals of each other, and every call-out has a probe here.
    """
    # A static pod that was just made has no address yet.
    known = sorted({(one["address"], one["port"]) for one in instances if one["address"] and one["port"]})
    targets: list[dict[str, Any] | None] = [None]
    if len(known) > 1:
        targets += [{"address": address, "port": port} for address, port in known]
    for callout in callouts:
        lean = _lean(callout)
        for instance in targets:
            at = f" at {instance['address']}:{instance['port']}" if instance else ""
            yield {
                "name": f"apiserver {callout['id']}{at}",
                "callouts": [callout["id"]],
                "vantage": "apiserver",
                "callout": lean,
                "rivals": [],
                "instance": instance,
                "timeout": _patience(callout),
            }


def _checks(callouts: Sequence[Mapping[str, Any]]) -> Iterator[Spec]:
    """One more dry run for each call-out of _CHECKED, to see whether it does its work."""
    for callout in callouts:
        check, group, resource = _CHECKED.get(callout["webhook"] or "", (None, "", ""))
        if check and any(_creates(rule, group, resource) for rule in callout["rules"]):
            yield {
                "name": f"apiserver {callout['id']} does its work",
                "callouts": [callout["id"]],
                "vantage": "apiserver",
                "callout": _lean(callout),
                "rivals": [],
                "instance": None,
                "check": check,
                "timeout": _patience(callout),
            }


def _creates(rule: Mapping[str, Any], group: str, resource: str) -> bool:
    """Whether the rule is about the creation of this resource."""
    operations, groups = rule.get("operations") or (), rule.get("api_groups") or ()
    return bool({"*", "CREATE"} & set(operations)) and bool({"*", group} & set(groups)) and resource_listed(rule.get("resources"), resource, "")


def _lean(callout: Mapping[str, Any]) -> dict[str, Any]:
    return {**{key: callout[key] for key in _LEAN}, "object": {key: callout["object"][key] for key in ("api_version", "kind", "name")}}


def _patience(callout: Mapping[str, Any]) -> float:
    return min(float(callout["timeout_seconds"]), 30.0) + APISERVER_MARGIN
