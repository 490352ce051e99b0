# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real TLS servers: an API server that shows another certificate to who asks for the loopback name, with health checks that want credentials."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.loopback import SERVER_NAME
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.certificates import Authority, loopback

Answer = tuple[int, str]
READY = (200, "[+]ping ok\n[+]etcd ok\nreadyz check passed\n")
NOT_READY = (500, "[+]ping ok\n[-]etcd failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n")
VERSION = (200, json.dumps({"major": "1", "minor": "36", "gitVersion": "v1.36.3"}))


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away, or are refused, are what is tested."""


class TlsServer:
    """HTTPS at 127.0.0.1. `answers`: path -> answer, looked up anew for each request. `names`: which server names it was asked for (None: none)."""

    def __init__(self, folder: Path, authority: Authority, name: str, answers: Mapping[str, Answer], *, credentials: bool = False) -> None:
        """`credentials`: who has no certificate of the authority and no token is answered 401."""
        self.answers = dict(answers)
        self.names: list[str | None] = []
        self.requests: list[tuple[str, str | None]] = []
        self._folder, self._credentials = folder, credentials
        self._loopbacks: list[tuple[Callable[[], bool], ssl.SSLContext]] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self.port = int(self._server.server_address[1])
        self._server.socket = self._context(authority, name).wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def serve_loopback(self, started: int, when: Callable[[], bool] = lambda: True) -> None:
        """Whoever asks for the loopback name gets the certificate of a process that began then, from now on or as soon as `when` says so."""
        path = self._folder / f"loopback-{started}.pem"
        path.write_bytes(loopback(started))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        self._loopbacks.append((when, context))

    @property
    def times_asked(self) -> int:
        """How often it was asked for the loopback name, the call under way included."""
        return self.names.count(SERVER_NAME)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _context(self, authority: Authority, name: str) -> ssl.SSLContext:
        path, ca = self._folder / "serving.pem", self._folder / "ca.pem"
        path.write_bytes(b"".join(authority.issue(name)))
        ca.write_bytes(authority.certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        if self._credentials:
            context.load_verify_locations(ca)
            context.verify_mode = ssl.CERT_OPTIONAL

        def named(connection: Any, server_name: str | None, _own: ssl.SSLContext) -> None:
            self.names.append(server_name)
            newest_first = [context for when, context in reversed(self._loopbacks) if when()]
            if server_name == SERVER_NAME and newest_first:
                connection.context = newest_first[0]

        context.sni_callback = named
        return context

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                peer = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
                outer.requests.append((self.path, self.headers.get("Authorization")))
                status, text = outer.answers.get(self.path.partition("?")[0], (404, "404 page not found\n"))
                if outer._credentials and not peer and not self.headers.get("Authorization"):
                    status, text = 401, "{}"
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


@contextlib.contextmanager
def serving(*arguments: Any, **options: Any) -> Iterator[TlsServer]:
    server = TlsServer(*arguments, **options)
    try:
        yield server
    finally:
        server.close()
