# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small servers at 127.0.0.1, as an API server behaves and as others do."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.kubeops.webhook_doctor.tests.tools.loopback_certificate import Loopback


@contextlib.contextmanager
def tls_server(folder: Path, loopback: Loopback, other: Loopback | None = None) -> Iterator[tuple[int, list[str | None]]]:
    """Port, and the names that were asked for. With `other`: the loopback certificate only for its own name, as kube-apiserver does it."""
    context, default = _context(folder / "loopback", loopback), _context(folder / "other", other) if other else None
    names: list[str | None] = []

    def chosen(connection: ssl.SSLSocket, name: str | None, dummy: ssl.SSLContext) -> None:
        names.append(name)
        if name == "apiserver-loopback-client":
            connection.context = context

    listening = default or context
    listening.sni_callback = chosen
    with _listening() as (server, port):

        def serve() -> None:
            while True:
                try:
                    connection, _address = server.accept()
                except OSError:  # closed: the end
                    return
                with connection, contextlib.suppress(OSError), listening.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield port, names


@contextlib.contextmanager
def plain_server(answer: bytes | None) -> Iterator[int]:
    """Port. It says these bytes to everybody, or (None) accepts and says nothing."""
    with _listening() as (server, port), contextlib.ExitStack() as kept:

        def serve() -> None:
            while True:
                try:
                    connection, _address = server.accept()
                except OSError:
                    return
                kept.enter_context(connection)
                if answer is not None:
                    with connection:
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield port


def closed_port() -> int:
    with _listening() as (_server, port):
        return port


@contextlib.contextmanager
def _listening() -> Iterator[tuple[socket.socket, int]]:
    server = socket.create_server(("127.0.0.1", 0))
    try:
        yield server, server.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)  # close alone does not wake who accepts
        server.close()


def _context(folder: Path, made: Loopback) -> ssl.SSLContext:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chain.pem").write_bytes(made.chain)
    (folder / "key.pem").write_bytes(made.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    return context
