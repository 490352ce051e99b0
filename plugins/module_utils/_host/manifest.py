# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of the static pod: which it is, and how long the kubelet lets it end. PRIVATE to the collection."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host

_FLAG = re.compile(r"^\s*(?:-\s+)?['\"]?(--[a-z][a-z0-9-]*(?:=[^'\"\n]*?)?)['\"]?,?\s*$", re.MULTILINE)
_GRACE = re.compile(r"^\s*['\"]?terminationGracePeriodSeconds['\"]?:\s*(\d+)\b", re.MULTILINE)


def manifest(host: Host, path: str | None) -> dict[str, Any] | None:
    """The `manifest` of the facts; grace_seconds is null where it does not say, which the kubelet takes for 30."""
    if path is None or not host.exists(path):
        return None
    content = host.text(path)
    if content is None:
        return None
    found = _GRACE.search(content)
    return {"path": path, "sha256": hashlib.sha256(content.encode()).hexdigest(), "grace_seconds": int(found.group(1)) if found else None}


def flags_of(host: Host, path: str | None) -> list[str]:
    """The flags that its commands have, one a line as every distribution writes them: what is known of an API server that does not run."""
    content = host.text(path) if path else None
    return _FLAG.findall(content or "")
