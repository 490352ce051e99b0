# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Lease a part of cert-manager elects its leader by. Pure. PRIVATE to the collection.

Source: cmd/{controller,cainjector} of cert-manager, from 0.11 to 1.21.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Who elects a leader -> the Lease; the webhook elects none.
LEASES = {"controller": "cert-manager-controller", "cainjector": "cert-manager-cainjector-leader-election"}
DEFAULT_NAMESPACE = "kube-system"


def lease_of(component: str, arguments: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """(namespace, name); None where no leader is elected. arguments: each with all its values, of which the last counts, as flags are parsed."""
    name = LEASES.get(component)
    elects, namespace = (next(reversed(arguments.get(key) or [""]), "") for key in ("leader-elect", "leader-election-namespace"))
    return (namespace or DEFAULT_NAMESPACE, name) if name and elects != "false" else None
