# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API says of the control plane: the results of read_objects, by kind. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Api:
    """results: of read_objects, for these kinds: Node, Lease, APIService, DaemonSet, EndpointSlice."""

    results: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, results: Iterable[Mapping[str, Any]]) -> Api:
        return cls(tuple(results))

    def objects(self, kind: str) -> Sequence[Object]:
        return [item for result in self.results if result["kind"] == kind for item in result["objects"]]

    def error(self, kind: str) -> str | None:
        """Why some of them could not be read; None where all were. That they do not exist is no error."""
        asked = [result for result in self.results if result["kind"] == kind]
        if not asked:
            return "they were not read"
        return next((str(result["error"] or result["reason"]) for result in asked if result.get("reason") not in (None, "missing_api")), None)

    def lease(self, name: str) -> Mapping[str, Any]:
        """The spec of a Lease; {} where there is none."""
        return next((item.get("spec") or {} for item in self.objects("Lease") if item["metadata"]["name"] == name), {})

    @property
    def server_addresses(self) -> tuple[tuple[str, int], ...]:
        """(address, port) of every API server that has told the Service default/kubernetes of itself."""
        found = set()
        for item in self.objects("EndpointSlice"):
            ports = [port["port"] for port in item.get("ports") or () if port.get("port")]
            for endpoint in item.get("endpoints") or ():
                found |= {(str(address), int(ports[0])) for address in endpoint.get("addresses") or () if ports}
        return tuple(sorted(found))


def annotations_of(item: Object) -> Mapping[str, str]:
    return (item.get("metadata") or {}).get("annotations") or {}


def labels_of(item: Object) -> Mapping[str, str]:
    return (item.get("metadata") or {}).get("labels") or {}
