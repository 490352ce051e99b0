# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table distributions.yml; cgroups; what of the flags and the environment is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.container import Place, place
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.flags import arguments
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.manifest import manifest
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import Process, in_own_network, process, unit_of
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.proxy import proxy
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.server import find
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.machine import BOOTED, CONTAINER, KUBEPODS, POD, Machine

ROWS = yaml.safe_load((Path(__file__).parent / "distributions.yml").read_text())


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in ROWS])
def test_what_runs_tells_the_distribution(row: dict[str, Any], machine: Machine) -> None:
    for given in row.get("processes", ()):
        inside = given.get("in", "")
        cgroup = KUBEPODS.format(pod=POD, id=CONTAINER) if inside == "pod" else f"0::/system.slice/{inside}\n"
        machine.process(
            given["pid"],
            given["words"],
            parent=given.get("parent", 1),
            ticks=given.get("ticks", 100_000),
            cgroup=cgroup,
            network=given.get("network", "net:[4026531840]"),
        )
    for path in row.get("files", ()):
        machine.file(path, "x")
    for path, content in row.get("contents", {}).items():
        machine.file(path, content)
    expect = {"pid": 10, "unit": None, "missed": None, "provisioned_by": None, **row["expect"]}
    host = Host(machine.root)
    server = find(host)
    assert {
        "name": server.distribution.name,
        "manages_by": server.manages_by,
        "pid": server.process.pid if server.process else None,
        "unit": server.unit,
        "address": server.listens.address,
        "port": server.listens.port,
        "provisioned_by": server.distribution.provisioned_by,
        "missed": next((entry["what"] for entry in host.coverage), None),
    } == expect
    assert server.distribution.because


def test_addresses_are_those_of_the_machine_and_not_of_services(machine: Machine) -> None:
    machine.process(10, ["kube-apiserver", "--service-cluster-ip-range=10.96.0.0/12,2001:db8:1::/112"], cgroup=KUBEPODS.format(pod=POD, id=CONTAINER))
    assert find(Host(machine.root)).listens.addresses == ("192.0.2.11", "192.0.2.100", "2001:db8::11")


def test_a_service_address_cannot_be_told_without_the_range(machine: Machine) -> None:
    machine.process(10, ["kube-apiserver"], cgroup=KUBEPODS.format(pod=POD, id=CONTAINER))
    assert "10.96.0.1" in find(Host(machine.root)).listens.addresses


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (KUBEPODS.format(pod=POD, id=CONTAINER), Place(CONTAINER, POD)),
        (f"0::/kubepods.slice/kubepods-pod{POD}.slice/crio-{CONTAINER}.scope\n", Place(CONTAINER, POD)),
        (f"12:pids:/kubepods/burstable/pod{POD}/{CONTAINER}\n1:name=systemd:/\n", Place(CONTAINER, POD)),
        (f"0::/../../burstable/pod{POD}/{CONTAINER}\n", Place(CONTAINER, POD)),
        (f"0::/kubepods/burstable/pod{POD}/{CONTAINER}/inner\n", Place(CONTAINER, POD)),
        (
            f"0::/kubepods.slice/kubepods-burstable-pod44e4b37f_504f_4f1c_80f3_4137bfbec5e4.slice/docker-{CONTAINER}.scope",
            Place(CONTAINER, "44e4b37f-504f-4f1c-80f3-4137bfbec5e4"),
        ),
        (f"0::/system.slice/docker-{CONTAINER}.scope\n", Place(CONTAINER, None)),
        (f"0::/system.slice/docker-{CONTAINER[:12]}.scope\n", None),
        ("0::/system.slice/kube-apiserver.service\n", None),
        ("", None),
    ],
)
def test_the_cgroup_tells_the_container(line: str, expected: Place | None) -> None:
    assert place(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"), [("0::/system.slice/k3s.service\n", "k3s.service"), ("0::/system.slice/k3s.service/x\n", "k3s.service"), ("0::/init.scope\n", None)]
)
def test_the_cgroup_tells_the_unit(line: str, expected: str | None) -> None:
    assert unit_of(line) == expected


def test_a_process_is_known_by_its_start(machine: Machine) -> None:
    machine.process(10, ["kube-apiserver"], ticks=250)
    host = Host(machine.root)
    first = process(host, 10)
    assert first and first.started == BOOTED + 2.5 and first.parent == 1
    assert first.same(process(host, 10))
    machine.process(10, ["kube-apiserver"], ticks=251)
    assert not first.same(process(host, 10))
    assert not first.same(None)


def test_what_is_no_process_is_none(machine: Machine) -> None:
    machine.process(10, [])  # a kernel thread
    host = Host(machine.root)
    assert process(host, 10) is None and process(host, 11) is None
    assert host.coverage == []


def test_whether_a_network_is_shared_may_be_unknown(machine: Machine) -> None:
    machine.process(10, ["kube-apiserver"])
    (machine.root / "proc/10/ns/net").unlink()
    assert in_own_network(Host(machine.root), 10) is None


def test_flags_are_shown_but_for_secrets() -> None:
    words = [
        "kube-apiserver",
        "--etcd-servers=https://root:s3cr3t@192.0.2.1:2379",
        "--secure-port",
        "6443",
        "--enable-aggregator-routing",
        "--token=s3cr3t",
        "--datastore-endpoint=mysql://root:s3cr3t@tcp(db)/k3s",
        "--etcd-s3-secret-key",
        "s3cr3t",
    ]
    shown = arguments(words)
    assert shown == {"enable-aggregator-routing": "true", "etcd-servers": "https://(removed)@192.0.2.1:2379", "secure-port": "6443"}
    assert "s3cr3t" not in str(shown)


@pytest.mark.parametrize("name", ["${SNAP_DATA}", "$SNAP_DATA"])
def test_microk8s_reads_its_flags_from_a_file_with_variables(name: str, machine: Machine) -> None:
    """As it is shipped: microk8s-resources/default-args/kube-apiserver."""
    machine.process(10, ["/snap/microk8s/6809/kubelite"], environ={"TOKEN": "s3cr3t"})
    shipped = (
        f"--cert-dir={name}/certs\n--service-cluster-ip-range=10.152.183.0/24\n--authorization-mode=AlwaysAllow\n"
        f'--etcd-servers="unix://{name}/var/kubernetes/backend/kine.sock:12379"\n--feature-gates=$TOKEN\n'
    )
    machine.file("/var/snap/microk8s/current/args/kube-apiserver", shipped)
    assert find(Host(machine.root)).arguments == {
        "authorization-mode": "AlwaysAllow",
        "cert-dir": "/var/snap/microk8s/current/certs",
        "etcd-servers": "unix:///var/snap/microk8s/current/var/kubernetes/backend/kine.sock:12379",
        "feature-gates": "$TOKEN",
        "service-cluster-ip-range": "10.152.183.0/24",
    }


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"HTTPS_PROXY": "http://u:s3cr3t@proxy:3128", "NO_PROXY": "10.0.0.0/8,a@b"},
            {"HTTP_PROXY": None, "HTTPS_PROXY": "http://***@proxy:3128", "NO_PROXY": "10.0.0.0/8,a@b"},
        ),
        ({"https_proxy": "u:s3cr3t@proxy:3128"}, {"HTTP_PROXY": None, "HTTPS_PROXY": "***@proxy:3128", "NO_PROXY": None}),
        ({"HTTP_PROXY": "http://upper", "http_proxy": "http://lower"}, {"HTTP_PROXY": "http://upper", "HTTPS_PROXY": None, "NO_PROXY": None}),
        ({"HTTP_PROXY": "", "http_proxy": "http://lower"}, {"HTTP_PROXY": "http://lower", "HTTPS_PROXY": None, "NO_PROXY": None}),
        ({}, {"HTTP_PROXY": None, "HTTPS_PROXY": None, "NO_PROXY": None}),
    ],
)
def test_the_proxy_is_the_one_that_go_reads(environ: dict[str, str], expected: dict[str, str | None], machine: Machine) -> None:
    machine.process(10, ["kube-apiserver"], environ=environ)
    assert proxy(Host(machine.root), 10) == expected


@pytest.mark.parametrize(
    ("content", "grace"),
    [("spec:\n  terminationGracePeriodSeconds: 135\n", 135), ('{"spec": {\n  "terminationGracePeriodSeconds": 60}}', 60), ("spec: {}\n", None)],
)
def test_the_manifest_tells_its_grace(content: str, grace: int | None, machine: Machine) -> None:
    machine.file("/etc/kubernetes/manifests/kube-apiserver.yaml", content)
    found = manifest(Host(machine.root), "/etc/kubernetes/manifests/kube-apiserver.yaml")
    assert found and found["grace_seconds"] == grace and len(found["sha256"]) == 64


def test_there_may_be_no_manifest(machine: Machine) -> None:
    assert manifest(Host(machine.root), None) is None
    assert manifest(Host(machine.root), "/etc/kubernetes/manifests/kube-apiserver.yaml") is None


def test_a_process_has_a_name() -> None:
    assert Process(1, 0, ("/usr/local/bin/kube-apiserver", "--v=2"), 0, 0.0).name == "kube-apiserver"
