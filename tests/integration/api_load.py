# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that reads and writes at the API servers of a control plane without a pause, as everybody behind a load balancer does, and counts what fails.

    python api_load.py <kubeconfig> <host:port> ...        ends when its standard input does, and then prints JSON:
    {"requests": int, "failed": [text], "lost": int, "outages": {"host:port": [first, last, how many]}}

Each request goes to the next API server, over a connection that stays open, as long as that one does not refuse it; then to the one after. failed: requests
that none of them took. lost: reads that did not see what was written before. outages: when (seconds since 1970) attempts at an API server failed.
Standard library only.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import select
import ssl
import sys
import tempfile
import time
from itertools import count

_PATH = "/api/v1/namespaces/default/configmaps"
_PAUSE, _TIMEOUT = 0.02, 5.0


def _context(kubeconfig: str) -> ssl.SSLContext:
    with open(kubeconfig, encoding="utf-8") as file:
        config = json.load(file)  # the lab's are JSON
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
        file.flush()
        context.load_cert_chain(file.name)
    return context


class Client:
    def __init__(self, kubeconfig: str, servers: list[str]) -> None:
        self._context, self.servers = _context(kubeconfig), servers
        self._connections: dict[str, http.client.HTTPSConnection] = {}
        self.outages: dict[str, list[float]] = {}

    def ask(self, first: int, method: str, path: str, body: object = None) -> dict[str, object]:
        """Raises ConnectionError if no API server takes the request."""
        said = "nobody was asked"
        for number in range(len(self.servers)):
            server = self.servers[(first + number) % len(self.servers)]
            try:
                return self._once(server, method, path, body)
            except (OSError, http.client.HTTPException) as error:
                said = f"{method} at {server}: {error!r}"
                self._connections.pop(server, None)
                begin, _last, times = self.outages.get(server, [time.time(), 0, 0])
                self.outages[server] = [begin, time.time(), times + 1]
        raise ConnectionError(said)

    def _once(self, server: str, method: str, path: str, body: object) -> dict[str, object]:
        host, port = server.rsplit(":", 1)
        connection = self._connections.setdefault(server, http.client.HTTPSConnection(host, int(port), timeout=_TIMEOUT, context=self._context))
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": kind})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status in (429, 502, 503, 504):
            raise ConnectionError(f"HTTP {answer.status}")
        if answer.status >= 400 and answer.status != 409:
            raise http.client.HTTPException(f"HTTP {answer.status}: {text[:200]!r}")
        return dict(json.loads(text))


def main() -> None:
    client = Client(sys.argv[1], sys.argv[2:])
    name = f"load-{os.getpid()}"
    client.ask(0, "POST", _PATH, {"metadata": {"name": name}, "data": {"n": "0"}})
    print("ready", flush=True)
    requests, lost, failed = 1, 0, []
    for number in count(1):
        if select.select([sys.stdin], [], [], _PAUSE)[0]:
            break
        try:
            client.ask(number, "PATCH", f"{_PATH}/{name}", {"data": {"n": str(number)}})
            requests += 1
            read = client.ask(number + 1, "GET", f"{_PATH}/{name}")
            requests += 1
            lost += read["data"] != {"n": str(number)}
        except ConnectionError as error:
            requests += 1
            failed.append(str(error))
    print(json.dumps({"requests": requests, "failed": failed, "lost": lost, "outages": client.outages}))


if __name__ == "__main__":
    main()
