# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a lab comes up, step by step. Outside the lab's network this process starts programs; inside, `inside.py` speaks with the API server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import addresses, controlplane, kubeadm, network, objects, paths, pki, servers, worker
from .errors import LabError
from .images import Image
from .node import load_images
from .options import TINYPROXIES, Options
from .running import Running
from .targets import Target
from .versions import Version

_PATIENCE = 180.0  # seconds that a step inside may take; on an idle machine all of them together take ten


@dataclass(frozen=True)
class Programs:
    """The binaries of build.PACKAGES, of build.OWN, and where there are nodes with a kubelet, of worker.ensure or kubeadm.ensure, by name."""

    version: Version
    binaries: Mapping[str, Path]
    own: Mapping[str, Path]
    node: Mapping[str, Path]


def start(running: Running, options: Options, programs: Programs, targets: list[Target], log: Callable[[str], None]) -> None:
    """Bring up everything in a lab's fresh namespace. Raises LabError; the caller then ends what runs."""
    state, now = running.state, datetime.now(timezone.utc)
    for folder in ("logs", "kubeconfigs", "bin"):
        (state / folder).mkdir(exist_ok=True)
    (state / "bin" / "kubectl").symlink_to(programs.binaries["kubectl"])
    nodes = [node.name for node in kubeadm.machines(options.control_plane)] or list(addresses.CONTROL_PLANES)[: options.api_servers]
    front, hub = options.front, network.hub(options.control_plane)
    network.set_up_first(running.namespace, options.routing == "cluster_ip", state, hub)
    if options.api_servers > 1:
        _second_node(running, options)

    authorities = pki.make_authorities(now)
    credentials = state / "pki"
    controlplane.make_credentials(credentials, authorities, now, front)
    controlplane.write_kubeconfigs(state, "admin", front, nodes)

    node_programs = {**programs.binaries, **programs.node}
    if options.node:
        worker.make_credentials(credentials, authorities["cluster"], now)
        worker.set_up(running, addresses.LAB_NODE, node_programs, hub)
    config = servers.configure(state / "servers", targets, authorities, now, options.proxy)
    ready = state / "servers" / "ready"
    instances: list[dict[str, Any]] = []
    if options.control_plane:
        log(f"starting {options.control_plane} control-plane nodes and the fault server")
        kubeadm.bring_up(running, node_programs, programs.version, authorities, options, _environment(options))
    else:
        log("starting etcd, kube-apiserver and the fault server")
        running.start("etcd", controlplane.etcd(programs.binaries["etcd"], state / "etcd", quota_mb=options.etcd_quota_mb))
        if options.etcd_quota_mb:  # events must outlive it
            running.start("etcd-events", controlplane.etcd(programs.binaries["etcd"], state / "etcd-events", client=addresses.ETCD_OF_EVENTS))
        instances = [_api_server(running, options, programs, credentials, node) for node in nodes]
    running.start("faultserver", [str(programs.own["faultserver"]), "-config", str(config), "-ready", str(ready)])
    running.start("kubelet", controlplane.kubelet(programs.own["kubelet"], credentials, servers.pods_of_node(state / "servers", targets)))
    tinyproxy = _tinyproxy_kind(options)
    if tinyproxy:
        running.start("tinyproxy", controlplane.tinyproxy(state, tinyproxy))
    if options.node:
        wanted = [Image(objects.PAUSE_IMAGE, programs.node["pause"]), Image(objects.IMAGE, programs.own["faultserver"])]
        load_images(running, programs.node["ctr"], wanted)
    _inside(running, "ready", {"nodes": sorted({*nodes, front})})
    if not options.control_plane:
        manager = controlplane.controller_manager(programs.binaries["kube-controller-manager"], credentials, real_pods=options.node)
        running.start("kube-controller-manager", manager)
        if options.scheduler or options.node:
            running.start("kube-scheduler", controlplane.scheduler(programs.binaries["kube-scheduler"], credentials, state))
    if options.node:
        worker.start(running, node_programs, credentials, programs.version)
    if options.routing == "cluster_ip":
        for node in nodes:
            command = controlplane.kube_proxy(programs.binaries["kube-proxy"], credentials, state, node)
            running.start(controlplane.instance_name("kube-proxy", node), command, node=node)
    if not ready.exists():
        raise LabError(f"the fault server does not get ready:\n{running.last_words('faultserver')}")
    log(f"making {len(targets)} targets (faults and their healthy twins)")
    bundles = {target.namespace: servers.bundle(target, authorities) for target in targets}
    given = {"faults": options.faults, "bundles": bundles, "instances": instances, "nodes": nodes, "front": front}
    _inside(running, "populate", {**given, "real_pods": options.kubelets})
    filtered = [(target.make.packet_filter, target.pods) for target in targets if target.make.packet_filter]
    network.filter_packets(running.namespace, [(address, how) for how, pods in filtered for address in pods])
    if options.kubelets:
        with_kubelet = {addresses.NODE: []} if options.node else {node: [kubeadm.TAINT] for node in nodes}
        _wait_for_kubelets(running, with_kubelet, kubeadm.static_pods(options), front)
    if options.control_plane:
        kubeadm.finish(running, nodes, node_programs["kubeadm"])


def needs_tinyproxy(options: Options) -> bool:
    return _tinyproxy_kind(options) is not None


def _second_node(running: Running, options: Options) -> None:
    node = running.namespace.create_node()
    running.nodes[addresses.SECOND] = node
    running.save()
    network.set_up_second(running.namespace, node)
    if options.broken_instance == "packet-filter":
        network.filter_packets(node, [(str(addresses.POD_NETWORK), "drop")])


# The API server tells when it was started from /proc/<its id>, which has to be the /proc of the lab's process tree.
# Where a system forbids that, another process's start is told.
_OWN_PROC = ("unshare", "--mount", "--propagation", "private", "sh", "-c", 'mount -t proc proc /proc 2>/dev/null || true; exec "$@"', "sh")


def _api_server(running: Running, options: Options, programs: Programs, credentials: Path, node: str) -> dict[str, Any]:
    """Start the API server of a node; return what its mirror pod shows."""
    environment = _environment(options, broken=node == addresses.SECOND)
    endpoint_routing, events_apart = options.routing == "endpoint", options.etcd_quota_mb is not None
    binary = programs.binaries["kube-apiserver"]
    command = controlplane.api_server(binary, credentials, node, endpoint_routing=endpoint_routing, events_apart=events_apart, real_pods=options.node)
    running.start(controlplane.instance_name("kube-apiserver", node), [*_OWN_PROC, *command], node=node, environment=environment)
    return {"node": node, "command": ["kube-apiserver", *command[1:]], "environment": environment}


def _environment(options: Options, *, broken: bool = False) -> dict[str, str]:
    """What an API server has in its environment. `broken`: it is the one that something is wrong with, if with any."""
    return controlplane.proxy_environment() if options.proxy or (broken and options.broken_instance == "proxy") else {}


def _wait_for_kubelets(running: Running, nodes: Mapping[str, list[dict[str, str]]], static_pods: list[str], front: str) -> None:
    """Wait until nodes and their static pods are ready, and give them the taints that they keep. Raises LabError with what a kubelet says."""
    try:
        _inside(running, "nodes", {"nodes": nodes, "static_pods": static_pods, "front": front})
    except LabError as error:
        words = [f"The last words of {node}'s kubelet ({running.log(f'{node}-kubelet')}):\n{running.last_words(f'{node}-kubelet')}" for node in nodes]
        raise LabError("\n".join([str(error), *words])) from error


def _tinyproxy_kind(options: Options) -> str | None:
    if options.proxy in TINYPROXIES:
        return options.proxy
    return "refusing" if options.broken_instance == "proxy" else None


def _inside(running: Running, step: str, arguments: dict[str, Any]) -> None:
    """Run a step of inside.py in the lab's network, and watch that the lab's processes live meanwhile."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(paths.LAB), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*running.namespace.enter(), sys.executable, "-m", "doctorlab.inside", step, str(running.state)]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(arguments))
        process.stdin.close()
        deadline = time.monotonic() + _PATIENCE
        while process.poll() is None:
            _check_alive(running)
            if time.monotonic() > deadline:
                raise LabError(f"the lab's step {step!r} takes longer than {_PATIENCE:.0f} s (logs: {running.state}/logs)")
            time.sleep(0.05)
        _check_alive(running)
        if process.returncode:
            assert process.stderr is not None
            raise LabError(process.stderr.read().strip())
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def _check_alive(running: Running) -> None:
    dead = running.dead()
    if dead:
        raise LabError("\n".join(f"{name} has ended ({running.log(name)}):\n{running.last_words(name)}" for name in dead))
