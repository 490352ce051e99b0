# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vantage `port_forward`: API server -> kubelet -> the pod's own network; TLS is spoken by us. PRIVATE to the collection.

Proves the process, its certificate and its answers; says nothing about Service, kube-proxy, CNI and network policies, which it goes around.
Protocol v4.channel.k8s.io, taken by API servers and kubelets up to 1.36 (k8s.io/cri-streaming pkg/streaming/portforward/websocket.go): each
binary message begins with a channel number, 0 for data, 1 for errors; the first message on each holds the port as two bytes.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors.on_demand import classify
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import Unreachable, UpgradeRefused
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.call import call
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline, OutOfTime
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.dial import Stream
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.endpoint import Endpoint
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import NotProvable, ProbeFailed, Trace

_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_PORT_BYTES = 2
_MOST_SENT = 16 * 1024  # bytes in one message


def probe_port_forward(endpoint: Endpoint, api: Any, deadline: Deadline, trace: Trace) -> str | None:
    """Returns a remark on the answer, usually None. Raises ProbeFailed, NotProvable."""

    def open_stream(deadline: Deadline, trace: Trace) -> Stream:
        trace.peer = f"{endpoint.namespace}/{endpoint.pod}:{endpoint.pod_port}"
        with trace.measure("connect"):
            return _forward(endpoint, api, deadline)

    return call(endpoint, open_stream, deadline, trace)


def _forward(endpoint: Endpoint, api: Any, deadline: Deadline) -> ForwardedStream:
    path = f"/api/v1/namespaces/{endpoint.namespace}/pods/{endpoint.pod}/portforward"
    try:
        connection = api.websocket(path, query={"ports": endpoint.pod_port}, protocols=(_PROTOCOL,), timeout=deadline.left())
    except OutOfTime:
        raise NotProvable("no time was left to ask for a port-forward") from None
    except UpgradeRefused as error:
        right = ". It needs the rights get and create on pods/portforward." if error.status == 403 else ""
        pod = f"{endpoint.namespace}/{endpoint.pod}"
        raise NotProvable(f"the API server refused the port-forward to pod {pod} (HTTP {error.status}): {_words(error)}{right}") from error
    except Unreachable as error:
        raise NotProvable(f"no port-forward to pod {endpoint.namespace}/{endpoint.pod}: {error.message}") from error
    return ForwardedStream(connection)


def _words(error: UpgradeRefused) -> str:
    """The message of the Status that came in the place of a WebSocket; websocket-client's own text holds all headers besides."""
    body = getattr(error.__cause__, "resp_body", None) or b""
    try:
        status = json.loads(body)
    except (ValueError, RecursionError):
        status = None
    message = status.get("message") if isinstance(status, dict) else None
    return str(message or body[:300].decode("utf-8", "replace").strip() or "no reason given")[:2000]


class ForwardedStream:
    """The data channel of a forwarded port as a Stream. What the error channel says is raised as ProbeFailed (phase connect)."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._buffer = bytearray()
        self._skip = {_DATA: _PORT_BYTES, _ERROR: _PORT_BYTES}

    def send(self, data: bytes, deadline: Deadline) -> None:
        for start in range(0, len(data), _MOST_SENT):
            self._guarded(deadline, lambda start=start: self._connection.send_binary(bytes((_DATA,)) + data[start : start + _MOST_SENT]))

    def recv(self, size: int, deadline: Deadline) -> bytes:
        while not self._buffer:
            message = self._guarded(deadline, self._connection.recv)
            if not message:
                return b""
            self._receive(message if isinstance(message, bytes) else message.encode("latin-1", "replace"))
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def close(self) -> None:
        self._connection.shutdown()

    def _receive(self, message: bytes) -> None:
        channel, content = message[0], message[1:]
        skipped = min(self._skip.get(channel, 0), len(content))
        if skipped:
            self._skip[channel] -= skipped
        if channel == _DATA:
            self._buffer += content[skipped:]
        elif channel == _ERROR and content[skipped:]:
            raise forwarding_failure(content[skipped:].decode("utf-8", "replace"))

    def _guarded(self, deadline: Deadline, action: Any) -> Any:
        """Run one operation of websocket-client within the deadline; the end of the connection is the end of the stream."""
        import websocket

        self._connection.settimeout(deadline.left())
        try:
            return action()
        except websocket.WebSocketTimeoutException as error:
            raise OutOfTime from error
        except websocket.WebSocketConnectionClosedException:
            return b""
        except websocket.WebSocketException as error:
            raise ConnectionResetError(str(error)) from error


def forwarding_failure(text: str) -> ProbeFailed:
    """What the kubelet's words on the error channel mean, e.g. `... dial tcp4 127.0.0.1:9443: connect: connection refused`."""
    text = text.strip()[:2000]
    cause = classify(text)["cause"]
    if cause == "unknown" and "refused" in text.lower():  # socat's spelling: Connection refused
        cause = "connection_refused"
    return ProbeFailed("connect", cause, text)
