# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of NO_PROXY: what is asked (rows.yml, variables.yml), what real programs answered (measured.yml), what our functions say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._no_proxy.consumers import Consumer, consumer_of

HERE = Path(__file__).parent
MEASURED = HERE / "measured.yml"
DIRECT, PROXY = "direct", "proxy"
# Who is asked -> which consumer they are.
WITNESSES = {"go": "go", "curl_cffi": "curl", "curl": "curl", "pycurl": "curl", "urllib": "urllib", "requests": "requests", "java": "java"}


@dataclass(frozen=True)
class Row:
    """A request for https://<place>/ with this NO_PROXY."""

    no_proxy: str
    place: str

    @property
    def host(self) -> str:
        return self.place[1:].partition("]")[0] if self.place.startswith("[") else self.place.partition(":")[0]

    @property
    def port(self) -> int | None:
        port = self.place.rpartition("]")[2].partition(":")[2]
        return int(port) if port else None

    @property
    def url(self) -> str:
        return f"https://{self.place}/x"

    def says(self, consumer: Consumer) -> str:
        return DIRECT if consumer.exempts(self.no_proxy, self.host, self.port) else PROXY


@dataclass(frozen=True)
class Variables:
    """A request for `url` with these variables."""

    variables: Mapping[str, str]
    url: str

    def says(self, consumer: Consumer) -> str:
        """Of https only, for that is what is judged here."""
        proxy, no_proxy = consumer.settings(self.variables)
        return PROXY if proxy and not consumer.exempts(no_proxy, self.url.partition("://")[2]) else DIRECT


def load(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))


def sections() -> Iterator[tuple[str, list[Row]]]:
    for section in load("rows.yml"):
        yield section["about"], [Row(**row) for row in section["rows"]]


def rows() -> list[Row]:
    return [row for _about, section in sections() for row in section]


def variables() -> list[Variables]:
    return [Variables(**row) for row in load("variables.yml")]


def consumer_for(witness: str, version: str) -> Consumer:
    return consumer_of(WITNESSES[witness], version if WITNESSES[witness] == "curl" else None)
