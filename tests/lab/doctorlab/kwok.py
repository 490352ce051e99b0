# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many nodes and pods in a running lab, kept by kwok: the objects are real, nobody runs behind them.

    with Lab(state, Options(faults="none", scheduler=True)) as lab:
        kwok = Kwok(lab)
        kwok.nodes(200, name="ip-{number}", labels={"eks.amazonaws.com/nodegroup": "workers"}, provider_id="aws:///eu-west-1a/i-{number:017x}")
        lab.kubectl("apply", "-f", "-", stdin=...)       # Deployments, DaemonSets: the lab's controllers and its scheduler make and place the pods
        kwok.wait_ready()

kwok's own controller writes the status of nodes and pods, by its own fast stages, with the rights of its own manifest and nothing more. A pod gets an address
of the lab's pod network where nobody listens; a node has an address of its own, and no kubelet there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from . import addresses, build
from .api import wait
from .lifecycle import Lab
from .network import filter_packets
from .workloads import rolled_out

NAME = "kwok"  # also the folder of tests/lab with the module
VERSION = "v0.8.0"
_MODULE = "sigs.k8s.io/kwok"
_FLAGS = f"-s -w -X {_MODULE}/pkg/consts.Version={VERSION}"
# By which kwok's manifest knows its nodes.
_MANAGED = "kwok.x-k8s.io/node"
_SELECTOR = "type=kwok"
_ACCOUNT = "kube-system", "kwok-controller"
# Admission gives it to every new node; the node lifecycle controller, which takes it away, would end the lab's own nodes.
_TAINT = "node.kubernetes.io/not-ready:NoSchedule-"
_STAGES = "stage/fast"


def ensure(log: Callable[[str], None] = lambda dummy: None) -> Path:
    """Return the folder with the program and its manifests, built if needed (about a minute on 2 cores, once)."""
    return build.ensure_programs(NAME, {NAME: f"{_MODULE}/cmd/kwok"}, log, _FLAGS, _copy_manifests)


def _copy_manifests(module: Path, home: Path) -> None:
    shutil.copytree(build.module_folder(module, _MODULE) / "kustomize", home / "kustomize", dirs_exist_ok=True)


class Kwok:
    """kwok's controller in a lab; it starts at once."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._count = 0
        home = ensure()
        lab.kubectl("apply", "-k", str(home / "kustomize" / "rbac"))
        stages = lab.state / "kwok-stages.yaml"
        stages.write_text(lab.kubectl("kustomize", str(home / "kustomize" / _STAGES)), encoding="utf-8")
        kubeconfig = lab.kubeconfig_of_account(*_ACCOUNT)
        command = [str(home / NAME), f"--config={stages}", f"--kubeconfig={kubeconfig}", f"--cidr={addresses.KWOK_POD_NETWORK}"]
        lab.running.start(NAME, [*command, f"--manage-nodes-with-annotation-selector={_MANAGED}=fake"])
        # A call to a node is refused, as nobody listens there, and not lost.
        lab.running.namespace.check(["ip", "route", "replace", "local", str(addresses.KWOK_NODE_NETWORK), "dev", "lo"])

    def nodes(self, count: int, *, name: str = "kwok-{number}", labels: Mapping[str, str] | None = None, provider_id: str | None = None) -> list[str]:
        """Make nodes, wait until kwok has made them Ready, and return their names. Raises LabError.

        In `name` and `provider_id` `{number}` stands for the node's number, from 0 on, with any format: `{number:04d}`.
        """
        numbers = range(self._count, self._count + count)
        self._count += count
        items = [_node(number, name, labels or {}, provider_id) for number in numbers]
        names = [str(item["metadata"]["name"]) for item in items]
        self._lab.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all(items))
        self._lab.kubectl("taint", "nodes", *names, _TAINT)
        # One list a time: `kubectl wait` takes a tenth of a second for each node that is ready already.
        wait(f"{self._count} nodes are ready", lambda: sum(map(_is_ready, self._get("nodes", "-l", _SELECTOR))) == self._count, timeout=120, pause=0.5)
        return names

    def wait_ready(self, timeout: float = 300) -> None:
        """Wait until every Deployment has all its replicas ready, on whatever nodes, and every DaemonSet one on each of kwok's. Raises LabError."""
        wait("all Deployments and DaemonSets are ready", self._ready, timeout=timeout, pause=1)

    def lose_packets_to(self, namespace: str) -> None:
        """Drop every new connection to the pods that a namespace has now, as a cloud's firewall does."""
        filter_packets(self._lab.running.namespace, [(pod["status"]["podIP"], "drop") for pod in self._get("-n", namespace, "pods")])

    def _ready(self) -> bool:
        deployments, daemonsets = self._get("--all-namespaces", "deployments"), self._get("--all-namespaces", "daemonsets")
        return all(rolled_out(item) for item in deployments) and all(item["status"].get("numberReady", 0) >= self._count for item in daemonsets)

    def _get(self, *arguments: str) -> list[Any]:
        return list(json.loads(self._lab.kubectl("get", *arguments, "-o", "json"))["items"])


def _is_ready(node: dict[str, Any]) -> bool:
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in node["status"].get("conditions") or [])


def _node(number: int, name: str, labels: Mapping[str, str], provider_id: str | None) -> dict[str, Any]:
    """What a kubelet and a cloud's controller have written when a node joins; the rest is kwok's."""
    made = name.format(number=number)
    usual = {"kubernetes.io/hostname": made, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "type": "kwok"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": made, "labels": {**usual, **labels}, "annotations": {_MANAGED: "fake"}},
        "spec": {"providerID": provider_id.format(number=number)} if provider_id else {},
        "status": {"addresses": [{"type": "InternalIP", "address": addresses.kwok_node(number)}, {"type": "Hostname", "address": made}]},
    }
