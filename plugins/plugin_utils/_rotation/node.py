# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses that a Node object tells of its machine, and of the API server there. Pure. PRIVATE to the collection.

k3s runs its API server inside of itself, so no flag of it can be seen. What it was started with, be it from its command line or its file, it writes into an
annotation (k3s pkg/nodeconfig); it tells others the first of --advertise-address, --node-external-ip and the Node's own address.
"""

from __future__ import annotations

import json

from .api import Object, annotations_of

_K3S_ARGUMENTS = "k3s.io/node-args"
_ADVERTISED = "--advertise-address"


def addresses(node: Object) -> frozenset[str]:
    """Those at which its machine is reached."""
    told = (node.get("status") or {}).get("addresses") or ()
    return frozenset(str(one["address"]) for one in told if one.get("type") in ("InternalIP", "ExternalIP"))


def advertised(node: Object) -> frozenset[str]:
    """What its k3s was told to tell others; empty where nothing says so."""
    try:
        words = json.loads(annotations_of(node).get(_K3S_ARGUMENTS) or "[]")
    except ValueError:
        return frozenset()
    if not isinstance(words, list):
        return frozenset()
    flags = " ".join(map(str, words)).replace("=", " ").split()
    return frozenset(value for flag, value in zip(flags, flags[1:]) if flag == _ADVERTISED)
