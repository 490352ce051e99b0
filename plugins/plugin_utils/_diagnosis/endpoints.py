# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a back end's endpoints answer, and which do not. PRIVATE to the collection.

Only endpoints seen from one and the same vantage are compared: if one answers and another does not, the difference is in the endpoint, not in the place
that the probe was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .observed import Probe
from .text import dial

if TYPE_CHECKING:
    from .case import Case

ALIVE, DEAD, UNKNOWN = "alive", "dead", "unknown"


@dataclass(frozen=True)
class EndpointView:
    """One usable endpoint. `cause`, `phase` and `probe` tell of the failure where it is dead."""

    address: str
    where: str
    pod: str | None
    node: str | None
    state: str
    cause: str | None = None
    phase: str | None = None
    probe: Probe | None = None


def view_endpoints(case: Case) -> list[EndpointView]:
    """The usable endpoints in the order of the facts. An endpoint is dead where a vantage fails at it that gets through to another one of them, and alive
    where any vantage gets through and the certificate served is trusted."""
    by_target: dict[str, list[Probe]] = {}
    for probe in case.of_vantage("direct", "port_forward"):
        if probe.target:
            by_target.setdefault(probe.target, []).append(probe)
    seen: list[tuple[Mapping[str, Any], list[Probe]]] = []
    for endpoint in case.usable:
        # The address first: it is what calls go to.
        targets = [dial(endpoint["address"], endpoint["port"])]
        if endpoint["pod"]:
            targets.append(f"{endpoint['pod']}:{endpoint['port']}")
        seen.append((endpoint, [probe for target in targets for probe in by_target.get(target, ())]))
    getting_through = {probe.vantage for dummy, probes in seen for probe in probes if not _fault(case, probe)}
    return [_view(case, endpoint, probes, getting_through) for endpoint, probes in seen]


def _fault(case: Case, probe: Probe) -> tuple[str, str | None] | None:
    """(cause, phase) of what is wrong with this answer, None where nothing is."""
    trust = case.trust_of(probe) if case.verifies else None
    if trust is not None and trust.trusted is False and not (case.callout["ca_bundle"] == "" and not case.in_cluster):
        return trust.cause or "certificate_invalid", "tls"
    return None if probe.ok else (probe.cause or "unknown", probe.phase)


def _view(case: Case, endpoint: Mapping[str, Any], probes: list[Probe], getting_through: set[str]) -> EndpointView:
    where = dial(endpoint["address"], endpoint["port"])
    state, fault, witness = UNKNOWN, None, None
    for probe in probes:
        found = _fault(case, probe)
        if found is None:
            state = ALIVE
            if probe.vantage == "direct":
                break  # its address answers, so whatever a port-forward met is not what calls meet
        elif probe.vantage in getting_through:
            state, fault, witness = DEAD, found, probe
            break
    cause, phase = fault or (None, None)
    return EndpointView(endpoint["address"], where, endpoint["pod"], endpoint["node"], state, cause, phase, witness)
