# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control-plane nodes as kubeadm sets them up: its own program writes their certificates, kubeconfigs and static pods.

Each node is a machine of worker.py. etcd's members and the load balancer are processes of the lab; kube-apiserver and kube-controller-manager are static pods.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from . import addresses, build, controlplane, objects, worker
from .addresses import Machine
from .images import Image
from .node import load_images
from .options import Options
from .pki import Pair
from .running import Running
from .versions import Version

MANIFESTS, PKI = Path("/etc/kubernetes/manifests"), Path("/etc/kubernetes/pki")
TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
# The Python that modules run with on a node. It is a script, so that a test can have the clock go wrong for them.
PYTHON = Path("/usr/local/bin/lab-python")
CRICTL = Path("/usr/local/bin/crictl")
_RUNTIME = "unix:///run/containerd/containerd.sock"
_CRI_TOOLS = "sigs.k8s.io/cri-tools"
_CRICTL_VERSION = "1.37.0"
# kubeadm's name of a static pod -> its phase of `init`.
_COMPONENTS = {"kube-apiserver": "apiserver", "kube-controller-manager": "controller-manager", "kube-scheduler": "scheduler"}


def ensure(version: Version, log: Callable[[str], None]) -> dict[str, Path]:
    """Return the paths of what a control-plane node runs, built if needed."""
    return {**worker.ensure(version, log), **build.ensure(version, log, build.CONTROL_PLANE_PACKAGES), "crictl": ensure_crictl(log)}


def ensure_crictl(log: Callable[[str], None]) -> Path:
    """Return the path of crictl, built if needed (a minute on 2 cores, once)."""
    flags = f"-s -w -X {_CRI_TOOLS}/pkg/version.Version=v{_CRICTL_VERSION}"
    return build.ensure_programs("crictl", {"crictl": f"{_CRI_TOOLS}/cmd/crictl"}, log, flags) / "crictl"


def machines(control_plane: int) -> list[Machine]:
    """The nodes of a lab with so many."""
    return list(addresses.CONTROL_PLANE_MACHINES.values())[:control_plane]


def _components(options: Options) -> list[str]:
    return [name for name in _COMPONENTS if options.scheduler or name != "kube-scheduler"]


def static_pods(options: Options) -> list[str]:
    """The names of the mirror pods in kube-system that a lab has."""
    return [f"{name}-{node.name}" for node in machines(options.control_plane) for name in _components(options)]


def bring_up(
    running: Running, programs: Mapping[str, Path], version: Version, authorities: Mapping[str, Pair], options: Options, environment: Mapping[str, str]
) -> None:
    """Set up and start the nodes; their API servers get ready a moment later. Raises LabError.

    `environment` is that of kubeadm, which hands its proxy variables on to the static pods.
    """
    nodes, members = machines(options.control_plane), machines(options.etcd_members)
    components = _components(options)

    def set_up(node: Machine) -> None:
        _write_files(running.state, node, nodes, programs, authorities)
        worker.set_up(running, node, programs, addresses.BALANCER_ADDRESS, own_system_files=True)
        arguments = {**({"enable-aggregator-routing": "true"} if options.routing == "endpoint" else {}), **options.api_server_arguments}
        documents = configuration(version, node, members, arguments)
        _configuration_of(running, node.name).write_text(yaml.safe_dump_all(documents), encoding="utf-8")
        _run_phases(running, node.name, programs["kubeadm"], phases(components, first=node is nodes[0]), environment)

    for node in nodes:
        set_up(node)
    for node in members:
        start_etcd(running, node, members, programs["etcd"])
    running.start("haproxy", controlplane.haproxy(running.state, [(node.name, node.address) for node in nodes]))
    images = [Image(objects.PAUSE_IMAGE, programs["pause"])]
    images += [Image(f"registry.k8s.io/{name}:v{version}", programs[name], f"/usr/local/bin/{name}", root=True) for name in components]
    load_images(running, programs["ctr"], images, [node.name for node in nodes])
    for node in nodes:
        config = worker.kubelet_config(node, PKI / "ca.crt", Path("/etc/resolv.conf"), version)
        config |= {"staticPodPath": str(MANIFESTS), "registerWithTaints": [TAINT]}
        worker.start_kubelet(running, node, programs["kubelet"], Path("/etc/kubernetes/kubelet.conf"), config)


def finish(running: Running, nodes: Sequence[str], program: Path) -> None:
    """What kubeadm does once there is an API: its ConfigMap, the administrators' rights, the nodes' label and taint. Raises LabError."""
    for number, node in enumerate(nodes):
        _run_phases(running, node, program, ["mark-control-plane"] if number else ["upload-config kubeadm", "mark-control-plane"])


def _configuration_of(running: Running, node: str) -> Path:
    return worker.folder_of(running.state, node) / "kubeadm.yaml"


def _run_phases(running: Running, node: str, program: Path, wanted: Sequence[str], environment: Mapping[str, str] = MappingProxyType({})) -> None:
    script = "\n".join(f"{shlex.quote(str(program))} init phase {phase} --config={shlex.quote(str(_configuration_of(running, node)))}" for phase in wanted)
    running.nodes[node].check(["sh", "-eu"], script, pid=True, environment=environment)


def _write_files(state: Path, node: Machine, nodes: Sequence[Machine], programs: Mapping[str, Path], authorities: Mapping[str, Pair]) -> None:
    """Write what a node has before kubeadm runs: the cluster's authorities, and what belongs to a machine."""
    root = worker.folder_of(state, node.name) / "root"
    etc, programs_folder, certificates = root / "etc", root / CRICTL.parent.relative_to("/"), root / PKI.relative_to("/")
    for folder in (programs_folder, certificates / "etcd"):
        folder.mkdir(parents=True)
    for name, where in {"cluster": certificates, "front_proxy": certificates, "etcd": certificates / "etcd"}.items():
        authorities[name].write(where, "front-proxy-ca" if name == "front_proxy" else "ca")
    for name in ("sa.key", "sa.pub"):
        shutil.copy2(state / "pki" / name, certificates / name)
    (etc / "hostname").write_text(f"{node.name}\n", encoding="ascii")
    hosts = ["127.0.0.1 localhost", *(f"{each.address} {each.name}" for each in nodes)]
    (etc / "hosts").write_text("".join(f"{line}\n" for line in hosts), encoding="ascii")
    shutil.copyfile(state / "resolv.conf", etc / "resolv.conf")
    (etc / "crictl.yaml").write_text(yaml.safe_dump({"runtime-endpoint": _RUNTIME, "image-endpoint": _RUNTIME}), encoding="ascii")
    for name in ("kubeadm", "kubectl", "kubelet", CRICTL.name):
        (programs_folder / name).symlink_to(programs[name])
    script = root / PYTHON.relative_to("/")
    script.write_text(python_script(), encoding="utf-8")
    script.chmod(0o755)


def start_etcd(running: Running, node: Machine, members: Sequence[Machine], etcd: Path) -> None:
    running.start(etcd_name(node.name), etcd_command(etcd, node, members), node=node.name)


def etcd_name(node: str) -> str:
    """Of the lab's process."""
    return f"{node}-etcd"


def etcd_command(etcd: Path, node: Machine, members: Sequence[Machine]) -> list[str]:
    """An etcd member with the flags of kubeadm's static pod. Pure."""
    client, peer = f"https://{node.address}:{addresses.ETCD_PORT}", f"https://{node.address}:{addresses.ETCD_PEER_PORT}"
    return [
        str(etcd),
        f"--name={node.name}",
        "--data-dir=/var/lib/etcd",
        f"--advertise-client-urls={client}",
        f"--listen-client-urls=https://127.0.0.1:{addresses.ETCD_PORT},{client}",
        f"--initial-advertise-peer-urls={peer}",
        f"--listen-peer-urls={peer}",
        f"--initial-cluster={','.join(f'{member.name}=https://{member.address}:{addresses.ETCD_PEER_PORT}' for member in members)}",
        "--listen-metrics-urls=http://127.0.0.1:2381",
        "--client-cert-auth=true",
        "--peer-client-cert-auth=true",
        f"--trusted-ca-file={PKI}/etcd/ca.crt",
        f"--cert-file={PKI}/etcd/server.crt",
        f"--key-file={PKI}/etcd/server.key",
        f"--peer-trusted-ca-file={PKI}/etcd/ca.crt",
        f"--peer-cert-file={PKI}/etcd/peer.crt",
        f"--peer-key-file={PKI}/etcd/peer.key",
        "--snapshot-count=10000",
        "--unsafe-no-fsync=true",  # nothing here must survive a power cut
        "--log-level=warn",
    ]


def phases(components: Sequence[str], *, first: bool) -> list[str]:
    """The phases of `kubeadm init` that write files. Pure."""
    kubeconfigs = ["admin", *(["super-admin"] if first else []), "kubelet", *(_COMPONENTS[name] for name in components if name != "kube-apiserver")]
    return ["certs all", *(f"kubeconfig {name}" for name in kubeconfigs), *(f"control-plane {_COMPONENTS[name]}" for name in components)]


def configuration(version: Version, node: Machine, members: Sequence[Machine], of_api_server: Mapping[str, str]) -> list[dict[str, Any]]:
    """kubeadm's configuration of a node, as documents; `of_api_server` are arguments besides kubeadm's. Pure. Source: kubeadm-config.v1beta3 and v1beta4."""
    new = version.minor >= 31
    beta = "kubeadm.k8s.io/v1beta4" if new else "kubeadm.k8s.io/v1beta3"

    def arguments(given: Mapping[str, str]) -> Any:
        return [{"name": name, "value": value} for name, value in given.items()] if new else dict(given)

    if node not in members:
        of_api_server = {**of_api_server, "etcd-servers": ",".join(f"https://{member.address}:{addresses.ETCD_PORT}" for member in members)}
    return [
        {
            "apiVersion": beta,
            "kind": "InitConfiguration",
            "localAPIEndpoint": {"advertiseAddress": node.address, "bindPort": addresses.API_PORT},
            "nodeRegistration": {"name": node.name, "criSocket": _RUNTIME},
        },
        {
            "apiVersion": beta,
            "kind": "ClusterConfiguration",
            "kubernetesVersion": f"v{version}",
            "clusterName": "kubernetes",
            "controlPlaneEndpoint": f"{addresses.BALANCER_ADDRESS}:{addresses.API_PORT}",
            **({"encryptionAlgorithm": "ECDSA-P256"} if new else {}),  # keys that are soon made
            "networking": {"serviceSubnet": str(addresses.SERVICE_NETWORK), "podSubnet": str(addresses.POD_NETWORK), "dnsDomain": "cluster.local"},
            "apiServer": {"extraArgs": arguments(of_api_server)},
            "controllerManager": {"extraArgs": arguments(controlplane.manager_flags(real_pods=True))},
        },
    ]


def python_script(environment: Mapping[str, str] = MappingProxyType({})) -> str:
    """The node's PYTHON: the machine's own, with this environment. Pure."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    return "\n".join(["#!/bin/sh", *(f"export {name}='{value}'" for name, value in environment.items()), f'exec {python} "$@"', ""])
