# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw requests to one API server, without the `kubernetes` package's models: bounded in time and memory, safe for threads. PRIVATE to the collection."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import MissingLibrary, Unreachable, UpgradeRefused
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.transport import Transport

Query = Mapping[str, Any]
_MAX_BYTES = 64 * 1024 * 1024
_MAX_PAGES = 10_000
_MAX_RESTARTS = 3
_LIST_HEAD = re.compile(rb'\{"kind":"\w+List","apiVersion":"[\w./]+","metadata":(\{[^{}]*\}),"items":\[')
_MOST_WAITS = 3
_LONGEST_WAIT = 5.0  # seconds that one Retry-After may cost


@dataclass(frozen=True)
class Response:
    """An HTTP answer of any status. `headers` is case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body. Raises ValueError where it is not JSON (or JSON nested beyond reason)."""
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("JSON nested too deeply") from error

    def message(self) -> str:
        """What the answer says, for people: the message of a Status, else the first 300 characters, else the number."""
        try:
            status = self.json()
        except ValueError:
            status = None
        if isinstance(status, dict) and status.get("kind") == "Status" and isinstance(status.get("message"), str) and status["message"]:
            return status["message"][:2000]
        text = " ".join(self.body[:300].decode("utf-8", "replace").split())
        return f"HTTP {self.status}: {text}" if text else f"HTTP {self.status}"


class HttpError(Exception):
    """A LIST that was answered with an error status (only `Api.pages` raises it)."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.message())
        self.response = response
        self.status = response.status


class Api:
    """One API server, by the credentials of `settings`. `server`: its URL; `cluster`: what the user calls it (context, else host)."""

    def __init__(self, settings: Settings, timeout: float = 30.0, names: tuple[str, ...] = ()) -> None:
        # urllib3 costs 30 ms to import: whoever reads a dump only never pays.
        from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.transport import Transport

        self.settings = settings
        self.server = settings.server
        self.cluster = settings.cluster
        self.timeout = timeout
        self._transport = Transport(settings)
        self._lock = threading.Lock()
        self._names = names  # further names that the server's certificate may carry

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        max_bytes: int = _MAX_BYTES,
        only: tuple[bytes, ...] = (),
        connect_timeout: float | None = None,
    ) -> Response:
        """Send one request and return whatever status comes back; `body` is bytes, or anything that json.dumps takes.

        `timeout` (seconds) bounds one exchange. A GET is sent a second time if a kept-alive connection turns out to be
        closed, and up to three times more if the API server asks to come back (429, 503 with Retry-After of at most 5 s).
        only: of the body of a 200 only the lines that begin with one of these are kept, as they arrive. connect_timeout: seconds for TCP and TLS alone.
        Raises Unreachable.
        """
        url = self.server + path + ("?" + urlencode(query, doseq=True) if query else "")
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = self._headers(content_type if content is not None else None, headers)
        limit = self.timeout if timeout is None else timeout
        again = method in ("GET", "HEAD")
        waits = _MOST_WAITS if again else 0
        while True:
            transport = self._transport
            try:
                response = Response(*transport.send(method, url, sent, content, limit, max_bytes, only, connect_timeout))
            except Unreachable as error:
                if error.cause == "name_mismatch" and self._renamed(transport):
                    continue
                if error.cause == "connection_closed" and again:
                    again = False
                    continue
                raise
            wait = _retry_after(response)
            if wait is None or not waits:
                return response
            waits -= 1
            time.sleep(wait)

    def pages(
        self,
        path: str,
        query: Query | None = None,
        limit: int = 500,
        timeout: float | None = None,
        containing: tuple[bytes, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """The pages of a LIST as dictionaries, each with a list under `items`.

        A page without any of the bytes in `containing` is not parsed and comes without items: looking for a word in the
        schemas of 500 CustomResourceDefinitions costs a hundredth of decoding them.

        An expired continue token (410 Gone, on big and busy clusters) is replaced by the one that the API server offers
        for the rest of the list, or the list is begun again: a caller may see an object twice, and has to key by name.
        Raises Unreachable, HttpError (any status but 200), ValueError (not a Kubernetes list).
        """
        token: str | None = None
        restarts = 0
        for _count in range(_MAX_PAGES):
            asked = {**(query or {}), "limit": limit, **({"continue": token} if token else {})}
            response = self.request("GET", path, query=asked, timeout=timeout, headers=headers)
            if response.status == 410 and token and restarts < _MAX_RESTARTS:
                restarts += 1
                token = _inconsistent_continue(response)
                continue
            if response.status != 200:
                raise HttpError(response)
            page = _page(response, path, containing)
            yield page
            metadata = page.get("metadata")
            token = metadata.get("continue") if isinstance(metadata, dict) else None
            if not token:
                return
        raise ValueError(f"the list {path} does not end after {_MAX_PAGES} pages")

    def at(self, address: str, port: int) -> Api:
        """The same credentials and CA for one API server instance, by its address.

        Its certificate is held against the name that the configured address has (a load balancer's name is usually in the
        certificate of every instance), else `kubernetes.default.svc`, which every API server's certificate has to carry for pods, else the address.
        """
        host = f"[{address}]" if ":" in address else address
        scheme = urlsplit(self.server).scheme
        name = self.settings.server_name or self.settings.host
        settings = replace(self.settings, server=f"{scheme}://{host}:{port}", server_name=name)
        return Api(settings, timeout=self.timeout, names=("kubernetes.default.svc", address))

    def websocket(self, path: str, query: Query | None = None, protocols: tuple[str, ...] = (), timeout: float | None = None) -> Any:
        """A connected `websocket.WebSocket` (websocket-client) with one of `protocols` agreed; the caller closes it.

        Raises UpgradeRefused where the API server answers with an HTTP status, Unreachable, MissingLibrary.
        """
        try:
            import websocket
        except ImportError as error:
            raise MissingLibrary("websocket-client", "it comes with the kubernetes package") from error
        from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.transport import explained

        limit = self.timeout if timeout is None else timeout
        url = "ws" + self.server[len("http") :] + path + ("?" + urlencode(query, doseq=True) if query else "")
        options: dict[str, Any] = {"timeout": limit, "subprotocols": list(protocols) or None, "suppress_origin": True}
        # A kubelet has no representation of a stream to name: it refuses every media type but this one (HTTP 406).
        options["header"] = [f"{name}: {value}" for name, value in self._headers(None, {"Accept": "*/*"})]
        options.update(_websocket_proxy(self.settings))
        sslopt: dict[str, Any] = {}
        if self._transport.context is not None:
            sslopt = {"context": self._transport.context, "server_hostname": self.settings.server_name or self.settings.host}
        connection = websocket.WebSocket(sslopt=sslopt)
        try:
            connection.connect(url, **options)
        except websocket.WebSocketBadStatusException as error:
            refusal = Response(error.status_code, {}, getattr(error, "resp_body", None) or b"")
            raise UpgradeRefused(refusal.status, refusal.message()) from error
        except (websocket.WebSocketException, OSError) as error:
            raise explained(error, self.settings, limit) from error
        return connection

    def _headers(self, content_type: str | None, extra: Mapping[str, str] | None) -> list[tuple[str, str]]:
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "webhook-doctor", **self.settings.headers}
        if content_type:
            headers["Content-Type"] = content_type
        headers.update(extra or {})
        return [*headers.items(), *(("Impersonate-Group", group) for group in self.settings.groups)]

    def _renamed(self, failed: Transport) -> bool:
        """Whether another name than that of the `failed` transport can be tried; threads that fail together move on by one name."""
        with self._lock:
            if self._transport is failed:
                if not self._names:
                    return False
                name, self._names = self._names[0], self._names[1:]
                self.settings = replace(self.settings, server_name=name)
                self._transport = type(failed)(self.settings)
            return True


def _page(response: Response, path: str, containing: tuple[bytes, ...]) -> dict[str, Any]:
    if containing and not any(word in response.body for word in containing):
        # The API server writes a built-in list's metadata before its items; where it does not, the page is parsed after all.
        head = _LIST_HEAD.match(response.body)
        if head:
            return {"metadata": json.loads(head.group(1)), "items": []}
    page = response.json()
    if not isinstance(page, dict) or not isinstance(page.get("items", ()), (list, type(None))) or "items" not in page:
        raise ValueError(f"{path} is not a Kubernetes list")
    page["items"] = page["items"] or []
    return page


def _retry_after(response: Response) -> float | None:
    """Seconds to wait before the same GET may succeed, None where waiting is not asked for, or is asked for too long."""
    if response.status not in (429, 503):
        return None
    text = response.headers.get("Retry-After") or ""
    return float(text) if text.isdigit() and float(text) <= _LONGEST_WAIT else None


def _inconsistent_continue(response: Response) -> str | None:
    """The token that goes on with the rest of an expired LIST at a newer state; None: begin again."""
    try:
        status = response.json()
    except ValueError:
        return None
    metadata = status.get("metadata") if isinstance(status, dict) else None
    return (metadata.get("continue") or None) if isinstance(metadata, dict) else None


def _websocket_proxy(settings: Settings) -> dict[str, Any]:
    if not settings.proxy:
        return {"http_no_proxy": ["*"]}  # websocket-client would read the environment, which connect() has already judged
    proxy = urlsplit(settings.proxy)
    options: dict[str, Any] = {"http_proxy_host": proxy.hostname, "http_proxy_port": proxy.port or 80}
    options["proxy_type"] = "http" if proxy.scheme in ("http", "https") else proxy.scheme
    if proxy.username:
        options["http_proxy_auth"] = (proxy.username, proxy.password or "")
    return options
