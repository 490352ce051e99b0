# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab can be: its options, and the variants that are data (variants.yml)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .addresses import BALANCER, FIRST
from .errors import LabError
from .faults import ROUTINGS

# How a proxy in the API server's environment misbehaves. The first ones are tinyproxy, the last one is the fault server.
TINYPROXIES = ("refusing", "forbidding", "unavailable")
PROXIES = (*TINYPROXIES, "intercepting")
# What is wrong with the second of two API servers.
BROKEN_INSTANCES = ("proxy", "packet-filter")


@dataclass(frozen=True)
class Options:
    """The choices of one lab. Raises LabError for those that do not exist or do not go together."""

    kubernetes: str | None = None  # None: the default of versions.yml
    routing: str = "endpoint"
    faults: str = "all"
    proxy: str | None = None
    api_servers: int = 1
    broken_instance: str | None = None
    scheduler: bool = False  # a kube-scheduler: where nodes are that pods fit on (kwok's; a `node` brings it along; the lab's others have no room)
    etcd_quota_mb: int | None = None  # so small that it can be filled; Events then have an etcd of their own
    control_plane: int = 0  # how many control-plane nodes with a kubelet, containerd and static pods, behind a load balancer; needs root
    api_server_arguments: dict[str, str] = field(default_factory=dict)  # of these nodes' API servers, besides kubeadm's: {"request-timeout": "10s"}
    etcd_members: int = 1  # of these nodes: on the first one, or one on each of three
    node: bool = False  # a node with a real kubelet, and what it takes that Deployments run there; needs root

    def __post_init__(self) -> None:
        _one_of("routing", self.routing, ROUTINGS)
        _one_of("proxy", self.proxy, (None, *PROXIES))
        _one_of("api-servers", self.api_servers, (1, 2))
        _one_of("broken-instance", self.broken_instance, (None, *BROKEN_INSTANCES))
        if self.broken_instance and self.api_servers != 2:
            raise LabError("broken-instance: needs api-servers 2.")
        if self.broken_instance and self.proxy:
            raise LabError("broken-instance: the other API server must be healthy, so leave proxy out.")

        if self.node and self.api_servers != 1:
            raise LabError("node: needs api-servers 1; no route leads from the second one to the node's pods.")
        _one_of("control-plane", self.control_plane, (0, 1, 2, 3))
        if self.control_plane and (self.node or self.api_servers != 1 or self.etcd_quota_mb):
            raise LabError("control-plane: its nodes have API servers, kubelets and etcd of their own, so leave node, api-servers and etcd-quota-mb out.")
        if self.api_server_arguments and not self.control_plane:
            raise LabError("api-server-arguments: needs control-plane.")
        if self.etcd_members not in (1, 3) or (self.etcd_members == 3 and self.control_plane != 3):
            raise LabError(f"etcd-members: {self.etcd_members!r} is neither 1 nor, with control-plane 3, 3.")

    @property
    def kubelets(self) -> bool:
        """Whether nodes have a real kubelet, which needs root: containers need cgroups."""
        return self.node or self.control_plane > 0

    @property
    def front(self) -> str:
        """Whose API server everybody uses: the first node's, or the balancer's."""
        return BALANCER if self.control_plane else FIRST

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Variant:
    """A lab that is broken as a whole, and the one root cause that must be found. See variants.yml."""

    name: str
    summary: str
    options: dict[str, Any]  # of Options
    code: str
    cause: str


def load_variants(path: Path) -> list[Variant]:
    """Read variants.yml. Raises LabError."""
    variants = []
    for item in yaml.safe_load(path.read_text(encoding="utf-8")):
        if set(item) != {"name", "summary", "lab", "expect"} or len(item["expect"]) != 2:
            raise LabError(f"{path.name}: expected name, summary, lab and expect: [code, cause]; got {item!r}")
        try:
            Options(**item["lab"])
        except TypeError as error:
            raise LabError(f"{path.name}: {item['name']}: lab: {error}") from error
        variants.append(Variant(item["name"], item["summary"], item["lab"], *item["expect"]))
    return variants


def _one_of(name: str, value: Any, words: tuple[Any, ...]) -> None:
    if value not in words:
        raise LabError(f"{name}: {value!r} is none of {', '.join(str(word) for word in words if word is not None)}.")
