# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that was observed, whatever the source, in the shapes of the facts. PRIVATE to the collection.

Objects are converted as they arrive and then forgotten, so that memory grows with what is kept and not with what the cluster holds.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any, Callable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.ca_sources import CA_CONFIG_MAPS
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.callouts import admission_callouts, apiservice_callout, conversion_callout
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.control_plane import api_server_facts, is_api_server
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.coverage import ERROR, Coverage
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.evidence import Evidence
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.network import endpoints_facts, service_facts, slice_facts
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.pods import pod_facts
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import Malformed, labels, mapping, name_of, namespace_of, text

Key = tuple[str, str]  # namespace, name

# The kinds that are read, by API group; the plurals name them in coverage.
PLURALS = {
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): "validatingwebhookconfigurations",
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): "mutatingwebhookconfigurations",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "customresourcedefinitions",
    ("apiregistration.k8s.io", "APIService"): "apiservices",
    ("", "Service"): "services",
    ("discovery.k8s.io", "EndpointSlice"): "endpointslices",
    ("", "Endpoints"): "endpointslices",
    ("", "Pod"): "pods",
    ("", "Namespace"): "namespaces",
    ("", "Event"): "events",
    ("events.k8s.io", "Event"): "events",
}


class Scope:
    """Where a kind has been looked for, so that "not there" can be told from "not looked"."""

    def __init__(self) -> None:
        self.everywhere = False
        self.namespaces: set[str] = set()
        self.names: set[Key] = set()

    def covers(self, namespace: str, name: str) -> bool:
        return self.everywhere or namespace in self.namespaces or (namespace, name) in self.names


class Inventory:
    """Filled by a source (API or dump) through `add`, read by `facts`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.callouts: dict[str, dict[str, Any]] = {}
        self.services: dict[Key, dict[str, Any]] = {}
        self.slices: dict[Key, list[dict[str, Any]]] = defaultdict(list)
        self.endpoints: dict[Key, list[dict[str, Any]]] = {}
        self.pods: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)  # namespace -> name -> pod
        self.namespaces: dict[str, dict[str, str]] = {}
        self.servers: dict[str, dict[str, Any]] = {}
        self.api_groups: frozenset[str] | None = None  # null: not known
        self.observers: list[Observer] = []
        self.ca_config_maps: dict[Key, dict[str, Any]] = {}
        self.evidence = Evidence()
        self.coverage = Coverage()
        self.looked: dict[str, Scope] = {kind: Scope() for kind in ("services", "endpointslices", "pods", "namespaces")}
        self._seen_slices: set[Key] = set()
        self._readers: dict[str, Callable[[dict[str, Any]], None]] = {
            "ValidatingWebhookConfiguration": lambda obj: self._add_admission(obj, "validating"),
            "MutatingWebhookConfiguration": lambda obj: self._add_admission(obj, "mutating"),
            "CustomResourceDefinition": lambda obj: self._add_callout(conversion_callout(obj)),
            "APIService": self._add_apiservice,
            "Service": self._add_service,
            "EndpointSlice": self._add_slice,
            "Endpoints": self._add_endpoints,
            "Pod": self._add_pod,
            "Namespace": self._add_namespace,
            "Event": self.evidence.add_event,
            "ConfigMap": self._add_config_map,
        }

    def add(self, obj: dict[str, Any]) -> str | None:
        """Take an object in, and return the plural of its kind; None if that tells nothing about call-outs (but perhaps a condition does).

        What cannot be understood becomes a coverage entry that names the object.
        """
        kind = text(obj.get("kind")) or ""
        group_kind = ((text(obj.get("apiVersion")) or "").rpartition("/")[0], kind)
        plural = PLURALS.get(group_kind)
        try:
            with self._lock:
                for observer in self.observers:
                    if group_kind in observer.kinds:
                        observer.take(obj)
                if plural is not None or kind == "ConfigMap":
                    self._readers[kind](obj)
                elif mapping(obj.get("status")).get("conditions"):
                    self.evidence.add_conditions(obj)
        except Malformed as error:
            self.coverage.add(_label(obj), ERROR, f"It could not be understood: {error}.")
        return plural

    def _add_callout(self, callout: dict[str, Any] | None) -> None:
        if callout is not None:
            self.callouts[callout["id"]] = callout

    def _add_admission(self, obj: dict[str, Any], kind: str) -> None:
        callouts, problems = admission_callouts(obj, kind)
        for callout in callouts:
            self._add_callout(callout)
        for problem in problems:
            self.coverage.add(_label(obj), ERROR, f"An entry could not be understood: {problem}.")

    def _add_apiservice(self, obj: dict[str, Any]) -> None:
        self._add_callout(apiservice_callout(obj))
        self.evidence.add_conditions(obj)

    def _add_service(self, obj: dict[str, Any]) -> None:
        self.services[(namespace_of(obj), name_of(obj))] = service_facts(obj)

    def _add_slice(self, obj: dict[str, Any]) -> None:
        key = (namespace_of(obj), name_of(obj))
        found = slice_facts(obj)
        if found is not None and key not in self._seen_slices:  # a list that is begun again shows a slice twice
            self._seen_slices.add(key)
            self.slices[found[0]] += found[1]

    def _add_endpoints(self, obj: dict[str, Any]) -> None:
        key, found = endpoints_facts(obj)
        self.endpoints[key] = found

    def _add_pod(self, obj: dict[str, Any]) -> None:
        pod = pod_facts(obj)
        self.pods[pod["namespace"]][pod["name"]] = pod
        if is_api_server(obj):
            self.servers[pod["name"]] = api_server_facts(obj)

    def _add_namespace(self, obj: dict[str, Any]) -> None:
        self.namespaces[name_of(obj)] = labels(mapping(obj.get("metadata")).get("labels"))

    def _add_config_map(self, obj: dict[str, Any]) -> None:
        """Keeps those with a CA, and of these the CA alone: ConfigMaps hold all kinds of things."""
        key = CA_CONFIG_MAPS.get(name_of(obj))
        if key is not None:
            self.ca_config_maps[(namespace_of(obj), name_of(obj))] = {"data": {key: mapping(obj.get("data")).get(key)}}


def _label(obj: dict[str, Any]) -> str:
    """ "ValidatingWebhookConfiguration cert-manager", for messages."""
    metadata = mapping(obj.get("metadata"))
    namespace, name = text(metadata.get("namespace")), text(metadata.get("name"))
    return f"{text(obj.get('kind')) or 'object'} {namespace + '/' if namespace else ''}{name or 'without a name'}"
