# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A listener that stands in for a forward proxy: it counts who comes, and refuses them."""

from __future__ import annotations

import socket
import threading


class Listener:
    """Listens at 127.0.0.1 until the process ends. `requests`: how many have come."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.requests = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _address = self._socket.accept()
            with client:
                if client.recv(65536):
                    self.requests += 1
                    client.sendall(b"HTTP/1.1 502 Counted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
