# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A few families of an API server's /metrics, in the text format of Prometheus. PRIVATE to the collection.

The whole answer is 2 MB on an empty cluster and ten times that on a big one: it is never held, the lines that an observer names are picked out as it arrives
(`Api.request(only=...)`). An observer asks with a `Scrape` (listing.py), as often as it likes: one request per instance serves all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

MOST_BYTES = 64 * 1024 * 1024
TIMEOUT, CONNECT_TIMEOUT = 5.0, 1.0  # seconds; what is only a look at the past must not make anybody wait

_SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>(?:[^\"}]|\"(?:[^\"\\]|\\.)*\")*)\})?\s+(?P<value>\S+)")
_LABEL = re.compile(r"([a-zA-Z_]\w*)=\"((?:[^\"\\]|\\.)*)\"")
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
_ESCAPE = re.compile(r"\\.")


class Sample(NamedTuple):
    """One line: `name{labels} value`."""

    name: str
    labels: dict[str, str]
    value: float


def beginnings(families: Iterable[str]) -> tuple[bytes, ...]:
    """How the lines of these samples begin."""
    return tuple(f"{name}{mark}".encode() for name in sorted(set(families)) for mark in ("{", " "))


def samples(body: bytes) -> Iterator[Sample]:
    """The samples of these lines; what is none is passed over."""
    for line in body.decode("utf-8", "replace").splitlines():
        match = _SAMPLE.match(line)
        if not match:
            continue
        try:
            value = float(match["value"])
        except ValueError:
            continue
        labels = {key: _ESCAPE.sub(lambda found: _ESCAPES.get(found[0], found[0]), text) for key, text in _LABEL.findall(match["labels"] or "")}
        yield Sample(match["name"], labels, value)
