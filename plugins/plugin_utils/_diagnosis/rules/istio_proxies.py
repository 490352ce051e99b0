# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD857, WD858: sidecars that do not get their configuration. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..catalogue import istio as catalogue
from ..checked import moment
from ..finding import Finding, Subject
from ..mesh import Mesh
from ..text import listing

if TYPE_CHECKING:
    from ..cluster import Cluster

# A proxy that starts is not ready for some seconds, with big meshes longer.
_READY_BY_NOW = timedelta(minutes=2)
COUNTERS = re.compile(r"cds updates: (\d{1,9}) successful, (\d{1,9}) rejected; lds updates: (\d{1,9}) successful, (\d{1,9}) rejected")
REJECTED, NOTHING, UNKNOWN = "rejected", "nothing", "unknown"


def proxies(cluster: Cluster) -> Iterator[Finding]:
    mesh = cluster.mesh
    if not mesh.facts:
        return
    unready = [proxy for proxy in mesh.facts.get("proxies") or () if _is_late(mesh, proxy)]
    astray = [item for item in mesh.facts.get("discovery") or () if item["found"] is False]
    for item in astray:
        yield _no_such_service(mesh, item, [proxy for proxy in unready if proxy["discovery_address"] == item["address"]])
    elsewhere = {item["address"] for item in astray}
    by_place: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for proxy in unready:
        state = state_of(proxy["said"])
        if state == REJECTED or proxy["discovery_address"] not in elsewhere:
            # What is rejected is mended where the configuration is, the rest where istiod is.
            by_place[(state, proxy["namespace"] if state != NOTHING else "")].append(proxy)
    for (state, dummy), found in sorted(by_place.items()):
        yield _not_ready(mesh, state, found)


def state_of(said: str | None) -> str:
    """What a proxy's own words say about its configuration."""
    counters = COUNTERS.search(said or "")
    if counters:
        cds, cds_rejected, lds, lds_rejected = map(int, counters.groups())
        return REJECTED if cds_rejected or lds_rejected else NOTHING if not cds and not lds else UNKNOWN
    return REJECTED if "but was rejected" in (said or "") else NOTHING if "config not received from" in (said or "") else UNKNOWN


def _is_late(mesh: Mesh, proxy: Mapping[str, Any]) -> bool:
    """Running for a while, and its probe fails: a proxy that waits for its image, or was started just now, is another matter."""
    if proxy.get("waiting") or not proxy.get("since") or not proxy["said"]:
        return False
    return mesh.cluster.observed - moment(proxy["since"]) >= _READY_BY_NOW


def _not_ready(mesh: Mesh, state: str, found: Sequence[Mapping[str, Any]]) -> Finding:
    first = found[0]
    lines = [_proxy_line(proxy) for proxy in found[:4]]
    meaning = {
        REJECTED: "istiod is reached, and Envoy rejects what it sends: connectivity is not at fault",
        NOTHING: "no update has come, neither accepted nor rejected: istiod is not reached, or sends nothing",
        UNKNOWN: "the kubelet's event does not tell whether configuration is missing or rejected; the log of istio-proxy does",
    }[state]
    istiod = next((one for one in mesh.control_planes or () if not one["ready"]), None) or next(iter(mesh.control_planes or ()), None)
    values = {
        "namespace": first["namespace"],
        "pod": first["name"],
        "undecided": first["name"] if state == UNKNOWN else None,
        "rejected_namespace": first["namespace"] if state == REJECTED else None,
        "root_namespace": istiod["namespace"] if istiod and state == REJECTED else None,
        "istiod": istiod["name"] if istiod and state != REJECTED else None,
        "istiod_namespace": istiod["namespace"] if istiod and state != REJECTED else None,
    }
    because = [
        *lines,
        meaning,
        f"they ask {', '.join(sorted({str(one['discovery_address']) for one in found if one['discovery_address']})[:3])}"
        if state != REJECTED and any(one["discovery_address"] for one in found)
        else "",
        mesh.control_planes_line() if state != REJECTED and mesh.control_planes is not None else "",
    ]
    subject = Subject(kind="Namespace", name=first["namespace"])
    if state == NOTHING and istiod:
        subject = Subject(kind="Deployment", namespace=istiod["namespace"], name=istiod["name"])
    finding = catalogue.WD857.found(subject, because, root=f"{state}/{first['namespace'] if state != NOTHING else ''}", values=values)
    return replace(finding, impact=_impact(found))


def _impact(found: Sequence[Mapping[str, Any]]) -> str:
    names = sorted({f"{one['owner']['kind']} {one['namespace']}/{one['owner']['name']}" for one in found})
    return f"{len(found)} pod{'s' if len(found) != 1 else ''} of {listing(names)} get{'' if len(found) != 1 else 's'} no traffic"


def _proxy_line(proxy: Mapping[str, Any]) -> str:
    times = f", {proxy['count']} times" if proxy["count"] > 1 else ""
    last = f", last at {proxy['last']}" if proxy["last"] else ""
    return f"pod {proxy['namespace']}/{proxy['name']}{times}{last}: {proxy['said']}"


def _no_such_service(mesh: Mesh, item: Mapping[str, Any], unready: Sequence[Mapping[str, Any]]) -> Finding:
    service = item["service"]
    name = f"{service['namespace']}/{service['name']}"
    what = f"Service {name} has no port {service['port']}" if item["exists"] else f"Service {name} does not exist"
    right = next((one for one in mesh.facts.get("services") or () if 15012 in one["ports"]), None)
    config_map = next((one for one in mesh.facts.get("meshes") or () if one["discovery_address"] == item["address"]), None)
    because = [
        f"discoveryAddress is {item['address']} for {listing(list(item['examples']), 4)}" + (f" ({item['told']} in all)" if item["told"] > 4 else ""),
        what,
        f"istiod's Services: {', '.join(one['namespace'] + '/' + one['name'] for one in mesh.facts.get('services') or ()) or 'none'}",
        *(_proxy_line(proxy) for proxy in unready[:3]),
    ]
    values = {
        "address_namespace": service["namespace"],
        "address_service": service["name"],
        "right_address": f"{right['name']}.{right['namespace']}.svc:15012" if right else None,
        "mesh_namespace": config_map["namespace"] if config_map else None,
        "mesh_config_map": config_map["name"] if config_map else None,
    }
    finding = catalogue.WD858.found(
        Subject(kind="Service", namespace=service["namespace"], name=service["name"]), because, root=f"discovery/{item['address']}", values=values
    )
    impact = _impact(unready) if unready else "sidecars that are created now get no configuration, and do not become ready"
    return replace(finding, impact=impact)


CASE_RULES = ()
CLUSTER_RULES = (proxies,)
