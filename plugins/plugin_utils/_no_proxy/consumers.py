# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reads NO_PROXY, and how: one entry for each. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from . import curl, go, java, python_requests, python_urllib
from .hosts import Network


class Exempts(Protocol):
    def __call__(self, value: str, host: str, port: int | None = None) -> bool: ...


@dataclass(frozen=True)
class Variables:
    """The names of one setting (Java: system properties), the one that counts first. empty_counts: also where that one is there and empty."""

    names: tuple[str, ...]
    empty_counts: bool = False

    def value(self, environment: Mapping[str, str | None]) -> str:
        for name in self.names:
            value = environment.get(name)
            if value or (value is not None and self.empty_counts):
                return value
        return ""


@dataclass(frozen=True)
class Consumer:
    """proxy: the settings that name the proxy for https, each asked where the one before says nothing; no_proxy: what is excepted."""

    name: str
    title: str
    exempts: Exempts
    exempts_network: Callable[[str, Network], bool]
    proxy: tuple[Variables, ...]
    no_proxy: Variables
    separator: str = ","

    def settings(self, environment: Mapping[str, str | None]) -> tuple[str, str]:
        """(proxy, what is excepted from it); "" where there is none."""
        return next((value for value in (one.value(environment) for one in self.proxy) if value), ""), self.no_proxy.value(environment)


_HTTPS, _ALL, _NO = ("https_proxy", "HTTPS_PROXY"), ("all_proxy", "ALL_PROXY"), ("no_proxy", "NO_PROXY")

GO = Consumer("go", "Go", go.exempts, go.exempts_network, (Variables(("HTTPS_PROXY", "https_proxy")),), Variables(("NO_PROXY", "no_proxy")))
URLLIB = Consumer("urllib", "Python urllib", python_urllib.exempts, python_urllib.exempts_network, (Variables(_HTTPS, True),), Variables(_NO, True))
REQUESTS = Consumer(
    "requests",
    "Python requests",
    python_requests.exempts,
    python_requests.exempts_network,
    (Variables(_HTTPS, True), Variables(_ALL, True)),
    Variables(_NO),
)
JAVA = Consumer("java", "Java", java.exempts, java.exempts_network, (Variables(("https.proxyHost",)),), Variables(("http.nonProxyHosts",)), java.SEPARATOR)
NAMES = ("go", "curl", "urllib", "requests", "java")


def curl_of(version: curl.Version) -> Consumer:
    return Consumer(
        "curl",
        f"curl {'.'.join(str(number) for number in version)}",
        partial(curl.exempts, version=version),
        partial(curl.exempts_network, version=version),
        (Variables(_HTTPS), Variables(_ALL)),
        Variables(_NO),
    )


def consumer_of(name: str, curl_version: str | None = None) -> Consumer:
    """By its name; of curl the version that is named, else the first that knows CIDRs, whose entries all later ones understand. Raises ValueError."""
    if name == "curl":
        return curl_of(_version(curl_version) if curl_version else curl.CIDRS_SINCE)
    found = {one.name: one for one in (GO, URLLIB, REQUESTS, JAVA)}.get(name)
    if found is None:
        raise ValueError(f"consumer {name!r} is not known; there are {', '.join(NAMES)}")
    return found


def _version(text: str) -> curl.Version:
    numbers = str(text).split(".")
    if len(numbers) < 2 or not all(number.isdigit() for number in numbers[:2]):
        raise ValueError(f"curl_version {text!r} is no version; expected one such as 7.88.1")
    return int(numbers[0]), int(numbers[1])
