# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of control-plane nodes that are mere data: kubeadm's configuration, etcd's command line, the balancer, mounts, the limit of inotify."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from doctorlab import Options, controlplane, kubeadm, worker
from doctorlab.errors import LabError
from doctorlab.versions import Version

NODES = kubeadm.machines(3)


def of_api_server(documents: list[dict[str, Any]]) -> Any:
    return documents[1]["apiServer"]["extraArgs"]


def test_the_configuration_is_of_the_kind_that_this_kubeadm_reads() -> None:
    old, new = (kubeadm.configuration(Version.parse(text), NODES[0], NODES[:1], {"a": "1"}) for text in ("1.30.14", "1.36.3"))
    assert {document["apiVersion"] for document in old} == {"kubeadm.k8s.io/v1beta3"}
    assert {document["apiVersion"] for document in new} == {"kubeadm.k8s.io/v1beta4"}
    assert of_api_server(old) == {"a": "1"}
    assert of_api_server(new) == [{"name": "a", "value": "1"}]
    assert new[0]["localAPIEndpoint"] == {"advertiseAddress": "172.31.0.11", "bindPort": 6443}
    assert new[1]["controlPlaneEndpoint"] == "172.31.0.10:6443"


@pytest.mark.parametrize(("members", "said"), [(1, {"etcd-servers": "https://172.31.0.11:2379"}), (3, {})])
def test_a_node_without_a_member_of_etcd_uses_the_others(members: int, said: dict[str, str]) -> None:
    assert of_api_server(kubeadm.configuration(Version.parse("1.30.14"), NODES[1], NODES[:members], {})) == said


def test_only_the_first_node_has_the_super_administrator() -> None:
    first, other = (kubeadm.phases(["kube-apiserver", "kube-controller-manager"], first=first) for first in (True, False))
    assert set(first) - set(other) == {"kubeconfig super-admin"}
    kubeconfigs = ["kubeconfig admin", "kubeconfig kubelet", "kubeconfig controller-manager"]
    assert other == ["certs all", *kubeconfigs, "control-plane apiserver", "control-plane controller-manager"]


def test_etcd_members_know_each_other() -> None:
    command = kubeadm.etcd_command(Path("/bin/etcd"), NODES[1], NODES)
    peers = ",".join(f"{node.name}=https://{node.address}:2380" for node in NODES)
    assert {"--name=lab-control-plane-2", f"--initial-cluster={peers}", "--client-cert-auth=true", "--peer-client-cert-auth=true"} <= set(command)
    assert not [flag for flag in command if "http:" in flag and "metrics" not in flag]


def test_the_balancer_asks_every_server(tmp_path: Path) -> None:
    command = controlplane.haproxy(tmp_path, [("one", "172.31.0.11"), ("two", "172.31.0.12")])
    lines = [line.strip() for line in Path(command[-1]).read_text(encoding="ascii").splitlines()]
    assert lines[-2:] == ["server one 172.31.0.11:6443 check verify none", "server two 172.31.0.12:6443 check verify none"]
    assert "option redispatch" in lines


def test_what_a_machine_has_of_its_own_comes_after_what_is_laid_over() -> None:
    folder, logs, keep = Path("/l/nodes/n"), Path("/l/logs/pods/n"), [Path("/l")]
    lines = worker.mounts(folder, logs, keep, "/mnt", own_system_files=True).splitlines()
    assert lines[-1] == "cp -a --remove-destination /l/nodes/n/root/. /"
    laid = "mount -t overlay -o lowerdir=/etc,upperdir=/run/overlays/etc/upper,workdir=/run/overlays/etc/work overlay /etc"
    assert lines.index("mount -t tmpfs -o mode=755 tmpfs /run") < lines.index(laid) < lines.index("mount -t tmpfs -o mode=755 tmpfs /etc/kubernetes")
    assert not [line for line in worker.mounts(folder, logs, keep, "/mnt").splitlines() if "/etc" in line]


def test_a_clock_is_shifted_by_what_the_interpreter_is_started_with() -> None:
    lines = kubeadm.python_script({"FAKETIME": "+90s"}).splitlines()
    assert lines[:2] == ["#!/bin/sh", "export FAKETIME='+90s'"]
    assert lines[2].startswith("exec /") and lines[2].endswith(' "$@"')
    assert len(kubeadm.python_script().splitlines()) == 2


@pytest.mark.parametrize(("allowed", "after"), [(128, 1024), (8192, 8192)])
def test_the_limit_of_inotify_is_raised_never_lowered(allowed: int, after: int, tmp_path: Path) -> None:
    setting, said = tmp_path / "max_user_instances", list[str]()
    setting.write_text(f"{allowed}\n", encoding="ascii")
    worker.raise_limit(said.append, setting)
    assert (int(setting.read_text(encoding="ascii")), said) == (after, [])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"control_plane": 4}, "control-plane: 4 is none of 0, 1, 2, 3"),
        ({"control_plane": 2, "node": True}, "leave node"),
        ({"control_plane": 2, "api_servers": 2}, "leave node, api-servers"),
        ({"etcd_members": 3}, "with control-plane 3"),
        ({"control_plane": 3, "etcd_members": 2}, "etcd-members: 2"),
        ({"api_server_arguments": {"v": "4"}}, "needs control-plane"),
    ],
)
def test_options_that_do_not_go_together(given: dict[str, Any], said: str) -> None:
    with pytest.raises(LabError, match=said):
        Options(**given)
