# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's node with a real kubelet: what is said of clusters where pods really run is true there.

The tests of one lab share it, and each has a namespace of its own.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import leftovers
import pytest
from doctorlab import Lab, Options, addresses, workloads
from doctorlab.cert_manager import CertManager
from doctorlab.faults import ROUTINGS, Make, Pods
from doctorlab.targets import Target
from lab_diagnosis import Diagnosis, diagnose

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need cgroups, and those need root")

OTHER_PORT = 9444
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).close()"


@pytest.fixture(scope="module", params=ROUTINGS)
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """With a fault of the lab's own beside the node: neither is in the other's way."""
    with Lab(tmp_path_factory.mktemp("node") / "lab", Options(faults="syn-dropped", routing=request.param, node=True)) as lab:
        yield lab


def ask(lab: Lab, target: Target) -> str:
    """Make the API server call the webhook; what it says where it cannot, "" where all is well."""
    patch = ["kubectl", "-n", target.namespace, "patch", "configmap", "settings", "--dry-run=server", "-p", '{"data":{"a":"b"}}']
    done = lab.run(patch, capture_output=True)
    return done.stderr if done.returncode else ""


def patch(lab: Lab, target: Target, kind: str, operations: list[dict[str, Any]]) -> None:
    lab.kubectl("-n", target.namespace, "patch", kind, "webhook", "--type=json", "-p", json.dumps(operations))


def listens(lab: Lab, address: str, port: int) -> bool:
    """Whether something accepts a connection there, from the API server's node."""
    return lab.run([sys.executable, "-c", CONNECT, address, str(port)], capture_output=True).returncode == 0


def errors(diagnosis: Diagnosis, target: Target) -> list[tuple[str, str | None]]:
    return [(finding["code"], finding["cause"]) for finding in diagnosis.found(target)]


def probes(diagnosis: Diagnosis, vantage: str, target: Target) -> list[dict[str, Any]]:
    mine = set(diagnosis.callouts(target))
    return [probe for probe in diagnosis.report["bundle"]["probes"] if probe["vantage"] == vantage and mine & set(probe["callouts"])]


def test_a_deployment_answers(lab: Lab) -> None:
    target = workloads.healthy("shop")
    lab.node.deploy(target)
    assert ask(lab, target) == ""
    logs = "".join(lab.node.log(key) for key in lab.node.keys(f"{target.namespace}/"))
    assert [json.loads(line)["dry_run"] for line in logs.splitlines() if line.startswith("{")] == [True]


def test_it_rolls_to_another_port(lab: Lab) -> None:
    target = workloads.healthy("rolls")
    lab.node.deploy(target)
    before = set(lab.node.keys(f"{target.namespace}/"))
    container = "/spec/template/spec/containers/0"
    patch(
        lab,
        target,
        "deployment",
        [
            {"op": "replace", "path": f"{container}/args/1", "value": f"-secure-port={OTHER_PORT}"},
            {"op": "replace", "path": f"{container}/ports/0/containerPort", "value": OTHER_PORT},
        ],
    )
    lab.node.wait_ready(target.namespace)
    assert not before & set(lab.node.keys(f"{target.namespace}/")), "a pod of before is left"
    assert "connection refused" in ask(lab, target), "the Service still asks at the old port"
    patch(lab, target, "service", [{"op": "replace", "path": "/spec/ports/0/targetPort", "value": OTHER_PORT}])
    lab.node.wait(target.namespace, "the API server calls at the new port", lambda: ask(lab, target) == "")


def test_host_network_binds_and_a_second_pod_finds_no_place(lab: Lab) -> None:
    target = workloads.healthy("host", Make(pods=Pods(1, 1, 1)))
    assert not listens(lab, lab.node.address, addresses.WEBHOOK_PORT)
    lab.node.deploy(target)
    assert not listens(lab, lab.node.address, addresses.WEBHOOK_PORT), "with a network of its own it binds in there"
    patch(lab, target, "deployment", [{"op": "add", "path": "/spec/template/spec/hostNetwork", "value": True}])
    lab.node.wait_ready(target.namespace)
    (pod,) = lab.node.pods(target.namespace)
    assert pod["status"]["podIP"] == lab.node.address
    assert listens(lab, lab.node.address, addresses.WEBHOOK_PORT)
    lab.node.wait(target.namespace, "the API server calls at the node's address", lambda: ask(lab, target) == "")
    lab.kubectl("-n", target.namespace, "scale", "deployment/webhook", "--replicas=2")
    lab.node.wait(target.namespace, "the scheduler says why not", lambda: "didn't have free ports" in lab.node.complaints(target.namespace))
    assert sorted(pod["status"]["phase"] for pod in lab.node.pods(target.namespace)) == ["Pending", "Running"]
    lab.kubectl("delete", "namespace", target.namespace, "--timeout=60s")
    assert not listens(lab, lab.node.address, addresses.WEBHOOK_PORT)


def test_a_packet_filter_of_the_node_drops(lab: Lab, tmp_path: Path) -> None:
    target = workloads.healthy("filtered", Make(packet_filter="drop"))
    lab.node.deploy(target)
    dropped = diagnose(lab, tmp_path / "dropped")
    assert errors(dropped, target) == [("WD210", "connect_timeout")]
    assert all(probe["ok"] for probe in probes(dropped, "port_forward", target)), "a kubelet goes around the filter"
    assert all(pod["status"]["containerStatuses"][0]["ready"] for pod in lab.node.pods(target.namespace))
    for pod in lab.node.pods(target.namespace):
        lab.node.let_packets_pass(pod["status"]["podIP"], addresses.WEBHOOK_PORT, "drop")
    assert errors(diagnose(lab, tmp_path / "passing"), target) == []


def test_port_forward_through_the_real_kubelet(lab: Lab, tmp_path: Path) -> None:
    """The lab's own faults go on beside the node, with the lab's own small kubelet."""
    healthy, dead = workloads.healthy("forwarded"), workloads.healthy("silent", Make(pods=Pods(2, 2, 0)))
    lab.node.deploy(healthy)
    lab.node.deploy(dead)
    diagnosis = diagnose(lab, tmp_path / "report")
    asked = probes(diagnosis, "port_forward", healthy)
    assert [(probe["ok"], probe["phase"], probe["provable"]) for probe in asked] == [(True, "review", True)] * 2
    assert {probe["peer"]["address"] for probe in asked} == {f"{key}:{addresses.WEBHOOK_PORT}" for key in lab.node.keys(f"{healthy.namespace}/")}
    assert errors(diagnosis, healthy) == []
    assert [(probe["ok"], probe["cause"]) for probe in probes(diagnosis, "port_forward", dead)] == [(False, "connection_refused")] * 2
    assert errors(diagnosis, dead) == [("WD201", "connection_refused")]
    assert {target.role: errors(diagnosis, target) for target in lab.targets if target.fault == "syn-dropped"} == {
        "fault": [("WD210", "connect_timeout")],
        "twin": [],
    }


def test_cert_manager(tmp_path: Path) -> None:
    """cert-manager's own programs in containers, with tokens that the kubelet mounts, through kube-proxy to the API server."""
    with Lab(tmp_path / "lab", Options(faults="none", routing="cluster_ip", node=True)) as lab:
        cert_manager = CertManager(lab, values={"webhook": {"replicaCount": 2}})
        cert_manager.install()
        (pod,) = (pod for pod in lab.node.pods("cert-manager") if pod["metadata"]["name"] in cert_manager.component("controller")[0])
        token = [source for volume in pod["spec"]["volumes"] for source in volume.get("projected", {}).get("sources", []) if "serviceAccountToken" in source]
        assert token, "no token is mounted"
        diagnosis = diagnose(lab, tmp_path / "report")
        assert [finding["code"] for finding in diagnosis.report["findings"] if finding["severity"] != "info"] == []
        forwarded = [probe for probe in diagnosis.report["bundle"]["probes"] if probe["vantage"] == "port_forward"]
        assert len(forwarded) == 4 and all(probe["ok"] for probe in forwarded)


@pytest.mark.parametrize("killed", [False, True], ids=["failed", "killed"])
def test_nothing_is_left(killed: bool, tmp_path: Path) -> None:
    leftovers.check_none(Options(faults="none", node=True), tmp_path, killed=killed, use=lambda lab: lab.node.deploy(workloads.healthy("shop")))
