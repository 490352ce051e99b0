# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All planners, in the order in which their changes are made where nothing else decides: what only adds or mends before what moves, what deletes last.
PRIVATE to the collection."""

from __future__ import annotations

from ..planner import Planner
from . import ca_bundle, certificate_requests, leader_election, mesh_injection, no_proxy, stale_webhooks, webhook_network, webhook_timeouts

PLANNERS: dict[str, Planner] = {
    planner.role: planner
    for planner in (
        webhook_timeouts.PLANNER,
        ca_bundle.PLANNER,
        mesh_injection.PLANNER,
        leader_election.PLANNER,
        no_proxy.PLANNER,
        webhook_network.PLANNER,
        stale_webhooks.PLANNER,
        certificate_requests.PLANNER,
    )
}
