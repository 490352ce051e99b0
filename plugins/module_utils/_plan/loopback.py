# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server's certificate for talking to itself: where to ask for it, and how to know it. PRIVATE to the collection.

kube-apiserver makes it in memory at start and never renews it. It is served to whoever asks for the server name `apiserver-loopback-client`,
with the start time of the process in its subject (client-go util/cert/cert.go, the same from 1.18 to 1.36).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SERVER_NAME = "apiserver-loopback-client"
SUBJECT = re.compile(r"^apiserver-loopback-client@\d+$")
TIMEOUT = 5.0

# k3s and RKE2 answer on these ports with a listener that puts every asked-for name into its certificate (rancher/dynamiclistener,
# GHSA-m4hf-6vgr-75r2). Asking there would change the cluster.
_SUPERVISOR_PORT = 9345
_K3S_PORT = 6443


def loopback_probes(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One handshake per API server instance, nothing else is sent."""
    git_version = (facts.get("version") or {}).get("git_version") or ""
    forbidden = {_SUPERVISOR_PORT, _K3S_PORT} if "+k3s" in git_version else {_SUPERVISOR_PORT}
    addresses = sorted({(one["address"], one["port"]) for one in facts["control_plane"]["instances"] if one["address"] and one["port"]})
    return [
        {
            "name": f"loopback certificate of [{address}]:{port}" if ":" in address else f"loopback certificate of {address}:{port}",
            "callouts": [],
            "vantage": "direct",
            "host": address,
            "port": port,
            "server_name": SERVER_NAME,
            "path": "/",
            "review": "none",
            "timeout": TIMEOUT,
        }
        for address, port in addresses
        if port not in forbidden
    ]
