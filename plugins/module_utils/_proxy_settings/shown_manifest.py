# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a static pod's manifest as anybody may see it. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._secrets import redacted, without_secrets

# Of any variable, since its name may stand before or after it. Its text may begin on the next line.
_VALUE = re.compile(r"(\bvalue[\"']?\s*:\s*(?:[|>][+-]?\s*)?[\"']?)([^\n]*@[^\n]*)")


def shown_manifest(text: str) -> str:
    """Less the users and passwords of proxies, also such as Go takes without http:// in front, and less private keys."""
    return without_secrets(_VALUE.sub(lambda match: match[1] + redacted(match[2]), text))
