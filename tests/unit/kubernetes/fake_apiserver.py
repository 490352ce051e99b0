# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small API server on loopback: real HTTP (and TLS), with paging, selectors, forbidden kinds, expired tokens and any odd answer that a test wants."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATH = re.compile(r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>v[^/]+)(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?")
Answer = tuple[int, dict[str, str], bytes]


def status(code: int, reason: str, message: str, details: dict[str, Any] | None = None, **metadata: Any) -> Answer:
    body = {"kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure", "message": message, "reason": reason, "code": code}
    if details is not None:
        body["details"] = details
    return code, {"Content-Type": "application/json"}, json.dumps(body, separators=(",", ":")).encode()


class FakeApiServer:
    """objects: (group, plural) -> objects. forbidden: plurals that are answered with 403. answers: path -> a function that answers instead."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.objects: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.forbidden: set[str] = set()
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler, dict[str, str]], Answer]] = {}
        self.metrics = "process_start_time_seconds 1.795197545e+09\n"
        self.allowed: set[tuple[str, str, str]] = set()
        self.expire: dict[str, list[str]] = {}  # plural -> what each following request with a token is answered: "inconsistent" or "restart"
        self.deleted: list[tuple[str, dict[str, Any]]] = []  # name, DeleteOptions
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                fake.serve(self)

            do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

            def log_message(self, *_args: Any) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Clients that hang up are what several tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(self, group: str, plural: str, *objects: dict[str, Any]) -> None:
        self.objects.setdefault((group, plural), []).extend(objects)

    def asked(self, plural: str) -> list[tuple[str, dict[str, str]]]:
        """(path, query) of the requests for a plural."""
        found = ((path, query, PATH.fullmatch(path)) for _method, path, query, _headers in list(self.requests))
        return [(path, query) for path, query, match in found if match and match["plural"] == plural]

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.requests.append((handler.command, url.path, query, handler.headers))
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length) if length else b""
        answer = self.answers.get(url.path)
        code, headers, content = answer(handler, query) if answer else self._answer(handler.command, url.path, query, body)
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        if path == "/version":
            return _ok({"major": "1", "minor": "36+", "gitVersion": "v1.36.3", "goVersion": "go1.26.3"})
        if path == "/metrics":
            forbidden = status(403, "Forbidden", 'forbidden: User "test" cannot get path "/metrics"')
            return forbidden if "metrics" in self.forbidden else (200, {"Content-Type": "text/plain; version=0.0.4"}, self.metrics.encode())
        if path == "/apis":
            return _ok({"kind": "APIGroupList", "groups": [{"name": group} for group in sorted({group for group, _plural in self.objects if group})]})
        if path.endswith("/selfsubjectaccessreviews"):
            asked = json.loads(body)["spec"]["resourceAttributes"]
            resource = "/".join(filter(None, (asked["resource"], asked["subresource"])))
            return 201, {}, json.dumps({"status": {"allowed": (asked["verb"], asked["group"], resource) in self.allowed}}).encode()
        match = PATH.fullmatch(path)
        if method == "DELETE" and match and match["name"]:
            return self._delete(match, json.loads(body))
        if method != "GET" or not match:
            return status(404, "NotFound", "the server could not find the requested resource")
        group, plural, namespace, name = match["group"] or "", match["plural"], match["namespace"], match["name"]
        if plural in self.forbidden:
            return status(403, "Forbidden", f'{plural} is forbidden: User "test" cannot list resource "{plural}" in API group "{group}" at the cluster scope')
        if name:
            found = [obj for obj in self._select(group, plural, namespace, query) if obj["metadata"]["name"] == name]
            return _ok(found[0]) if found else status(404, "NotFound", f'{plural} "{name}" not found')
        return self._list(group, plural, namespace, query)

    def _delete(self, match: re.Match[str], options: dict[str, Any]) -> Answer:
        """As DeleteOptions say. Kinds of a namespace that are asked for without one are a path that nobody serves."""
        group, plural, namespace, name = match["group"] or "", match["plural"], match["namespace"], match["name"]
        if plural in self.forbidden:
            return status(403, "Forbidden", f'{plural} "{name}" is forbidden: User "test" cannot delete resource "{plural}" in API group "{group}"')
        stored = self.objects.get((group, plural), [])
        if any("namespace" in item["metadata"] for item in stored) != bool(namespace):
            return status(404, "NotFound", "the server could not find the requested resource", details={})
        item = next((item for item in stored if item["metadata"]["name"] == name and item["metadata"].get("namespace") == namespace), None)
        if item is None:
            return status(404, "NotFound", f'{plural} "{name}" not found', details={"name": name, "kind": plural})
        for key, wanted in (options.get("preconditions") or {}).items():
            if item["metadata"].get(key) != wanted:
                return status(409, "Conflict", f'Operation cannot be fulfilled on {plural} "{name}": Precondition failed: {key}')
        self.deleted.append((name, options))
        if "dryRun" not in options:
            stored.remove(item)
        return _ok({"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def _list(self, group: str, plural: str, namespace: str | None, query: dict[str, str]) -> Answer:
        if "continue" in query and self.expire.get(plural):
            how = self.expire[plural].pop(0)
            return status(410, "Expired", "The provided continue parameter is too old", **({"continue": query["continue"]} if how == "inconsistent" else {}))
        found = self._select(group, plural, namespace, query)
        start = int(query.get("continue", "0"))
        limit = int(query.get("limit", "0")) or len(found)
        metadata: dict[str, Any] = {"resourceVersion": "1"}
        if start + limit < len(found):
            metadata["continue"] = str(start + limit)
            if not {"labelSelector", "fieldSelector"} & set(query):
                metadata["remainingItemCount"] = len(found) - start - limit
        version = f"{group}/v1" if group else "v1"
        kind = "".join(word.capitalize() for word in plural.rstrip("s").split("-"))
        return _ok({"kind": f"{kind}List", "apiVersion": version, "metadata": metadata, "items": found[start : start + limit] or None})

    def _select(self, group: str, plural: str, namespace: str | None, query: dict[str, str]) -> list[dict[str, Any]]:
        found = self.objects.get((group, plural), [])
        if namespace:
            found = [obj for obj in found if obj["metadata"].get("namespace") == namespace]
        if "labelSelector" in query:
            found = [obj for obj in found if _matches(query["labelSelector"], obj["metadata"].get("labels") or {})]
        if query.get("fieldSelector") == "type!=Normal":
            found = [obj for obj in found if obj.get("type") != "Normal"]
        return found


def _ok(content: Any) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(content, separators=(",", ":")).encode()


def _matches(selector: str, labels: dict[str, str]) -> bool:
    several = re.fullmatch(r"(\S+) in \(([^)]*)\)", selector)
    if several:
        return labels.get(several[1]) in several[2].split(",")
    if "=" not in selector:
        return selector in labels
    return all(labels.get(key) == value for key, value in (part.split("=") for part in selector.split(",")))
