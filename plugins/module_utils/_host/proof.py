# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a new API server has come: another process, another container, a newer certificate, ready, and that it stays so. PRIVATE to the collection.

A server that answers /readyz proves nothing by that: it may be the old one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.loopback import Loopback
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import Process

POLL = 0.5  # seconds


class Look(NamedTuple):
    """The API server at one moment. `loopback`: None where there is no process. `unhealthy`: what /readyz or /livez say; None if both say 200."""

    process: Process | None
    container: str | None
    loopback: Loopback | None
    unhealthy: str | None


def missing(before: Look, now: Look, stopped_at: float) -> str | None:
    """What it still lacks of being a new and ready one, None if nothing. `stopped_at`: when the old one was told to end, seconds since 1970. Pure."""
    if now.process is None:
        return "no process of it is there"
    if now.process.same(before.process):
        return f"process {now.process.pid} is still the old one"
    if before.container and now.container in (None, before.container):
        return f"process {now.process.pid} is not in a new container"
    lacking = _new_certificate(before.loopback, now.loopback, stopped_at)
    return lacking or now.unhealthy


def _new_certificate(before: Loopback | None, now: Loopback | None, stopped_at: float) -> str | None:
    if now is None or now.chain is None:
        return f"its loopback certificate cannot be read: {now.error if now else 'it was not asked'}"
    if now.since is None:
        return "what it serves as loopback certificate does not tell when its process began"
    if before and before.since is not None:
        return None if now.since > before.since else "its loopback certificate is still the old one"
    # Whole seconds in the certificate, fractions in the clock.
    return None if now.since >= int(stopped_at) else "its loopback certificate is older than the restart"


class Outcome(NamedTuple):
    """`look`: the last one. `lacks`: None if it was proven, else what was missing at the end. `failures`: each thing that was missing, in order, once."""

    look: Look
    lacks: str | None
    history: tuple[str, ...]


def wait(
    look: Callable[[], Look],
    lacks: Callable[[Look], str | None],
    ready_timeout: float,
    stable_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Look every half second until nothing has been missing of one and the same process for `stable_seconds`.

    That time has to begin within `ready_timeout`: who is ready, fails and is ready again is given until then, no longer.
    """
    began, since, who = clock(), None, None
    history: list[str] = []
    while True:
        seen = look()
        lacking = lacks(seen)
        now = clock()
        if lacking is None and since is not None and seen.process and not seen.process.same(who):
            lacking = f"it ended, and process {seen.process.pid} has taken its place"
        if lacking is not None:
            since = None
            if not history or history[-1] != lacking:
                history.append(lacking)
            if now - began >= ready_timeout:
                return Outcome(seen, lacking, tuple(history))
        elif since is None:
            since, who = now, seen.process
        if since is not None and now - since >= stable_seconds:
            return Outcome(seen, None, tuple(history))
        sleep(POLL)
