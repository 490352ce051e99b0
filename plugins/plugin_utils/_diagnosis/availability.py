# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reasons of an APIService's condition Available=False mean. Pure. PRIVATE to the collection.

Source: kube-aggregator pkg/controllers/status/remote/remote_available_controller.go. The controller asks for discovery of the group version five
times at once, for 5 s, with the API server's front-proxy certificate, and verifies no certificate of the back end.
"""

from __future__ import annotations

import re

_REASONS = {
    "ServiceNotFound": "the Service that the APIService names does not exist",
    "ServicePortError": "the Service has no such port",
    "ServiceAccessError": "the API server cannot read Services from its own cache: look at the API server (its calls to itself, RBAC), not at the back end",
    "EndpointsAccessError": "the API server cannot read EndpointSlices from its own cache: look at the API server (its calls to itself, RBAC), not at "
    "the back end",
    "EndpointsNotFound": "the Service has no EndpointSlices at all: no selector matches a pod, or whoever writes them does not run (kube-controller-manager)",
    "MissingEndpoints": "the Service has EndpointSlices, and none of their addresses has that port and is ready",
}
_STATUS = re.compile(r"bad status from \"?https?://\S{1,2048}: (\d{3})\b")
_STATUSES = {
    "401": "the back end does not accept the API server's front-proxy certificate: compare --requestheader-client-ca-file and "
    "--requestheader-allowed-names with "
    "ConfigMap kube-system/extension-apiserver-authentication, which it reads at its start",
    "403": "the back end knows the API server's certificate and forbids discovery to system:kube-aggregator: it cannot ask the API server for rights "
    "(delegated "
    "authorization), or a proxy in front of it refuses",
    "404": "something answers there that does not serve this group and version: another Service, or a back end of another version",
    "503": "the back end is up and not ready: it waits for its own API server, its storage or its informers",
}


def what_it_means(reason: str, message: str) -> str | None:
    """In one line; None where reason and message say it already."""
    if reason != "FailedDiscoveryCheck":
        return _REASONS.get(reason)
    status = _STATUS.search(message)
    if status:
        return _STATUSES.get(status[1])
    if message.startswith("timed out waiting"):
        return "the back end accepts the call and does not answer discovery within 5 s"
    return None
