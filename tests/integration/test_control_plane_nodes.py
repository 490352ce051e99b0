# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's control-plane nodes: each is a machine of its own whose API server is a static pod, and what is done to one of them shows on that one alone.

Each test of a lab leaves it as it was.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import leftovers
import pytest
from doctorlab import Lab, Options, addresses, kubeadm
from doctorlab.api import wait
from doctorlab.control_plane_node import API_SERVER, ControlPlaneNode

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need cgroups, and those need root")

LOOPBACK = re.compile(r"apiserver-loopback-client@\d+")
# So that a server that is told to end does so within this time, though clients watch; kubeadm's own is a minute.
QUICK = {"request-timeout": "10s"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("nodes") / "lab", Options(faults="denies", control_plane=3, etcd_members=3, api_server_arguments=QUICK)) as lab:
        yield lab


def on_nodes(lab: Lab, command: str) -> dict[str, str]:
    """What a command says on each node, by way of Ansible."""
    done = lab.run(["ansible", "-i", str(lab.inventory()), "kube_control_plane", "--one-line", "-a", command], capture_output=True, check=True)
    found = re.findall(r"^(\S+) \| CHANGED \| rc=0 \| \(stdout\) (.*)$", done.stdout, flags=re.MULTILINE)
    assert len(found) == len(lab.control_plane), done.stdout + done.stderr
    return dict(found)


@contextmanager
def served_throughout(lab: Lab) -> Iterator[None]:
    """The API answers every read and write by way of the balancer meanwhile."""
    failed, made, end = list[str](), list[str](), threading.Event()

    def ask() -> None:
        while not end.wait(0.2):
            patch = ["kubectl", "-n", "kube-system", "annotate", "--overwrite", "configmap", "kubeadm-config", f"asked={len(made)}"]
            done = lab.run(patch, capture_output=True)
            (failed if done.returncode else made).append(done.stderr)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
    assert made and failed == []


def test_the_nodes_are_those_of_a_kubeadm_cluster(lab: Lab) -> None:
    nodes = {item["metadata"]["name"]: item for item in json.loads(lab.kubectl("get", "nodes", "-o", "json"))["items"]}
    for each in lab.control_plane:
        node = nodes[each.name]
        assert "node-role.kubernetes.io/control-plane" in node["metadata"]["labels"]
        assert node["spec"]["taints"] == [kubeadm.TAINT]
        assert {"type": "InternalIP", "address": each.address} in node["status"]["addresses"]
        assert [one["status"] for one in node["status"]["conditions"] if one["type"] == "Ready"] == ["True"]
        assert len(each.processes("kube-controller-manager")) == 1
    holder = lab.kubectl("-n", "kube-system", "get", "lease", "kube-controller-manager", "-o", "jsonpath={.spec.holderIdentity}")
    assert holder.rpartition("_")[0] in nodes


def test_each_api_server_is_asked_at_its_own_address(lab: Lab) -> None:
    assert len({each.loopback_certificate() for each in lab.control_plane}) == 3
    assert all(LOOPBACK.fullmatch(each.loopback_name() or "") for each in lab.control_plane)
    for each in lab.control_plane:
        assert each.ready()
        each.run(["kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "get", "nodes"])
        refused = lab.run(
            ["kubectl", "-n", "fault-denies", "patch", "configmap", "settings", "--dry-run=server", "-p", '{"data":{"a":"b"}}'],
            env={"KUBECONFIG": str(each.kubeconfig)},
            capture_output=True,
        )
        assert "denied the request" in refused.stderr, "it reaches the webhook"


def test_ansible_sees_each_node_as_a_machine_of_its_own(lab: Lab) -> None:
    names = [each.name for each in lab.control_plane]
    assert on_nodes(lab, "hostname") == {name: name for name in names}
    advertised = on_nodes(lab, "grep -o advertise-address=.* /etc/kubernetes/manifests/kube-apiserver.yaml")
    assert advertised == {each.name: f"advertise-address={each.address}" for each in lab.control_plane}
    assert on_nodes(lab, "pgrep -c kube-apiserver") == dict.fromkeys(names, "1")
    assert {line.split()[2].partition("/")[0] for line in on_nodes(lab, "ip -brief -4 address show eth0").values()} == {
        each.address for each in lab.control_plane
    }


@pytest.mark.parametrize("how", ["crictl", "signal"])
def test_an_api_server_that_is_stopped_comes_back_anew(lab: Lab, how: str) -> None:
    node = lab.control_plane[["crictl", "signal"].index(how)]
    before, (container,) = node.loopback_name(), node.containers()
    others = [each.loopback_name() for each in lab.control_plane if each.name != node.name]
    with served_throughout(lab):
        if how == "crictl":
            node.run(["crictl", "stop", "--timeout", "60", container["id"]])
        else:
            with node.without_crictl():
                assert node.run(["sh", "-c", "command -v crictl"], check=False).returncode != 0
                (process,) = node.processes(API_SERVER)
                os.kill(process.pid, signal.SIGTERM)
                wait("it ends", lambda: not process.alive(), timeout=60)
        after = node.wait_for_new_api_server(before)
    (new,) = node.containers()
    assert after != before and new["id"] != container["id"]
    assert (new["podSandboxId"], new["metadata"]["attempt"]) == (container["podSandboxId"], container["metadata"]["attempt"] + 1)
    assert [each.loopback_name() for each in lab.control_plane if each.name != node.name] == others


def test_an_api_server_that_does_not_come_back(lab: Lab) -> None:
    node = lab.control_plane[2]
    before, (container,) = node.loopback_name(), node.containers()
    node.keep_api_server_down()
    assert node.ready(), "it goes on until it ends"
    with served_throughout(lab):
        node.run(["crictl", "stop", "--timeout", "60", container["id"]])
        wait("a new one fails", lambda: "apiserver.key" in failed_log(node), timeout=60)
        assert node.loopback_name() is None
    node.let_api_server_start()
    node.wait_for_new_api_server(before)


def failed_log(node: ControlPlaneNode) -> str:
    """What the last kube-apiserver that has ended said at its end, by crictl."""
    listed = json.loads(node.run(["crictl", "ps", "--all", "--state", "exited", "--name", API_SERVER, "-o", "json"]).stdout)["containers"]
    newest = max(listed, key=lambda container: int(container["createdAt"]), default=None)
    return node.run(["crictl", "logs", "--tail", "5", newest["id"]]).stderr if newest else ""


def test_an_etcd_member_is_down(lab: Lab) -> None:
    """Each API server uses its own node's member: that one is not ready, the others are, as two of three are a quorum."""
    first, second, third = lab.control_plane
    third.stop_etcd()
    try:
        wait("its API server is not ready", lambda: not third.ready(), timeout=30)
        assert first.ready() and second.ready()
        lab.run(["kubectl", "annotate", "node", addresses.FIRST, "written=yes"], env={"KUBECONFIG": str(first.kubeconfig)}, check=True, capture_output=True)
    finally:
        third.start_etcd()
    wait("its API server is ready again", third.ready, timeout=60)


def test_a_clock_that_is_wrong(lab: Lab) -> None:
    skewed, right = lab.control_plane[:2]
    with skewed.clock_skew(-90):
        told = {name: float(seconds) for name, seconds in on_nodes(lab, "date +%s.%N").items()}
    assert 85 < told[right.name] - told[skewed.name] < 95
    assert abs(float(on_nodes(lab, "date +%s")[skewed.name]) - datetime.now().timestamp()) < 5


def test_the_oldest_kubernetes(tmp_path: Path) -> None:
    with Lab(tmp_path / "lab", Options(kubernetes="1.30.14", faults="none", control_plane=2, api_server_arguments=QUICK)) as lab:
        first, second = lab.control_plane
        before = second.loopback_name()
        second.run(["crictl", "stop", "--timeout", "60", second.containers()[0]["id"]])
        second.wait_for_new_api_server(before)
        versions = json.loads(lab.kubectl("get", "nodes", "-o", "json"))["items"]
        assert {item["status"]["nodeInfo"]["kubeletVersion"] for item in versions if item["metadata"]["name"] in (first.name, second.name)} == {"v1.30.14"}


def test_nothing_is_left(tmp_path: Path) -> None:
    leftovers.check_none(Options(faults="none", control_plane=2), tmp_path, killed=False, use=lambda lab: lab.inventory())
