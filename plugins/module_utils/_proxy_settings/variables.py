# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables are about proxies. Pure. PRIVATE to the collection.

RKE2, k3s and k0s take them with the name of one of their programs in front (CONTAINERD_HTTPS_PROXY), for that program alone.
"""

from __future__ import annotations

import re

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._secrets import redacted

_NAME = re.compile(r"(?:[A-Z0-9]+_)?(?:HTTP|HTTPS|NO|ALL|FTP)_PROXY|(?:http|https|no|all|ftp)_proxy")


def is_proxy_variable(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


def shown(name: str, value: str) -> str:
    """The value without user and password."""
    return value if name.upper().endswith("NO_PROXY") else redacted(value)


def has_credentials(name: str, value: str) -> bool:
    return shown(name, value) != value
