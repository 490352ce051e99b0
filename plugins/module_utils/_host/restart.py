# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One restart of the API server of this machine: is it still the one, end it, wait for the new one, prove that. PRIVATE to the collection."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host import container, facts, health, proof, stop
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.grace import grace
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.logs import last_lines
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.loopback import loopback
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.server import Server, find

_REFUSED = {
    "openshift": "the operator rolls it: patch forceRedeploymentReason of kubeapiserver/cluster",
    "talos": "talosctl restarts it",
}


class Wanted(NamedTuple):
    """What was observed and is to be restarted, and how long that may take (seconds). `stop_timeout`: None for what the API server's flags ask for."""

    pid: int
    container_id: str | None
    manages_by: str
    distribution: str
    stop_timeout: int | None
    ready_timeout: int
    stable_seconds: int


class Refused(Exception):
    """Nothing was done; the text says why."""


class Failed(Exception):
    """It was, or may have been, ended, and a new one was not proven. `result`: what the module returns besides the message."""

    def __init__(self, message: str, result: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.result = result


def restart(host: Host, wanted: Wanted, check: bool) -> dict[str, Any]:
    """The result of `api_server_restart`; with `check` nothing is done. Raises Refused, Failed."""
    server = find(host)
    _still_the_one(server, wanted)
    cri = container.runtime(host, server.kubelet)
    seconds = grace(server.arguments) if wanted.stop_timeout is None else wanted.stop_timeout
    before = _Eye(host, server)
    first = before.look()
    if before.refused:
        raise Refused(f"Whether a new API server would be ready could not be asked: {before.refused}. Nothing was done.")
    try:
        chosen = stop.way(host, server, cri, seconds)
    except stop.CannotStop as error:
        raise Refused(str(error)) from error
    result = {"changed": True, "command": str(chosen), "before": before.shown(first, cri), "after": None, "seconds": None, "logs": []}
    if check:
        return result
    began, stopped_at = time.monotonic(), time.time()
    try:
        stop.stop(host, chosen)
    except stop.CannotStop as error:
        if not error.begun:
            raise Refused(str(error)) from error
        raise Failed(str(error), {**result, "seconds": _since(began), "logs": last_lines(host, server, cri)}) from error
    eye = _Eye(host, server)
    outcome = proof.wait(eye.look, lambda look: proof.missing(first, look, stopped_at), wanted.ready_timeout, wanted.stable_seconds)
    result = {**result, "after": eye.shown(outcome.look, cri), "seconds": _since(began)}
    if outcome.lacks is None:
        return result
    history = "; ".join(outcome.history[-5:])
    message = f"{chosen} was done, but no new API server was proven within {wanted.ready_timeout} s: {outcome.lacks}. Seen, in this order: {history}."
    raise Failed(message, {**result, "logs": last_lines(host, server, cri)})


def _still_the_one(server: Server, wanted: Wanted) -> None:
    """Raises Refused."""
    name = server.distribution.name
    if name in _REFUSED:
        raise Refused(f"This is {name}: {_REFUSED[name]}. Nothing was done.")
    seen = (
        ("process", server.process.pid if server.process else None, wanted.pid),
        ("container", server.container.id if server.container else None, wanted.container_id),
        ("distribution", name, wanted.distribution),
        ("manages_by", server.manages_by, wanted.manages_by),
    )
    for what, is_now, was in seen:
        if is_now != was:
            raise Refused(
                f"The API server has changed meanwhile: its {what} is {is_now or 'not there'}, was {was or 'not there'}. Nothing was done; observe it again."
            )


class _Eye:
    """Looks at the API server again and again: the address stays, the process may change."""

    def __init__(self, host: Host, server: Server) -> None:
        self._host, self._distribution = host, server.distribution.name
        self._listens = server.listens
        self._health = facts.asked(host, server)
        self._ready, self._live = health.nothing(), health.nothing()

    def look(self) -> proof.Look:
        server = find(self._host)
        self._ready, self._live = health.nothing(), health.nothing()
        if self._health and server.process:
            self._ready = self._health.ready()
            if self._ready["status"] == 200:
                self._live = self._health.live()
        place = server.container.id if server.container else None
        # Asked every time: with --permit-port-sharing the old process may still answer at the port of the new one.
        certificate = loopback(self._listens.address, self._listens.port, self._distribution) if server.process else None
        return proof.Look(server.process, place, certificate, _unhealthy("readyz", self._ready) or _unhealthy("livez", self._live))

    @property
    def refused(self) -> str | None:
        """Why nobody is told whether it is ready; None where it was told, or no answer came."""
        return str(self._ready["error"]) if self._ready["status"] in health.REFUSED else None

    def shown(self, look: proof.Look, cri: container.Runtime) -> dict[str, Any]:
        """{process, container, loopback, ready, live, version} as in the facts."""
        server = find(self._host)
        return {
            "process": facts.described(look.process, server.arguments),
            "container": container.described(self._host, cri, server.container) if server.manages_by == "static_pod" else None,
            "loopback": look.loopback.shown() if look.loopback else {"chain": None, "error": "it was not asked", "since": None},
            "ready": self._ready,
            "live": self._live,
            "version": self._health.version() if self._health else None,
        }


def _unhealthy(what: str, check: Mapping[str, Any]) -> str | None:
    """What a check lacks of 200."""
    if check["status"] == 200:
        return None
    if check["status"] in health.REFUSED:
        return f"/{what}: {check['error']}"
    failed = f" ({', '.join(check['failed'])})" if check["failed"] else ""
    return f"/{what} says {check['status']}{failed}" if check["status"] else f"/{what} does not answer: {check['error']}"


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)
