# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vantage `apiserver`: make the API server itself call a webhook, and hear what it says. PRIVATE to the collection."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.admission import asked_again, probe_admission, seemed_slow
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.aggregation import probe_apiservice
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.attempt import Probe, Run
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.cert_manager import check_cert_manager
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.chain import Chain
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.channel import Channel
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.conversion import probe_conversion
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.judgement import Judgement
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.once import Once
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.surroundings import Surroundings
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline

_DEFAULT_TIMEOUT = 35.0  # seconds: a little more than the 34 s that the API server gives a write
_CALM_WORKERS = 4  # of the second round, where time is what matters
_CALM = 1.0  # seconds without an answer
_PROBES = {"validating": probe_admission, "mutating": probe_admission, "conversion": probe_conversion, "apiservice": probe_apiservice}
_CHECKS = {"cert_manager": check_cert_manager}  # whether an application does its work, beyond answering


def probe_apiserver(specs: Sequence[Mapping[str, Any]], api: Api, deadline: float, workers: int = 128) -> list[dict[str, Any]]:
    """Results (docs/architecture.md) for specifications of the vantage `apiserver`, in their order.

    Each spec has a `callout`, and `rivals`: further admission call-outs that requests may meet. All call-outs of all specs count
    as rivals of each other, so that a list of rivals needs only those that have no spec of their own.
    A spec's `timeout` has to be longer than the webhook's, or the API server's answer is not waited for.
    `deadline`: the moment of the monotonic clock by which everything is over. Dry runs mostly wait, so `workers` may be many.
    Raises KeyError for a call-out that lacks keys of the contract.
    """
    if not specs:
        return []
    end = Deadline(deadline)
    rivals = (rival for spec in specs for rival in spec.get("rivals") or ())
    run = Run(Surroundings(Channel(api, end)), Chain([*rivals, *(spec["callout"] for spec in specs)]), f"webhook-doctor-{secrets.token_hex(4)}")
    channels = Once()

    def asked(spec: Mapping[str, Any]) -> tuple[Probe, Judgement]:
        channel = channels.get(_instance(spec), lambda: Channel(_api_of(spec, api), end))
        probe = Probe(spec, spec["callout"], channel, run, float(spec.get("timeout") or _DEFAULT_TIMEOUT))
        return probe, _CHECKS[spec["check"]](probe) if spec.get("check") else _PROBES[spec["callout"]["kind"]](probe)

    def settled(outcome: Future[tuple[Probe, Judgement]]) -> tuple[Probe, Judgement]:
        probe, judgement = outcome.result()
        return probe, asked_again(probe, judgement) if seemed_slow(probe, judgement) else judgement

    with (
        ThreadPoolExecutor(max_workers=min(workers, len(specs)), thread_name_prefix="apiserver-probe") as pool,
        ThreadPoolExecutor(max_workers=_CALM_WORKERS, thread_name_prefix="apiserver-probe") as calm,
    ):
        outcomes = [pool.submit(asked, spec) for spec in specs]
        _until_calm(outcomes)
        answered_first = sorted(outcomes, key=lambda outcome: not outcome.done())
        final = {outcome: calm.submit(settled, outcome) for outcome in answered_first}
        return [{**_echoed(probe.spec), **probe.result(judgement)} for probe, judgement in (final[outcome].result() for outcome in outcomes)]


def _until_calm(outcomes: Iterable[Future[Any]]) -> None:
    """Wait until all have been sent and none was answered for a while: those that are left wait for somebody who does not answer."""
    pending = set(outcomes)
    while pending:
        done, pending = wait(pending, timeout=_CALM, return_when=FIRST_COMPLETED)
        if not done and all(outcome.running() for outcome in pending):
            return


def _echoed(spec: Mapping[str, Any]) -> dict[str, Any]:
    callouts = spec.get("callouts") or [spec["callout"]["id"]]
    return {"name": spec.get("name"), "vantage": "apiserver", "callouts": callouts, "instance": spec.get("instance")}


def _instance(spec: Mapping[str, Any]) -> tuple[str, int] | None:
    instance = spec.get("instance")
    return (instance["address"], instance["port"]) if instance else None


def _api_of(spec: Mapping[str, Any], api: Api) -> Api:
    instance = _instance(spec)
    return api.at(*instance) if instance else api
