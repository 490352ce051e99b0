# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates in a text, and nothing else of it: whatever somebody put beside them (a private key) goes no further. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


def certificate_blocks(value: str) -> Iterator[tuple[str, bytes]]:
    """(the CERTIFICATE block as it stands, its base64) of each."""
    for match in _BLOCK.finditer(value.encode("utf-8", "replace")):
        yield match.group(0).decode("ascii"), match.group(1)
