# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call-out with everything that was observed about it. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.probe_plan import path_of, usable_endpoints

from .endpoints import EndpointView, view_endpoints
from .evidence import Text
from .judgement import Judgement
from .observed import Certificate, Probe, Trust
from .text import dial

if TYPE_CHECKING:
    from .ca_source import CaSource
    from .cluster import Cluster
    from .counters import Counter

_RESOURCES = {
    "validating": "validatingwebhookconfiguration",
    "mutating": "mutatingwebhookconfiguration",
    "conversion": "customresourcedefinition",
    "apiservice": "apiservice",
}


@dataclass(frozen=True)
class Case:
    """What is known about one call-out.

    callout, backend: as in the facts. probes: results that speak for it, by vantage and name. trusts: verdicts about chains that it was served, and the
    one about its caBundle alone. texts: what Events and conditions say of it. cluster: everything else.
    """

    callout: Mapping[str, Any]
    backend: Mapping[str, Any]
    probes: tuple[Probe, ...]
    trusts: tuple[Trust, ...]
    trust_by_chain: Mapping[tuple[str, ...], Trust]
    texts: tuple[Text, ...]
    cluster: Cluster

    @property
    def id(self) -> str:
        return str(self.callout["id"])

    @property
    def service(self) -> Mapping[str, Any] | None:
        """The Service as it was found: None for a URL, `found` is None where Services could not be read."""
        return self.backend.get("service")

    @property
    def wanted(self) -> Mapping[str, Any]:
        """The Service reference of the call-out: {namespace, name, port, path}; {} for a URL."""
        return (self.callout["client"] or {}).get("service") or {}

    @property
    def timeout_ms(self) -> float:
        return float(self.callout["timeout_seconds"]) * 1000

    @property
    def verifies(self) -> bool:
        """Whether the API server verifies the certificate (only an APIService can switch it off)."""
        return not self.callout["insecure_skip_tls_verify"]

    @property
    def in_cluster(self) -> bool:
        return self.backend["kind"] == "service"

    @cached_property
    def usable(self) -> Sequence[Mapping[str, Any]]:
        """The endpoints that traffic is sent to."""
        return usable_endpoints(self.backend)

    @property
    def without_endpoints(self) -> bool:
        """Whether the EndpointSlices were read and hold nothing to send a call to. Under ClusterIP routing kube-proxy still uses endpoints that are
        shutting down but serving, if there are no others (KEP-1669)."""
        endpoints = self.backend.get("endpoints")
        if not self.in_cluster or endpoints is None or self.usable:
            return False
        draining = any(endpoint["terminating"] and endpoint["serving"] and endpoint["port"] for endpoint in endpoints)
        return not (draining and self.cluster.routing != "endpoint")

    def of_vantage(self, *vantages: str) -> list[Probe]:
        """The results of these vantages that say something."""
        return [probe for probe in self.probes if probe.vantage in vantages and probe.says]

    def trust_of(self, probe: Probe) -> Trust | None:
        """The verdict on the chain that this probe was served."""
        return self.trust_by_chain.get(probe.chain) if probe.chain else None

    @cached_property
    def served(self) -> list[Trust]:
        """The verdicts on served chains."""
        return [trust for trust in self.trusts if trust.trusted is not None]

    @cached_property
    def bundle(self) -> tuple[Certificate, ...]:
        """The certificates of the caBundle, as far as a verdict has listed them."""
        return next((trust.bundle for trust in self.trusts if trust.bundle), ())

    @property
    def ca_sources(self) -> tuple[CaSource, ...]:
        """Where its caBundle is meant to come from."""
        return self.cluster.ca_sources.get(self.id, ())

    @property
    def counters(self) -> tuple[Counter, ...]:
        """What each API server has counted of its calls since it started."""
        return self.cluster.counters.get((self.callout["kind"], self.callout["webhook"] or ""), ())

    @cached_property
    def endpoints(self) -> list[EndpointView]:
        """The usable endpoints, each with what the probes saw of it."""
        return view_endpoints(self)

    @cached_property
    def judgement(self) -> Judgement:
        """Whether calls fail, why, and how that is known: see `verdict.judge`."""
        from .verdict import judge  # the judgement of a case needs cases; imported here because case and verdict know each other

        return judge(self)

    @cached_property
    def values(self) -> dict[str, object]:
        """What the commands of the catalogue may name. A step whose value is missing is left out."""
        callout, wanted = self.callout, self.wanted
        backend_service = self.service or {}
        target = next(iter(self.usable), None) or next((endpoint for endpoint in self.backend.get("endpoints") or () if endpoint["port"]), None)
        url = self.backend.get("url") or {}
        pod = next((endpoint["pod"] for endpoint in [*self.usable, *(self.backend.get("endpoints") or ())] if endpoint["pod"]), None)
        if pod is None:
            pod = next((f"{one['namespace']}/{one['name']}" for one in self.backend.get("pods") or ()), None)
        selector = backend_service.get("selector")
        address, port = (target["address"], target["port"]) if target else (url.get("host"), url.get("port"))
        if target is None and not url and backend_service.get("cluster_ips"):
            address, port = next((ip for ip in backend_service["cluster_ips"] if ip and ip != "None"), None), wanted.get("port")
        owner = callout["object"]
        entry = callout["index"] if callout["webhook"] else None
        client = {"conversion": ".spec.conversion.webhook.clientConfig", "apiservice": ".spec"}.get(callout["kind"], f".webhooks[{entry}].clientConfig")
        return {
            "id": self.id,
            "resource": _RESOURCES[callout["kind"]],
            "config": owner["name"],
            "orphan": None if callout["kind"] == "conversion" else owner["name"],  # what may be deleted as a whole
            "crd": owner["name"] if callout["kind"] == "conversion" else None,
            "webhook": callout["webhook"] or owner["name"],
            "namespace": wanted.get("namespace"),
            "service": wanted.get("name"),
            "service_port": wanted.get("port"),
            "slices": f"kubernetes.io/service-name={wanted['name']}" if wanted else None,
            "selector": ",".join(f"{key}={value}" for key, value in sorted(selector.items())) if selector else None,
            "path": path_of(callout),
            "server_name": callout["server_name"],
            "endpoint": dial(str(address), port) if address and port else None,
            "address": address,
            "port": port,
            "target_port": (self.backend.get("port") or {}).get("target_port"),
            "pod": pod.split("/", 1)[1] if pod else None,
            "pod_namespace": pod.split("/", 1)[0] if pod else None,
            "node": next((endpoint["node"] for endpoint in self.usable if endpoint["node"]), None),
            "url": (callout["client"] or {}).get("url"),
            "url_host": url.get("host"),
            "timeout": callout["timeout_seconds"],
            "ca_jsonpath": f"{{{client}.caBundle}}",
            "client_jsonpath": f"{{{client}}}",
            "config_file": f"{owner['name']}.yaml",
        }
