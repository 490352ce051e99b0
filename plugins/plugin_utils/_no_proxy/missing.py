# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a list of needs NO_PROXY does not cover, and the value that does. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from .consumers import GO, Consumer
from .needs import Need
from .spelling import covers, spelled


def missing_no_proxy(environment: Mapping[str, str | None] | str, needs: Iterable[Need], consumers: Sequence[Consumer] = (GO,)) -> list[Need]:
    """The needs that one of the consumers would send through the proxy, each entry once, in their order; the entries are spelled for them.

    environment: the variables (which one counts is the consumer's to say), or the value of NO_PROXY alone: then a proxy is assumed. For a consumer without
    a proxy for https nothing is missing.
    """
    values = {}
    for consumer in consumers:
        proxy, value = ("assumed", environment) if isinstance(environment, str) else consumer.settings(environment)
        if proxy:
            values[consumer] = value
    missing: dict[tuple[str, str], Need] = {}
    for need in needs:
        for consumer, value in values.items():
            if not covers(consumer, value, need):
                entry = spelled(consumer, need)
                # What has no words is told for each host.
                missing.setdefault((entry, "" if entry else need.host), replace(need, entry=entry))
    return list(missing.values())


def merged(value: str, needs: Iterable[Need], consumers: Sequence[Consumer] = (GO,)) -> str:
    """A NO_PROXY that holds all that the given one holds, in its order, and then an entry for each need that it does not cover and that can be said."""
    separator = consumers[0].separator
    entries = [entry.strip() for entry in value.split(separator) if entry.strip()]
    for need in missing_no_proxy(value, needs, consumers):
        entries += [entry for entry in need.entry.split(separator) if entry and entry not in entries]
    return separator.join(entries)
