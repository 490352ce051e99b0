"""A small API server on loopback that answers as scripted, and takes down what it was asked."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import selector_matches

ALL = ["create", "delete", "get", "list", "patch", "update", "watch"]
# "group/version": {resource: (kind, namespaced, verbs)}
SERVED: dict[str, dict[str, tuple[str, bool, list[str]]]] = {
    "v1": {
        "configmaps": ("ConfigMap", True, ALL),
        "namespaces": ("Namespace", False, ALL),
        "nodes": ("Node", False, ALL),
        "pods": ("Pod", True, ALL),
        "pods/status": ("Pod", True, ["get", "patch", "update"]),
        "pods/eviction": ("Eviction", True, ["create"]),
        "pods/exec": ("PodExecOptions", True, ["create", "get"]),
        "secrets": ("Secret", True, ALL),
        "serviceaccounts": ("ServiceAccount", True, ALL),
        "services": ("Service", True, ALL),
    },
    "apps/v1": {
        "deployments": ("Deployment", True, ALL),
        "deployments/scale": ("Scale", True, ["get", "patch", "update"]),
    },
    "shop.example.com/v1": {"carts": ("Cart", True, ALL)},
    "shop.example.com/v2": {"carts": ("Cart", True, ALL)},
    "cert-manager.io/v1": {"certificaterequests": ("CertificateRequest", True, ["create"])},
    "far.example.com/v1": {"stars": ("Star", True, ALL)},
    "admissionregistration.k8s.io/v1": {"validatingwebhookconfigurations": ("ValidatingWebhookConfiguration", False, ALL)},
    "apiregistration.k8s.io/v1": {"apiservices": ("APIService", False, ALL)},
}
AGGREGATED = {"far.example.com/v1"}


class Server(ThreadingHTTPServer):
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that do not wait for a slow answer are what some tests are about; any other error is printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class FakeApiServer:
    """objects: {"pods": [{"namespace", "name", "labels"}]}; answers: scripted ones, see `_scripted`; requests: what came in."""

    def __init__(self, objects: dict[str, list[dict[str, Any]]], answers: list[dict[str, Any]]) -> None:
        self.objects = objects
        self.answers = answers
        self.requests: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                status, document, pause = outer.answer(self.command, self.path, dict(self.headers), body)
                time.sleep(pause)
                data = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _do

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.port = self._server.server_address[1]

    def api(self) -> Api:
        return Api(Settings(server=f"http://127.0.0.1:{self.port}", cluster="fake"), timeout=10)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def writes(self) -> list[str]:
        return [f"{each['method']} {each['path']}" for each in self.requests if each["method"] != "GET"]

    def answer(self, method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, float]:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self.requests.append({"method": method, "path": parts.path, "query": query, "headers": headers, "body": json.loads(body) if body else None})
        scripted = next((each for each in self.answers if each.get("times", 1) > 0 and _meant(each, method, parts.path)), None)
        if scripted:
            if "times" in scripted:
                scripted["times"] -= 1
            return scripted.get("status", 500), _document(scripted), scripted.get("pause", 0)
        if method != "GET":
            return 201 if method == "POST" else 200, {"kind": "Whatever"}, 0
        return (*self._read(parts.path, query), 0)

    def _read(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if path == "/apis":
            return 200, {"kind": "APIGroupList", "groups": [{"name": group} for group in sorted({each.partition("/")[0] for each in SERVED if "/" in each})]}
        steps = path.strip("/").split("/")
        if steps[0] == "apis" and len(steps) == 2:
            versions = [each.partition("/")[2] for each in SERVED if each.startswith(steps[1] + "/")]
            if not versions:
                return 404, {"kind": "Status", "message": "the server could not find the requested resource"}
            preferred = {"version": versions[-1]}
            return 200, {"kind": "APIGroup", "versions": [{"version": each} for each in versions], "preferredVersion": preferred}
        group_version, rest = ("/".join(steps[1:3]), steps[3:]) if steps[0] == "apis" else (steps[1], steps[2:])
        served = SERVED.get(group_version)
        if served is None:
            return 404, {"kind": "Status", "message": "404 page not found"}
        if not rest:
            resources = [{"name": name, "kind": kind, "namespaced": scoped, "verbs": verbs} for name, (kind, scoped, verbs) in served.items()]
            return 200, {"kind": "APIResourceList", "resources": resources}
        if rest == ["apiservices"]:
            items = [{"spec": dict(zip(("group", "version"), each.split("/"), strict=True)) | {"service": {"name": "x"}}} for each in sorted(AGGREGATED)]
            return 200, {"kind": "APIServiceList", "items": items}
        namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else None
        resource, name = (rest[2], rest[3] if len(rest) > 3 else None) if namespace else (rest[0], rest[1] if len(rest) > 1 else None)
        return self._objects(resource, namespace, name, query)

    def _objects(self, resource: str, namespace: str | None, name: str | None, query: dict[str, list[str]]) -> tuple[int, Any]:
        selector = _selector(query.get("labelSelector", [""])[0])
        there = [each for each in self.objects.get(resource, []) if namespace in (None, each.get("namespace"))]
        found = [each for each in there if selector_matches(selector, each.get("labels", {}))]
        if name is not None:
            found = [each for each in found if each["name"] == name]
            return (200, _object(found[0])) if found else (404, {"kind": "Status", "message": "not found"})
        limit = int(query.get("limit", ["500"])[0])
        more = {"continue": "next"} if len(found) > limit else {}
        return 200, {"kind": "PartialObjectMetadataList", "metadata": more, "items": [_object(each) for each in found[:limit]]}


def _object(text: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in text.items() if key in ("name", "namespace", "labels", "deletionTimestamp")}
    metadata |= {"uid": "6a2f", "resourceVersion": "7", "ownerReferences": [{"kind": "Owner"}], "finalizers": ["x/y"], "managedFields": [{}]}
    return {"apiVersion": "shop.example.com/v2", "kind": "Cart", "metadata": metadata, "spec": {"items": 3}, "status": {"paid": True}}


def _meant(each: dict[str, Any], method: str, path: str) -> bool:
    """`to: "PATCH pods"` means a path with that element, `to: "GET /apis"` the very path; the method may be * for any write."""
    wanted, place = each["to"].split(" ", 1)
    if wanted != method and not (wanted == "*" and method != "GET"):
        return False
    return path == place if place.startswith("/") else place in path.split("/")


def _document(each: dict[str, Any]) -> Any:
    if "body" in each:
        return each["body"].encode() if isinstance(each["body"], str) else each["body"]
    details = {"causes": [{"field": "spec"}]} if each.get("causes") else {}
    status = {"kind": "Status", "status": "Failure", "message": each["says"], "reason": each.get("reason", "")}
    return {**status, "code": each.get("status", 500), "details": details}


def _selector(text: str) -> dict[str, Any] | None:
    """The few forms of a labelSelector that the tables use."""
    if not text:
        return None
    expressions, labels = [], {}
    for term in text.split(","):
        if term.startswith("!"):
            expressions.append({"key": term[1:], "operator": "DoesNotExist"})
        elif "=" in term:
            key, value = term.split("=")
            labels[key] = value
        else:
            expressions.append({"key": term, "operator": "Exists"})
    return {"match_labels": labels, "match_expressions": expressions}


@pytest.fixture
def servers() -> Iterator[Any]:
    """Make API servers: servers(objects, answers). Whatever a test does, no write may arrive that is not a dry run."""
    started: list[FakeApiServer] = []

    def start(objects: dict[str, list[dict[str, Any]]] | None = None, answers: list[dict[str, Any]] | None = None) -> FakeApiServer:
        started.append(FakeApiServer(objects or {}, answers or []))
        return started[-1]

    yield start
    for server in started:
        server.close()
        for request in server.requests:
            if request["method"] not in ("GET", "HEAD"):
                assert request["query"].get("dryRun") == ["All"], f"a write that is no dry run: {request}"
            assert "secrets" not in request["path"], f"Secrets are left alone: {request}"
