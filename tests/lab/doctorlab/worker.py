# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of the node with a real kubelet (kubelet, containerd, runc, a bridge, kube-proxy): how they are set up.

The node has a network and a mount namespace of its own. In the latter the folders in which these programs keep things at fixed places are the lab's, so that
nothing is written to the machine's; with the namespaces all mounts are gone, and with the state folder all files. What remains are cgroups: see cgroups.py.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from . import addresses, build, cgroups, controlplane, network, objects, pki, tools
from .errors import LabError
from .pki import Pair
from .running import Running
from .versions import Version

_MODULE = "github.com/containerd/containerd/v2"
_VERSION = "2.4.2"
_CONTAINERD = {name: f"{_MODULE}/cmd/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")}
# Folders with state of the kubelet, containerd, CNI and iptables that no option moves.
_HIDDEN = ("/run", "/var/lib", "/var/log")
# Kernel settings that the kubelet would change for the whole machine; it changes copies.
_TUNABLES = ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes")
# What lies in a hidden folder is kept in one of these meanwhile.
_STASHES = ("/mnt", "/media", "/srv", "/opt")


def ensure(version: Version, log: Callable[[str], None]) -> dict[str, Path]:
    """Return the paths of what a node runs, built if needed (about 5 minutes on 2 cores, once)."""
    home = ensure_containerd(log)
    own = {name: build.ensure_own(name, log) for name in build.NODE_OWN}
    return {**build.ensure(version, log, build.NODE_PACKAGES), **{name: home / name for name in _CONTAINERD}, **own}


def ensure_containerd(log: Callable[[str], None]) -> Path:
    """Return the folder with containerd's programs, built if needed (75 s on 2 cores, once)."""
    return build.ensure_programs("containerd", _CONTAINERD, log, f"-s -w -X {_MODULE}/version.Version=v{_VERSION}")


def make_credentials(folder: Path, authority: Pair, now: datetime) -> None:
    """Write the kubelet's certificates, as a server and as a client, and its kubeconfig."""
    user, group = f"system:node:{addresses.NODE}", "system:nodes"
    pki.issue(authority, user, now, names=[addresses.NODE, addresses.NODE_ADDRESS], organization=group).write(folder, "node-serving")
    pki.issue(authority, user, now, usage="client", organization=group).write(folder, "node")
    controlplane.write_kubeconfig(folder / "node.kubeconfig", folder, "node")


def set_up(running: Running, programs: Mapping[str, Path]) -> None:
    """Make the node's namespaces, network, mounts and cgroups, and start containerd, which needs nobody. Raises LabError."""
    folder = running.state / "node"
    for name in ("containerd", "kubelet", "cni"):
        (folder / name).mkdir(parents=True)
    (running.state / "logs" / "pods").mkdir(exist_ok=True)
    namespace = running.namespace.create_node()
    running.nodes[addresses.NODE] = namespace
    running.save()
    keep = [running.state, *sorted({path.parent for path in programs.values()})]
    namespace.check(["sh", "-eu"], mounts(running.state, keep, _stash(keep)), pid=True)
    network.set_up_node(running.namespace, namespace)
    cgroups.make(running.about["id"])
    plugins = tools.which("host-local")
    runc = tools.which("runc")
    assert plugins and runc, "tools.ensure has found or installed them"
    (folder / "cni" / "10-lab.conflist").write_text(json.dumps(cni(), indent=1), encoding="utf-8")
    snapshotter = _snapshotter(running)
    (folder / "containerd.toml").write_text(containerd_config(folder / "cni", Path(plugins).parent, Path(runc), snapshotter), encoding="utf-8")
    path = f"{programs['containerd'].parent}:{tools.search_path()}"
    running.start("containerd", [str(programs["containerd"]), f"--config={folder / 'containerd.toml'}"], node=addresses.NODE, environment={"PATH": path})


def start(running: Running, programs: Mapping[str, Path], credentials: Path, version: Version) -> None:
    """Start what speaks with the API server: kubelet and kube-proxy."""
    config = running.state / "node" / "kubelet.json"
    config.write_text(json.dumps(kubelet_config(credentials, running.about["id"], running.state / "resolv.conf", version), indent=1), encoding="utf-8")
    kubelet = [str(programs["kubelet"]), f"--config={config}", f"--kubeconfig={credentials / 'node.kubeconfig'}", f"--hostname-override={addresses.NODE}"]
    running.start("node-kubelet", [*kubelet, f"--node-ip={addresses.NODE_ADDRESS}"], node=addresses.NODE)
    running.start("node-kube-proxy", controlplane.kube_proxy(programs["kube-proxy"], credentials, running.state, addresses.NODE), node=addresses.NODE)


def _stash(keep: list[Path]) -> str:
    """A folder that may be covered: none of those to keep is in it. Raises LabError."""
    for stash in _STASHES:
        if Path(stash).is_dir() and not any(path.is_relative_to(stash) for path in keep):
            return stash
    raise LabError(f"a node needs one of the folders {', '.join(_STASHES)} as a mount point, and all that exist hold the lab's own files. Make another one.")


def mounts(state: Path, keep: list[Path], stash: str) -> str:
    """The script that makes the node's mounts; a process of the lab's process tree runs it in the node's mount namespace. Pure.

    `keep` are the folders that the node needs, wherever they are: those below a hidden one are put back, by way of the folder `stash`.
    """
    lines = ["mount -t proc proc /proc", f"mount -t tmpfs tmpfs {stash}"]
    stashed = [(f"{stash}/{number}", shlex.quote(str(path))) for number, path in enumerate(keep)]
    for kept, path in stashed:
        lines += [f"mkdir {kept}", f"mount --bind {path} {kept}"]
    lines += [f"mount -t tmpfs -o mode=755 tmpfs {path}" for path in _HIDDEN]
    for kept, path in stashed:
        lines += [f"mkdir -p {path}", f"mount --bind {kept} {path}"]
    places = {"/var/lib/containerd": state / "node/containerd", "/var/lib/kubelet": state / "node/kubelet", "/var/log/pods": state / "logs/pods"}
    for place, own in places.items():
        lines += [f"mkdir -p {place}", f"mount --bind {shlex.quote(str(own))} {place}"]
    lines.append("mkdir /run/tunables")
    for tunable in _TUNABLES:
        copy = f"/run/tunables/{tunable.replace('/', '.')}"
        lines += [f"cat /proc/sys/{tunable} > {copy}", f"mount --bind {copy} /proc/sys/{tunable}"]
    return "\n".join([*lines, ""])


def cni() -> dict[str, Any]:
    """How a pod gets its network: a bridge, an address of the node's range, ports of the host. No masquerading: every route in the lab leads back."""
    ipam = {"type": "host-local", "ranges": [[{"subnet": str(addresses.NODE_PODS)}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True, "ipam": ipam}
    return {"cniVersion": "1.0.0", "name": "lab", "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]}


def containerd_config(networks: Path, plugins: Path, runc: Path, snapshotter: str) -> str:
    """containerd's configuration (TOML). Images come from the lab alone, so no registry is ever asked for one."""
    quoted = {name: json.dumps(str(value)) for name, value in {"networks": networks, "plugins": plugins, "runc": runc}.items()}  # JSON strings are TOML's
    return f"""version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.erofs"]

[plugins."io.containerd.cri.v1.images"]
snapshotter = "{snapshotter}"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{objects.PAUSE_IMAGE}"

[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
enable_cdi = false
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = [{quoted["plugins"]}]
conf_dir = {quoted["networks"]}
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
snapshotter = "{snapshotter}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = {quoted["runc"]}
SystemdCgroup = false
"""


def kubelet_config(credentials: Path, cgroup: str, resolver: Path, version: Version) -> dict[str, Any]:
    """The kubelet's configuration. It never evicts a pod for want of disk space: the disk is the whole machine's."""
    config: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": addresses.NODE_ADDRESS,
        "port": addresses.KUBELET_PORT,
        "tlsCertFile": str(credentials / "node-serving.crt"),
        "tlsPrivateKeyFile": str(credentials / "node-serving.key"),
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": {"clientCAFile": str(credentials / "cluster-ca.crt")}},
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "clusterDNS": [addresses.DNS],
        "clusterDomain": "cluster.local",
        "resolvConf": str(resolver),
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "evictionHard": {"memory.available": "10Mi"},
        "imageGCHighThresholdPercent": 100,
        "failSwapOn": False,
        "maxPods": 250,  # as many as there are addresses
        "syncFrequency": "10s",  # how soon a changed Secret is seen in a pod; the default of a minute would be most of a test
        "nodeStatusUpdateFrequency": "5s",
        "shutdownGracePeriod": "0s",
    }
    if version.minor >= 31:
        config["failCgroupV1"] = False
    return config


def _snapshotter(running: Running) -> str:
    """containerd's way to lay a container's files over its image's: overlayfs, or copies where the state folder's file system carries none."""
    folder = running.state / "node" / "overlay"
    for name in ("lower", "upper", "work", "merged"):
        (folder / name).mkdir(parents=True)
    options = ",".join(f"{name}dir={folder / name}" for name in ("lower", "upper", "work"))
    script = f"mount -t overlay -o {shlex.quote(options)} overlay {shlex.quote(str(folder / 'merged'))} && umount {shlex.quote(str(folder / 'merged'))}"
    try:
        running.nodes[addresses.NODE].check(["sh", "-c", script])
    except LabError:
        return "native"
    return "overlayfs"
