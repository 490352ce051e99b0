# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many probes at once: each question asked once, a thread for each, retries, one overall deadline. PRIVATE to the collection."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline, OutOfTime
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.direct import probe_direct
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.endpoint import Endpoint
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import (
    NotProvable,
    ProbeFailed,
    Trace,
    failed,
    not_provable,
    passed,
    unfinished,
)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 4.0  # seconds before a retry; doubled each time
_RETRIED_PHASES = ("resolve", "connect", "tls")  # before the webhook has seen a request
_GRACE = 1.0  # seconds that a probe may take to notice that the overall deadline has passed
_MOST_LEAD = 2.0  # seconds by which the apiserver vantage, whose probes are one job, is to end before the others

Result = dict[str, Any]
Probe = Callable[[Endpoint, Deadline, Trace], "str | None"]


@dataclass(frozen=True)
class Budget:
    """`deadline`: seconds for all probes together; `concurrency`: probes in flight; `retries`: further attempts of each."""

    deadline: float
    concurrency: int
    retries: int


def check_all(endpoints: Sequence[Endpoint], budget: Budget, api: Any = None) -> list[Result]:
    """The probe results in the order of `endpoints`. `api`: an Api, needed only for the API vantages."""
    deadline = Deadline.after(budget.deadline)
    askers: dict[Any, list[int]] = {}
    for index, endpoint in enumerate(endpoints):
        question = "apiserver" if endpoint.vantage == "apiserver" else endpoint.question()
        askers.setdefault(question, []).append(index)
    jobs: list[tuple[list[int], Callable[[], list[Result]]]] = []
    for indices in askers.values():
        first = endpoints[indices[0]]
        if first.vantage == "apiserver":
            earlier = Deadline(deadline.at - min(_MOST_LEAD, budget.deadline / 10))
            jobs.append((indices, partial(_from_apiserver, [endpoints[index] for index in indices], api, earlier)))
        else:
            jobs.append((indices, partial(_once, first, len(indices), _probe_of(first, api), deadline, budget.retries)))
    results = _run(jobs, budget.concurrency, deadline)
    return [{**endpoint.echoed(), **(results.get(index) or unfinished(budget.deadline))} for index, endpoint in enumerate(endpoints)]


def _probe_of(endpoint: Endpoint, api: Any) -> Probe:
    if endpoint.vantage == "direct":
        return probe_direct
    # Imported here, so that direct probes need nothing but Python.
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.port_forward import probe_port_forward
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.service_proxy import probe_service_proxy

    probe = {"port_forward": probe_port_forward, "service_proxy": probe_service_proxy}[endpoint.vantage]
    at = api.at(endpoint.instance["address"], endpoint.instance["port"]) if endpoint.instance else api
    return lambda endpoint, deadline, trace: probe(endpoint, at, deadline, trace)


def _from_apiserver(endpoints: Sequence[Endpoint], api: Any, deadline: Deadline) -> list[Result]:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.probe import probe_apiserver

    return list(probe_apiserver([endpoint.spec for endpoint in endpoints], api, deadline.at))


def _once(endpoint: Endpoint, copies: int, probe: Probe, deadline: Deadline, retries: int) -> list[Result]:
    result = attempt_all(endpoint, probe, deadline, retries)
    return [result] * copies


def attempt_all(endpoint: Endpoint, probe: Probe, deadline: Deadline, retries: int) -> Result:
    """The result of the last attempt; `attempts` counts them. Only what may pass by itself is tried again."""
    pause = _FIRST_PAUSE
    for attempt in range(1, retries + 2):
        result, again = _attempt(endpoint, probe, deadline)
        result["attempts"] = attempt
        if not again or attempt > retries or time.monotonic() + pause >= deadline.at:
            break
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    return result


def _attempt(endpoint: Endpoint, probe: Probe, deadline: Deadline) -> tuple[Result, bool]:
    trace = Trace()
    try:
        remark = probe(endpoint, deadline.sooner(endpoint.timeout), trace)
    except ProbeFailed as failure:
        return failed(trace, failure), not failure.permanent and failure.phase in _RETRIED_PHASES
    except NotProvable as why:
        return not_provable(trace, why), False
    except OutOfTime:
        # Between two phases, in which waits turn it into a failure of their own.
        return failed(trace, ProbeFailed(trace.phase, "deadline_exceeded", f"no time was left after {endpoint.timeout:g} s")), False
    return {**passed(trace), "reason": remark}, False


def _run(jobs: Sequence[tuple[list[int], Callable[[], list[Result]]]], concurrency: int, deadline: Deadline) -> dict[int, Result]:
    """Results by index. Threads that do not come back in time are left behind (they are daemons and end with the process)."""
    waiting: queue.Queue[tuple[list[int], Callable[[], list[Result]]]] = queue.Queue()
    done: queue.Queue[tuple[list[int], list[Result] | Exception]] = queue.Queue()
    for job in jobs:
        waiting.put(job)

    def work() -> None:
        while time.monotonic() < deadline.at:
            try:
                indices, job = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((indices, job()))
            except Exception as error:  # noqa: BLE001  # raised again in the main thread, where it becomes the module's failure
                done.put((indices, error))

    for _thread in range(min(concurrency, len(jobs))):
        threading.Thread(target=work, daemon=True).start()
    results: dict[int, Result] = {}
    for _job in jobs:
        try:
            indices, found = done.get(timeout=max(deadline.at - time.monotonic(), 0) + _GRACE)
        except queue.Empty:
            break
        if isinstance(found, Exception):
            raise found
        results.update(zip(indices, found))
    return results
