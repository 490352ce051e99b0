# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which back ends something is to be done about, and what. Pure. PRIVATE to the collection.

    what is found                                                       what is done                        word
    ----------------------------------------------------------------    --------------------------------    ------------
    WD720 Fargate, the kubelet answers                                  another port, nothing else          PORT
    WD721 hostNetwork on a port of the node's own                       another, free port                  PORT
    WD703 EKS and an overlay network                                    hostNetwork on a free port          HOST_NETWORK
    WD701 GKE with private nodes, a port that the firewall drops        the port that it admits             OPEN_PORT
    WD710 a NetworkPolicy admits no API server                          a policy that does                  POLICY
    WD105 the Service's targetPort is a name that no pod has            the name that they have             TARGET_PORT
    WD807 the probe asks another port than cert-manager's answers on    the probe asks the right one        PROBE
    WD201 refused, and the process is told another port than is named   the name follows the process        LISTENED_PORT

That is the mode `auto`. The other modes say what is done, about every back end that its network keeps calls from, or about the Deployment that is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._diagnosis.case import Case
from ..._diagnosis.network_path import NetworkPath
from ..request import Request, choice
from .parameters import Parameters

PORT, HOST_NETWORK, OPEN_PORT, POLICY, TARGET_PORT, PROBE, LISTENED_PORT = (
    "port",
    "host_network",
    "open_port",
    "policy",
    "target_port",
    "probe",
    "listened_port",
)
# In the order in which they decide about a back end.
BY_CODE = {
    "WD105": TARGET_PORT,
    "WD807": PROBE,
    "WD720": PORT,
    "WD721": PORT,
    "WD703": HOST_NETWORK,
    "WD710": POLICY,
    "WD701": OPEN_PORT,
    "WD201": LISTENED_PORT,
}
MODES = {"auto": None, "host_network": HOST_NETWORK, "port_only": PORT, "policy": POLICY}
# What says that the network keeps calls from a back end: what the other modes are for.
LOST = ("WD205", "WD210", "WD211", "WD212", "WD701", "WD702", "WD703", "WD704", "WD710", "WD711", "WD713", "WD720", "WD721")
# What is done by changing a Deployment.
OF_DEPLOYMENTS = frozenset((PORT, HOST_NETWORK, OPEN_PORT, PROBE, LISTENED_PORT))


@dataclass(frozen=True)
class Want:
    """remedy: one of the words above. way: to the back end. cases: the call-outs that it is about. findings: because of which; none where it was asked for.
    asked: whether a mode says so, and not what was found."""

    remedy: str
    way: NetworkPath
    cases: tuple[Case, ...]
    findings: tuple[Mapping[str, Any], ...]
    asked: bool = False

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(sorted({finding["code"] for finding in self.findings}))

    @property
    def fingerprints(self) -> tuple[str, ...]:
        return tuple(sorted({finding["fingerprint"] for finding in self.findings}))

    @property
    def service(self) -> Mapping[str, Any]:
        return self.way.case.service or {}

    @property
    def namespace(self) -> str:
        return str(self.service.get("namespace"))

    @property
    def steps(self) -> tuple[str, ...]:
        """What the findings say that a person can do."""
        return tuple(dict.fromkeys(step for finding in self.findings for step in finding["remedy"]["manual"]))


def wants(request: Request, parameters: Parameters | None) -> list[Want]:
    """One for each back end. Raises InvalidOption."""
    mode = MODES[choice(request.options, "mode", MODES)]
    found: dict[str, list[Mapping[str, Any]]] = {}
    for finding in request.of(*(LOST if mode else BY_CODE)):
        for case in request.cases(finding):
            found.setdefault(case.id, []).append(finding)
    by_backend: dict[str, list[Case]] = {}
    for case in request.cluster.cases:
        if case.in_cluster and (_asked_for(case, parameters) if mode and parameters else case.id in found):
            by_backend.setdefault(str(case.backend["id"]), []).append(case)
    return [_want(cases, mode, found) for cases in by_backend.values()]


def _asked_for(case: Case, parameters: Parameters) -> bool:
    """Whether a call-out may reach the Deployment that was named; which one it reaches is known when Deployments have been read."""
    service = case.service or {}
    return service.get("namespace") == parameters.namespace and parameters.service in (None, service.get("name"))


def _want(cases: list[Case], mode: str | None, found: Mapping[str, list[Mapping[str, Any]]]) -> Want:
    findings = {finding["fingerprint"]: finding for case in cases for finding in found.get(case.id, ())}
    way = NetworkPath(next((case for case in cases if case.id in found), cases[0]))
    if mode:
        return Want(mode, way, tuple(cases), tuple(findings.values()), asked=True)
    code = next(code for code in BY_CODE if any(finding["code"] == code for finding in findings.values()))
    return Want(BY_CODE[code], way, tuple(cases), tuple(finding for finding in findings.values() if finding["code"] == code))
