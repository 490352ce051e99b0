# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes by identity, the text that sets up the network, and the accounts of docs/rbac."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Iterator

import pytest
from doctorlab import network, rbac
from doctorlab.errors import LabError
from doctorlab.process import Process


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_kill(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    assert process.alive()
    process.kill()
    assert not process.alive()
    process.kill()  # once more does no harm


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}])
def test_another_process_of_the_same_pid_is_left_alone(sleeper: subprocess.Popen[bytes], change: dict[str, object]) -> None:
    other = dataclasses.replace(Process.of(sleeper.pid), **change)  # type: ignore[arg-type]
    assert not other.alive()
    other.kill()
    assert sleeper.poll() is None


def test_identity_survives_the_state_file(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    assert Process.from_dict(process.as_dict()) == process


def test_an_ended_process_has_no_identity() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(ProcessLookupError):
        Process.of(process.pid)


def test_child() -> None:
    process = subprocess.Popen(["sh", "-c", "sleep 60; true"])
    try:
        child = Process.of(process.pid).child()
        assert child.alive()
        child.kill()
    finally:
        process.kill()
        process.wait()


def test_packet_filter() -> None:
    assert network.packet_filter([("10.244.1.1", "drop"), ("10.244.1.2", "host_unreachable")]) == (
        "*filter\n"
        "-A OUTPUT ! -s 10.244.1.1 -d 10.244.1.1 -p tcp --syn -j DROP\n"
        "-A OUTPUT ! -s 10.244.1.2 -d 10.244.1.2 -p tcp --syn -j REJECT --reject-with icmp-host-unreachable\n"
        "COMMIT\n"
    )


@pytest.mark.parametrize(("service_route", "routed"), [(True, True), (False, False)])
def test_service_route(service_route: bool, routed: bool) -> None:
    assert ("route add 10.96.0.0/16 dev services0" in network.first_node(service_route)) is routed


def binding(role: str) -> rbac.Object:
    subjects = [{"kind": "ServiceAccount", "name": "doctor", "namespace": "doctor"}]
    return {"kind": "ClusterRoleBinding", "metadata": {"name": role}, "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": subjects}


READING = [
    {"kind": "ServiceAccount", "metadata": {"name": "doctor", "namespace": "doctor"}},
    {"kind": "ClusterRole", "metadata": {"name": "read"}},
    binding("read"),
]
PROBING = [{"kind": "ClusterRole", "metadata": {"name": "probe"}}, binding("probe")]


def roles_of(items: list[rbac.Object], account: str) -> set[str]:
    return {item["roleRef"]["name"] for item in items if item["kind"] == "ClusterRoleBinding" and item["subjects"][0]["name"] == account}


def test_the_reader_has_not_the_rights_of_the_prober() -> None:
    items, users = rbac.accounts(READING, PROBING)
    assert users == {"diagnose": ("doctor", "doctor"), "diagnose-probing": ("doctor", "diagnose-probing")}
    assert roles_of(items, "doctor") == {"read"}
    assert roles_of(items, "diagnose-probing") == {"read", "probe"}


def test_reading_alone() -> None:
    items, users = rbac.accounts(READING, [])
    assert items == READING
    assert set(users) == {"diagnose"}


def test_a_file_without_account_is_refused() -> None:
    with pytest.raises(LabError, match="has no ServiceAccount"):
        rbac.accounts(PROBING, [])


def test_a_pod_with_a_network_of_its_own_is_reached_past_the_route_that_makes_all_pods_local() -> None:
    lines = network.wire_to_pod(4711, "pod10", "10.244.0.10").splitlines()
    assert lines[0] == "link add pod10 type veth peer name eth0 netns 4711"
    assert lines[-1].startswith("route add 10.244.0.10 dev pod10 ") and lines[-1].endswith(" table local")
    assert "address add 10.244.0.10/32 dev eth0" in network.pod("10.244.0.10")
