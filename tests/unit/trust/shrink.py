# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A difference made small: certificates are left out, one at a time, as long as the answers differ in the same way."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.against_go import Difference, ask_go, ask_us, difference

_BLOCK = re.compile(r"-----BEGIN .*?-----END [^\n]*\n?", re.S)


def shrunk(one: Difference, oracle: pathlib.Path) -> Difference:
    """The smallest question that leaving out finds; the same field differs."""
    while True:
        items = list(_smaller(one.item))
        answers = zip(items, ask_go(oracle, items), ask_us(items, one.version), strict=True)
        found = (difference(one.version, one.kind, item, go, ours) for item, go, ours in answers)
        smaller = next((other for other in found if other and other.field == one.field), None)
        if smaller is None:
            return one
        one = smaller


def _smaller(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The question with one certificate less: of the chain (never its first), then of the bundle; then without a name."""
    chain, bundle = item["chain"], item["ca_bundle"]
    for at in range(len(chain) - 1, 0, -1):
        yield {**item, "chain": chain[:at] + chain[at + 1 :]}
    blocks = list(_BLOCK.finditer(bundle))
    if len(blocks) > 1:
        for block in blocks:
            yield {**item, "ca_bundle": bundle[: block.start()] + bundle[block.end() :]}
    if item.get("server_name"):
        yield {**item, "server_name": ""}
