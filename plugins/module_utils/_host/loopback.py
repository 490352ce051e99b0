# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate with which this machine's API server talks to itself, by one handshake. PRIVATE to the collection."""

from __future__ import annotations

import ssl
from typing import Any, NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.der import NotACertificate, names
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.times import stamp
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.loopback import SERVER_NAME, SUBJECT, SUPERVISOR_PORT, TIMEOUT
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.dial import dial
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import ProbeFailed, Trace
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.tls import TlsStream, client_context

_K3S_API_SERVER = "kube-apiserver"  # the subject of its own certificate (k3s pkg/daemons/control/deps); that of the other listener is k3s


class Loopback(NamedTuple):
    """`chain`: PEM, leaf first; None where nothing was served, which `error` explains. `since`: when the process that serves it began, by the

    subject, in seconds since 1970; None where the subject says nothing of the kind.
    """

    chain: tuple[str, ...] | None
    error: str | None
    since: int | None

    def shown(self) -> dict[str, Any]:
        return {"chain": None if self.chain is None else list(self.chain), "error": self.error, "since": None if self.since is None else stamp(self.since)}


def loopback(address: str | None, port: int | None, distribution: str | None) -> Loopback:
    """Ask for it, where asking changes nothing: the listeners of k3s (6443) and of the supervisor of RKE2 put every name into their own certificate."""
    if address is None or port is None:
        return _unknown("the address of the API server is not known")
    if port == SUPERVISOR_PORT:
        return _unknown(f"port {port} is a supervisor's, whose listener would put the name into its certificate: it was not asked")
    if distribution == "k3s":
        refusal = _not_the_api_server(address, port)
        if refusal:
            return _unknown(refusal)
    try:
        chain = _handshake(address, port, SERVER_NAME)
    except ProbeFailed as error:
        return _unknown(error.error)
    return Loopback(chain, None, _since(chain))


def _not_the_api_server(address: str, port: int) -> str | None:
    """Why this port of a k3s server is not asked. Its API server serves a certificate of its own to those who give no name; a server without one has a

    balancer at this port, which leads to the listener of another server.
    """
    if address != "127.0.0.1":
        return f"k3s: its API server listens at 127.0.0.1 only, so {address} was not asked"
    try:
        found = names(ssl.PEM_cert_to_DER_cert(_handshake(address, port, "")[0])).common_name
    except ProbeFailed as error:
        return error.error
    except NotACertificate as error:
        return f"k3s: port {port} serves what is {error}"
    if found == _K3S_API_SERVER:
        return None
    return f'k3s: port {port} serves a certificate of "{found}", so this is not the API server, and it was not asked for the name'


def _handshake(address: str, port: int, server_name: str) -> tuple[str, ...]:
    deadline = Deadline.after(TIMEOUT)
    raw = dial(address, port, deadline, Trace())
    try:
        secured = TlsStream(raw, client_context(), server_name, has_certificate=False)
        secured.handshake(deadline)
        return tuple(secured.described()["chain"])
    finally:
        raw.close()


def _since(chain: tuple[str, ...]) -> int | None:
    try:
        match = SUBJECT.match(names(ssl.PEM_cert_to_DER_cert(chain[0])).common_name or "")
    except (NotACertificate, IndexError):
        return None
    return int(match.group(1)) if match else None


def _unknown(why: str) -> Loopback:
    return Loopback(None, why, None)
