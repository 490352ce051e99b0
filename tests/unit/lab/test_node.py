# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the node with a real kubelet that are mere data: images, configurations, mounts, packet filter, workloads."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import tomllib
from doctorlab import Lab, Options, addresses, build, cgroups, faults, images, network, objects, paths, pki, servers, worker, workloads
from doctorlab.errors import LabError
from doctorlab.faults import Answer, Make, Pods, Server
from doctorlab.images import Image
from doctorlab.versions import Version

MACHINES = [addresses.LAB_NODE, *addresses.CONTROL_PLANE_MACHINES.values()]


def blobs(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content
            yield member.name, content.read()


def test_an_image_is_what_its_digests_say(tmp_path: Path) -> None:
    program = tmp_path / "webhook"
    program.write_bytes(b"\x7fELF and so on")
    images.write(tmp_path / "image.tar", Image("registry.example/webhook:1", program))
    files = dict(blobs(tmp_path / "image.tar"))
    for name, content in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    (described,) = json.loads(files["index.json"])["manifests"]
    assert described["annotations"] == {"io.containerd.image.name": "registry.example/webhook:1"}
    manifest = json.loads(files[blob(described)])
    config = json.loads(files[blob(manifest["config"])])
    assert config["config"] == {"Entrypoint": ["/webhook"], "User": "1000"}
    (layer,) = manifest["layers"]
    assert config["rootfs"]["diff_ids"] == [layer["digest"]], "the layer is not compressed"
    with tarfile.open(fileobj=io.BytesIO(files[blob(layer)])) as content:
        assert [(member.name, oct(member.mode)) for member in content] == [("tmp", "0o1777"), ("webhook", "0o755")]


def blob(descriptor: dict[str, Any]) -> str:
    return "blobs/" + descriptor["digest"].replace(":", "/")


def test_the_same_program_makes_the_same_image(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    for name in ("1.tar", "2.tar"):
        images.write(tmp_path / name, Image("n", tmp_path / "a"))
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


def test_hierarchies() -> None:
    mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ntmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
    assert list(cgroups.hierarchies(mounts)) == [Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup/unified")]


def test_what_is_to_be_kept_is_there_again_once_its_folder_is_hidden() -> None:
    lab = Path("/var/lib/ci/a lab")
    lines = worker.mounts(lab / "nodes/n", lab / "logs/pods/n", [lab, Path("/root/cache")], "/mnt").splitlines()
    saved, hidden = lines.index("mount --bind '/var/lib/ci/a lab' /mnt/0"), lines.index("mount -t tmpfs -o mode=755 tmpfs /var/lib")
    back, used = lines.index("mount --bind /mnt/0 '/var/lib/ci/a lab'"), lines.index("mount --bind '/var/lib/ci/a lab/nodes/n/kubelet' /var/lib/kubelet")
    assert saved < hidden < back < used
    assert lines.index("mount -t proc proc /proc") < lines.index("mount --bind /run/tunables/vm.overcommit_memory /proc/sys/vm/overcommit_memory")


def test_containerd_is_configured_in_toml_that_quotes_paths() -> None:
    config = tomllib.loads(worker.containerd_config(Path('/tmp/a "lab"/cni'), Path("/usr/lib/cni"), Path("/usr/sbin/runc"), "overlayfs"))
    runtime = config["plugins"]["io.containerd.cri.v1.runtime"]
    assert runtime["cni"] == {"bin_dirs": ["/usr/lib/cni"], "conf_dir": '/tmp/a "lab"/cni'}
    assert runtime["containerd"]["runtimes"]["runc"]["options"] == {"BinaryName": "/usr/sbin/runc", "SystemdCgroup": False}
    assert config["plugins"]["io.containerd.cri.v1.images"] == {"snapshotter": "overlayfs", "pinned_images": {"sandbox": objects.PAUSE_IMAGE}}


@pytest.mark.parametrize(("version", "said"), [("1.30.14", False), ("1.36.3", True)])
def test_an_old_kubelet_is_not_told_what_it_does_not_know(version: str, said: bool) -> None:
    config = worker.kubelet_config(addresses.LAB_NODE, Path("/pki/ca.crt"), Path("/resolv.conf"), Version.parse(version))
    assert ("failCgroupV1" in config) is said


def test_the_nodes_pods_are_routed_past_the_route_that_makes_all_pods_local() -> None:
    lines = network.wire_to_machine(4711, addresses.LAB_NODE, "172.31.0.11").splitlines()
    assert lines[0] == "link add node0 type veth peer name eth0 netns 4711"
    assert lines[-1] == "route add 10.244.64.0/24 via 172.31.0.31 dev node0 onlink src 172.31.0.11 table local"
    ranges = [machine.pods for machine in MACHINES]
    assert len(set(ranges)) == 4
    assert all(pods.subnet_of(addresses.POD_NETWORK) and not pods.overlaps(addresses.KWOK_POD_NETWORK) for pods in ranges)


@pytest.mark.parametrize(("remove", "place"), [(False, "-I FORWARD 1"), (True, "-D FORWARD")])
def test_forward_filter(remove: bool, place: str) -> None:
    text = network.forward_filter("10.244.64.2", 8443, "drop", remove=remove)
    assert text == f"*filter\n{place} -d 10.244.64.2 -p tcp --dport 8443 --syn -j DROP\nCOMMIT\n"


def test_every_pod_network_address_of_the_targets_is_outside_the_nodes() -> None:
    from doctorlab import targets

    for target in targets.allot(faults.load(paths.FAULTS)):
        assert not [address for address in target.pods for machine in MACHINES if addresses.IPv4Address(address) in machine.pods]


def made(target: Any) -> dict[str, Any]:
    authorities = pki.make_authorities(datetime.now(timezone.utc))
    served = servers.certificate(target, authorities, datetime.now(timezone.utc))
    return {item["kind"]: item for item in workloads.back_end(target, served)}


def test_a_fault_is_an_argument_of_the_container() -> None:
    target = workloads.healthy("stalls", Make(server=Server(accept="stall", answer=Answer(behaviour="status", status=503))))
    items = made(target)
    (container,) = items["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["args"][:3] == ["webhook", "-secure-port=8443", "-healthz-port=6080"]
    said = json.loads(container["args"][3].removeprefix("-faults="))
    assert (said["accept"], said["answer"]["status"], said["tls"]) == ("stall", 503, {"max_version": "", "client_certificate": False})
    assert items["Secret"]["metadata"]["namespace"] == items["Service"]["metadata"]["namespace"] == "fault-stalls"
    assert items["Service"]["spec"]["selector"].items() <= items["Deployment"]["spec"]["template"]["metadata"]["labels"].items()


def test_plain_http() -> None:
    assert workloads.faults(workloads.healthy("plain", Make(server=Server(plain_http=True))))["tls"] is None


def test_nobody_listens_where_the_fault_is_that() -> None:
    (container,) = workloads.deployment(workloads.healthy("dead", Make(pods=Pods(2, 2, 0))))["spec"]["template"]["spec"]["containers"]
    assert "-secure-port=9443" in container["args"] and container["ports"][0]["containerPort"] == 8443


def test_the_probe_asks_elsewhere_where_no_pod_is_to_be_ready() -> None:
    (container,) = workloads.deployment(workloads.healthy("unready", Make(pods=Pods(2, 0, 2))))["spec"]["template"]["spec"]["containers"]
    assert "-healthz-port=6081" in container["args"] and container["ports"][1] == {"name": "healthz", "containerPort": 6080}


@pytest.mark.parametrize("pods", [Pods(3, 2, 2), Pods(2, 2, 1)])
def test_pods_that_differ_are_refused(pods: Pods) -> None:
    with pytest.raises(LabError, match="all alike"):
        workloads.deployment(workloads.healthy("differ", Make(pods=pods)))


def test_most_faults_can_be_workloads() -> None:
    """Those that cannot are known: the lab's own pods remain for them."""
    refused = set()
    for fault in faults.load(paths.FAULTS):
        target = workloads.healthy(fault.name, fault.make)
        try:
            if target.has_pods:
                workloads.deployment(target)
        except LabError:
            refused.add(fault.name)
    assert refused == {"one-pod-not-ready", "some-endpoints-dead"}


def rolled(**status: int) -> bool:
    status = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2, **status}
    return workloads.rolled_out({"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status})


def test_rolled_out() -> None:
    assert rolled()


@pytest.mark.parametrize("status", [{"replicas": 3}, {"updatedReplicas": 1}, {"readyReplicas": 1}, {"observedGeneration": 1}])
def test_not_rolled_out(status: dict[str, int]) -> None:
    assert not rolled(**status)


def test_a_plain_lab_is_not_built_anew_because_of_the_node() -> None:
    assert build.PACKAGES.keys() & build.NODE_PACKAGES.keys() == set()
    assert build._pins(build.PACKAGES) == ("go.mod", "go.sum")
    assert build._pins(build.NODE_PACKAGES) == ("go.mod", "go.sum", "node.sum")
    assert build._pins(build.CONTROL_PLANE_PACKAGES) == ("go.mod", "go.sum", "node.sum", "kubeadm.sum")


@pytest.mark.parametrize("options", [Options(faults="none", node=True), Options(faults="none", control_plane=2)])
def test_without_root_it_says_so_before_anything_is_built(options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(LabError, match="need root"):
        Lab(tmp_path / "lab", options).up()
    assert not (tmp_path / "lab").exists()
