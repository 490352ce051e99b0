# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of a node with a real kubelet (kubelet, containerd, runc, a bridge, kube-proxy): how they are set up.

A node has namespaces of its own. In its mount namespace the folders in which these programs keep things at fixed places are the lab's, so that
nothing is written to the machine's; with the namespaces all mounts are gone, and with the state folder all files. What remains are cgroups: see cgroups.py.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from . import addresses, build, cgroups, controlplane, network, objects, pki, tools
from .addresses import Machine
from .errors import LabError
from .namespace import Namespace
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
# Folders whose changes are the node's alone, where that is asked for.
_OVERLAID = ("/etc", "/usr/local/bin")
# What lies in a hidden folder is kept in one of these meanwhile.
_STASHES = ("/mnt", "/media", "/srv", "/opt")
_INOTIFY, _INOTIFY_NEEDED = Path("/proc/sys/fs/inotify/max_user_instances"), 1024
KUBELET_CONFIG = Path("/var/lib/kubelet/config.yaml")  # kubeadm's place


def ensure(version: Version, log: Callable[[str], None]) -> dict[str, Path]:
    """Return the paths of what a node runs, built if needed (about 5 minutes on 2 cores, once)."""
    home = ensure_containerd(log)
    own = {name: build.ensure_own(name, log) for name in build.NODE_OWN}
    return {**build.ensure(version, log, build.NODE_PACKAGES), **{name: home / name for name in _CONTAINERD}, **own}


def ensure_containerd(log: Callable[[str], None]) -> Path:
    """Return the folder with containerd's programs, built if needed (75 s on 2 cores, once)."""
    return build.ensure_programs("containerd", _CONTAINERD, log, f"-s -w -X {_MODULE}/version.Version=v{_VERSION}")


def raise_limit(log: Callable[[str], None], setting: Path = _INOTIFY) -> None:
    """Let a user have as many inotify instances as several labs need: a node takes 17, and Linux allows 128. It stays so until the machine starts anew."""
    allowed = int(setting.read_text(encoding="ascii"))
    if allowed >= _INOTIFY_NEEDED:
        return
    try:
        setting.write_text(str(_INOTIFY_NEEDED), encoding="ascii")
    except OSError as error:  # in a container
        log(f"fs.inotify.max_user_instances is {allowed} and cannot be raised ({error}): more than {allowed // 17} nodes with a kubelet will not start")


def make_credentials(folder: Path, authority: Pair, now: datetime) -> None:
    """Write the certificates of the kubelet of `lab-node`, as a server and as a client, and its kubeconfig."""
    user, group = f"system:node:{addresses.NODE}", "system:nodes"
    pki.issue(authority, user, now, names=[addresses.NODE, addresses.NODE_ADDRESS], organization=group).write(folder, "node-serving")
    pki.issue(authority, user, now, usage="client", organization=group).write(folder, "node")
    controlplane.write_kubeconfig(folder / "node.kubeconfig", folder, "node", addresses.FIRST)


def folder_of(state: Path, node: str) -> Path:
    """Where a lab keeps the files of a node with a real kubelet."""
    return state / "nodes" / node


def set_up(running: Running, machine: Machine, programs: Mapping[str, Path], hub: str, *, own_system_files: bool = False) -> None:
    """Make a node's namespaces, network, mounts and cgroups, and start containerd, which needs nobody. Raises LabError.

    `hub` is the address of the namespace in the middle. `own_system_files`: what is written below /etc and the like is the node's alone, and what
    <folder_of>/root holds is there from the beginning.
    """
    folder, logs = folder_of(running.state, machine.name), running.state / "logs" / "pods" / machine.name
    shutil.rmtree(logs, ignore_errors=True)  # of a lab before: a kubelet counts a static pod's restarts by them
    for path in (*(folder / name for name in ("containerd", "kubelet", "cni", "root")), logs):
        path.mkdir(parents=True, exist_ok=True)
    namespace = running.namespace.create_machine(programs["pause"])
    running.nodes[machine.name] = namespace
    running.save()
    namespace.check(["hostname", machine.name], pid=True)
    keep = [running.state, *sorted({path.parent for path in programs.values()})]
    namespace.check(["sh", "-eu"], mounts(folder, logs, keep, _stash(keep), own_system_files=own_system_files), pid=True)
    network.set_up_machine(running.namespace, namespace, machine, hub)
    cgroups.make(_cgroup(running, machine))
    plugins = tools.which("host-local")
    runc = tools.which("runc")
    assert plugins and runc, "tools.ensure has found or installed them"
    (folder / "cni" / "10-lab.conflist").write_text(json.dumps(cni(machine.pods), indent=1), encoding="utf-8")
    snapshotter = _snapshotter(folder, namespace)
    (folder / "containerd.toml").write_text(containerd_config(folder / "cni", Path(plugins).parent, Path(runc), snapshotter), encoding="utf-8")
    path = f"{programs['containerd'].parent}:{tools.search_path()}"
    command = [str(programs["containerd"]), f"--config={folder / 'containerd.toml'}"]
    running.start(f"{machine.name}-containerd", command, node=machine.name, environment={"PATH": path})


def start_kubelet(running: Running, machine: Machine, kubelet: Path, kubeconfig: Path, config: Mapping[str, Any]) -> None:
    """`config`: that of kubelet_config, and more."""
    config = {**config, "cgroupRoot": f"/{_cgroup(running, machine)}"}
    (folder_of(running.state, machine.name) / "kubelet" / "config.yaml").write_text(json.dumps(config, indent=1), encoding="utf-8")
    command = [str(kubelet), f"--config={KUBELET_CONFIG}", f"--kubeconfig={kubeconfig}", f"--hostname-override={machine.name}", f"--node-ip={machine.address}"]
    running.start(f"{machine.name}-kubelet", command, node=machine.name)


def start(running: Running, programs: Mapping[str, Path], credentials: Path, version: Version) -> None:
    """Start what speaks with the API server on `lab-node`: kubelet and kube-proxy."""
    config = {
        **kubelet_config(addresses.LAB_NODE, credentials / "ca.crt", running.state / "resolv.conf", version),
        "tlsCertFile": str(credentials / "node-serving.crt"),
        "tlsPrivateKeyFile": str(credentials / "node-serving.key"),
    }
    start_kubelet(running, addresses.LAB_NODE, programs["kubelet"], credentials / "node.kubeconfig", config)
    kube_proxy = controlplane.kube_proxy(programs["kube-proxy"], credentials, running.state, addresses.NODE)
    running.start(f"{addresses.NODE}-kube-proxy", kube_proxy, node=addresses.NODE)


def _cgroup(running: Running, machine: Machine) -> str:
    return f"{running.about['id']}/{machine.name}"


def _stash(keep: list[Path]) -> str:
    """A folder that may be covered: none of those to keep is in it. Raises LabError."""
    for stash in _STASHES:
        if Path(stash).is_dir() and not any(path.is_relative_to(stash) for path in keep):
            return stash
    raise LabError(f"a node needs one of the folders {', '.join(_STASHES)} as a mount point, and all that exist hold the lab's own files. Make another one.")


def mounts(folder: Path, logs: Path, keep: list[Path], stash: str, *, own_system_files: bool = False) -> str:
    """The script that makes a node's mounts; a process of the node's process tree runs it in the node's mount namespace. Pure.

    `folder` is the lab's of this node, `logs` where those of its pods go. `keep` are the folders that the node needs, wherever they are: those below a
    hidden one are put back, by way of the folder `stash`.
    """
    lines = ["mount -t proc proc /proc", f"mount -t tmpfs tmpfs {stash}"]
    stashed = [(f"{stash}/{number}", shlex.quote(str(path))) for number, path in enumerate(keep)]
    for kept, path in stashed:
        lines += [f"mkdir {kept}", f"mount --bind {path} {kept}"]
    lines += [f"mount -t tmpfs -o mode=755 tmpfs {path}" for path in _HIDDEN]
    for kept, path in stashed:
        lines += [f"mkdir -p {path}", f"mount --bind {kept} {path}"]
    places = {"/var/lib/containerd": folder / "containerd", "/var/lib/kubelet": folder / "kubelet", "/var/log/pods": logs}
    for place, own in places.items():
        lines += [f"mkdir -p {place}", f"mount --bind {shlex.quote(str(own))} {place}"]
    lines.append("mkdir /run/tunables")
    for tunable in _TUNABLES:
        copy = f"/run/tunables/{tunable.replace('/', '.')}"
        lines += [f"cat /proc/sys/{tunable} > {copy}", f"mount --bind {copy} /proc/sys/{tunable}"]
    if own_system_files:
        for path in _OVERLAID:
            layers = f"/run/overlays{path}"
            options = f"lowerdir={path},upperdir={layers}/upper,workdir={layers}/work"
            lines += [f"mkdir -p {layers}/upper {layers}/work", f"mount -t overlay -o {options} overlay {path}"]
        # A file system of its own, in which everything can be renamed; and nothing of a cluster that the machine itself may belong to.
        lines += ["mkdir -p /etc/kubernetes", "mount -t tmpfs -o mode=755 tmpfs /etc/kubernetes"]
        lines.append(f"cp -a --remove-destination {shlex.quote(str(folder / 'root'))}/. /")
    return "\n".join([*lines, ""])


def cni(pods: IPv4Network) -> dict[str, Any]:
    """How a pod gets its network: a bridge, an address of the node's range, ports of the host. No masquerading: every route in the lab leads back."""
    ipam = {"type": "host-local", "ranges": [[{"subnet": str(pods)}]], "routes": [{"dst": "0.0.0.0/0"}]}
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


def kubelet_config(machine: Machine, authority: Path, resolver: Path, version: Version) -> dict[str, Any]:
    """The kubelet's configuration, without its cgroup. It never evicts a pod for want of disk space: the disk is the whole machine's."""
    config: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": machine.address,
        "port": addresses.KUBELET_PORT,
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": {"clientCAFile": str(authority)}},
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
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


def _snapshotter(node_folder: Path, namespace: Namespace) -> str:
    """containerd's way to lay a container's files over its image's: overlayfs, or copies where the state folder's file system carries none."""
    folder = node_folder / "overlay"
    for name in ("lower", "upper", "work", "merged"):
        (folder / name).mkdir(parents=True)
    options = ",".join(f"{name}dir={folder / name}" for name in ("lower", "upper", "work"))
    script = f"mount -t overlay -o {shlex.quote(options)} overlay {shlex.quote(str(folder / 'merged'))} && umount {shlex.quote(str(folder / 'merged'))}"
    try:
        namespace.check(["sh", "-c", script])
    except LabError:
        return "native"
    return "overlayfs"
