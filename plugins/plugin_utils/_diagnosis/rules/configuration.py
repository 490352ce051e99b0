# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD1xx: the configuration of a call-out and its Service. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..catalogue import configuration as catalogue
from ..finding import Finding
from ..severity import fails_open
from ..words import endpoints_line

if TYPE_CHECKING:
    from ..case import Case


def service_does_not_exist(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    if judged.fails and judged.cause == "service_not_found":
        yield catalogue.WD101.about(case, judged.because, phase=judged.phase)


def service_lacks_the_port(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    if judged.fails and judged.cause == "service_port_not_found":
        yield catalogue.WD102.about(case, judged.because, phase=judged.phase)


def nobody_is_ready(case: Case) -> Iterator[Finding]:
    """WD105 where pods lack the named port, WD104 where there is somebody who is not ready, else WD103."""
    judged = case.judgement
    if not judged.fails or judged.cause != "no_ready_endpoints":
        return
    if _named_port_is_missing(case):
        name = (case.backend.get("port") or {}).get("target_port")
        yield catalogue.WD105.about(case, [*judged.because, f"no container of the pods has a port named {name}"], phase=judged.phase)
    elif case.backend.get("endpoints") or case.backend.get("pods"):
        yield catalogue.WD104.about(case, judged.because, phase=judged.phase)
    else:
        yield catalogue.WD103.about(case, judged.because, phase=judged.phase)


def _named_port_is_missing(case: Case) -> bool:
    target = (case.backend.get("port") or {}).get("target_port")
    if target is None or str(target).isdigit():
        return False
    pods = case.backend.get("pods")
    if pods:
        # Pods that are not ready have the port all the same: what they lack then is readiness.
        return not any(port["name"] == target for pod in pods for container in pod["containers"] for port in container["ports"])
    endpoints = case.backend.get("endpoints") or ()
    return bool(endpoints) and all(endpoint["port"] is None for endpoint in endpoints)


def service_has_the_wrong_type(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    if judged.fails and judged.cause == "service_type_unsupported":
        external = judged.code == "WD106" or (case.service or {}).get("type") == "ExternalName"
        yield (catalogue.WD106 if external else catalogue.WD107).about(case, judged.because, phase=judged.phase)


def single_pod(case: Case) -> Iterator[Finding]:
    """WD130, where calls work: one pod away from an outage is a warning about the future."""
    if case.callout["kind"] not in ("validating", "mutating") or fails_open(case.callout) or case.judgement.fails:
        return
    selector = (case.service or {}).get("selector")
    # A pod with an IPv4 and an IPv6 address is one pod.
    pods = {endpoint["pod"] or endpoint["address"] for endpoint in case.usable}
    if selector and len(pods) == 1:
        yield catalogue.WD130.about(case, [f"one pod is ready: {pods.pop()}", endpoints_line(case) or ""])


CASE_RULES = (service_does_not_exist, service_lacks_the_port, nobody_is_ready, service_has_the_wrong_type, single_pod)
CLUSTER_RULES = ()
