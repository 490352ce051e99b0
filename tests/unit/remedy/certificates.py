# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real certificates for the tables of planners: what is planned about trust is verified, so words cannot stand for them.

All live from 2026-01-01 to 2027-12-31 unless their name says otherwise; the tables' worlds are of 2026-11-20.
"""

from __future__ import annotations

import base64
import functools
from typing import Any

from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.authority import Spec, authority, server

CA = authority("hook-ca", "p256-a")
NEW_CA = authority("hook-ca", "p256-b")
STRANGER = authority("stranger", "p256-c")
SPECS: dict[str, Spec] = {
    "ca": CA,
    "new_ca": NEW_CA,
    "stranger": STRANGER,
    "ended_ca": authority("hook-ca", "p256-d", not_after="261101000000Z"),
    "leaf": server(CA, "hook.system.svc"),
    "leaf_of_new": server(NEW_CA, "hook.system.svc"),
    "leaf_for_another": server(NEW_CA, "other.system.svc"),
}


@functools.cache
def _pem(name: str) -> str:
    """Signatures are random, so each certificate is made once."""
    return SPECS[name].pem()


def written_out(value: Any) -> Any:
    """A row with its certificates: `PEM ca new_ca`, `BASE64 PEM ca`."""
    if isinstance(value, dict):
        return {key: written_out(one) for key, one in value.items()}
    if isinstance(value, list):
        return [written_out(one) for one in value]
    if isinstance(value, str) and value.startswith("PEM "):
        return "".join(_pem(name) for name in value.split()[1:])
    if isinstance(value, str) and value.startswith("BASE64 PEM "):
        return base64.b64encode(written_out(value.removeprefix("BASE64 ")).encode()).decode()
    return value
