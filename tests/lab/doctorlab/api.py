# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of the lab's API server; it works where it runs inside the lab's network."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import LabError
from .objects import Object

# Kind -> (path of the group and version, resource, whether it is namespaced). Custom resources are not created by kind.
_KINDS = {
    "Namespace": ("/api/v1", "namespaces", False),
    "Node": ("/api/v1", "nodes", False),
    "ConfigMap": ("/api/v1", "configmaps", True),
    "Service": ("/api/v1", "services", True),
    "ServiceAccount": ("/api/v1", "serviceaccounts", True),
    "Pod": ("/api/v1", "pods", True),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies", True),
    "ReplicaSet": ("/apis/apps/v1", "replicasets", True),
    "ClusterRole": ("/apis/rbac.authorization.k8s.io/v1", "clusterroles", False),
    "Role": ("/apis/rbac.authorization.k8s.io/v1", "roles", True),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings", True),
    "ClusterRoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", False),
    "ValidatingWebhookConfiguration": ("/apis/admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", False),
    "MutatingWebhookConfiguration": ("/apis/admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", False),
    "CustomResourceDefinition": ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", False),
    "APIService": ("/apis/apiregistration.k8s.io/v1", "apiservices", False),
    "Gauge": (None, "gauges", True),
}
MERGE_PATCH = "application/merge-patch+json"


class Client:
    """Connections to one API server, one for each thread."""

    def __init__(self, server: str, authority: Path, certificate: Path, key: Path, timeout: float = 40) -> None:
        self._server = urlsplit(server)
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.load_cert_chain(certificate, key)
        self._timeout = timeout
        self._local = threading.local()

    def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> tuple[int, Any]:
        """Send one request; return status and decoded answer (text where it is not JSON). Raises OSError or http.client.HTTPException."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            assert self._server.hostname
            connection = http.client.HTTPSConnection(self._server.hostname, self._server.port, context=self._context, timeout=self._timeout)
            self._local.connection = connection
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": content_type, "Accept": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", errors="replace")
        except (OSError, http.client.HTTPException):
            connection.close()
            self._local.connection = None
            raise
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def create(self, item: Object) -> None:
        """Create an object, and write its status where it has one. Raises LabError if the API server refuses."""
        body = {key: value for key, value in item.items() if key != "status"}
        self._must("POST", collection(item), body)
        if "status" in item:
            self._must("PATCH", f"{path_of(item)}/status", {"status": item["status"]}, MERGE_PATCH)

    def replace_spec(self, item: Object) -> None:
        self.merge(path_of(item), {"spec": item["spec"]})

    def merge(self, path: str, patch: Object) -> None:
        self._must("PATCH", path, patch, MERGE_PATCH)

    def get(self, path: str) -> Any:
        return self._must("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self._must("POST", path, body)

    def _must(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        status, answer = self.request(method, path, body, content_type)
        if not 200 <= status < 300:
            message = answer.get("message") if isinstance(answer, dict) else answer
            raise LabError(f"the lab's API server refuses {method} {path}: {status} {message}")
        return answer


def collection(item: Object) -> str:
    """The path where objects of this kind and namespace are created."""
    prefix, resource, namespaced = _KINDS[item["kind"]]
    base = prefix or f"/apis/{item['apiVersion']}"
    return f"{base}/namespaces/{item['metadata']['namespace']}/{resource}" if namespaced else f"{base}/{resource}"


def path_of(item: Object) -> str:
    return f"{collection(item)}/{item['metadata']['name']}"


def each(work: Callable[[Any], Any], items: Iterable[Any], threads: int = 8) -> list[Any]:
    """Do the same for all items, some at a time; the first exception is raised."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def wait(what: str, done: Callable[[], bool], timeout: float, pause: float = 0.1) -> None:
    """Wait until something is so. Raises LabError that says what did not come."""
    deadline = time.monotonic() + timeout
    while not done():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not so after {timeout:.0f} s")
        time.sleep(pause)
