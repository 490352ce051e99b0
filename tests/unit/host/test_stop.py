# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an API server is ended: which way is chosen, and SIGTERM to real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host import container, stop
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.grace import grace
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import Process, process
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.server import find
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.machine import CONTAINER, KUBEPODS, POD, Machine
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.machine import container as a_container

ENDPOINT = "unix:///run/containerd/containerd.sock"
IN_POD = KUBEPODS.format(pod=POD, id=CONTAINER)


def chosen(machine: Machine, seconds: int = 75) -> stop.Way:
    host = Host(machine.root)
    server = find(host)
    return stop.way(host, server, container.runtime(host, server.kubelet), seconds)


class TestWay:
    def kubeadm(self, machine: Machine) -> None:
        machine.process(10, ["kube-apiserver", "--secure-port=6443"], cgroup=IN_POD)
        machine.file("/etc/kubernetes/manifests/kube-apiserver.yaml")
        machine.file("/run/containerd/containerd.sock")

    def test_a_static_pod_is_stopped_by_crictl(self, machine: Machine) -> None:
        self.kubeadm(machine)
        crictl = machine.crictl(a_container())
        way = chosen(machine)
        assert isinstance(way, stop.Command) and way.seconds > 75
        assert list(way.argv) == [str(crictl), "--runtime-endpoint", ENDPOINT, "--timeout", "10s", "stop", "--timeout", "75", CONTAINER]

    def test_without_crictl_by_a_signal_to_the_process_in_the_container(self, machine: Machine) -> None:
        self.kubeadm(machine)
        way = chosen(machine)
        assert isinstance(way, stop.Terminate) and way.process.pid == 10 and way.container == CONTAINER
        assert str(way) == "SIGTERM to process 10 (kube-apiserver in container aaaaaaaaaaaaa)"

    def test_rke2_has_its_own_crictl_and_settings(self, machine: Machine) -> None:
        machine.process(5, ["/usr/local/bin/rke2 server"])
        machine.process(10, ["kube-apiserver"], cgroup=IN_POD)
        machine.file("/var/lib/rancher/rke2/bin/crictl", "#!/bin/sh\n", mode=0o755)
        machine.file("/var/lib/rancher/rke2/agent/etc/crictl.yaml", "runtime-endpoint: unix:///run/k3s/containerd/containerd.sock\n")
        way = chosen(machine)
        assert isinstance(way, stop.Command)
        assert str(machine.root / "var/lib/rancher/rke2/bin/crictl") == way.argv[0] and "unix:///run/k3s/containerd/containerd.sock" in way.argv

    @pytest.mark.parametrize(
        ("kubelet", "config", "crictl_config", "expected"),
        [
            (
                ["kubelet", "--container-runtime-endpoint=unix:///run/a.sock"],
                "containerRuntimeEndpoint: unix:///run/b.sock\n",
                "runtime-endpoint: unix:///run/c.sock\n",
                "unix:///run/a.sock",
            ),
            (["kubelet"], "containerRuntimeEndpoint: unix:///run/b.sock\n", "runtime-endpoint: unix:///run/c.sock\n", "unix:///run/b.sock"),
            (["kubelet"], 'containerRuntimeEndpoint: ""\n', "runtime-endpoint: unix:///run/c.sock\n", "unix:///run/c.sock"),
            (["kubelet"], "", "", "unix:///run/crio/crio.sock"),
            (["kubelet", "--container-runtime-endpoint", "/run/a.sock"], "", "", "unix:///run/a.sock"),
        ],
    )
    def test_the_runtime_is_the_kubelets(self, kubelet: list[str], config: str, crictl_config: str, expected: str, machine: Machine) -> None:
        machine.process(10, ["kube-apiserver"], cgroup=IN_POD)
        machine.process(11, kubelet)
        machine.file("/var/lib/kubelet/config.yaml", config)
        machine.file("/etc/crictl.yaml", crictl_config)
        machine.file("/run/crio/crio.sock")
        host = Host(machine.root)
        assert container.runtime(host, find(host).kubelet).endpoint == expected

    def test_k3s_is_a_service(self, machine: Machine) -> None:
        machine.process(10, ["/usr/local/bin/k3s server"], cgroup="0::/system.slice/k3s-server.service\n")
        systemctl = machine.program("/usr/bin/systemctl", "")
        way = chosen(machine)
        assert isinstance(way, stop.Command) and list(way.argv) == [str(systemctl), "--no-block", "restart", "k3s-server.service"]

    def test_k3s_without_systemd_is_not_restarted(self, machine: Machine) -> None:
        machine.process(10, ["/usr/local/bin/k3s server"])
        with pytest.raises(stop.CannotStop, match="systemctl is not there"):
            chosen(machine)

    def test_microk8s_is_a_snap(self, machine: Machine) -> None:
        machine.process(10, ["/snap/microk8s/1/kubelite"], cgroup="0::/system.slice/snap.microk8s.daemon-kubelite.service\n")
        snap = machine.program("/usr/bin/snap", "")
        way = chosen(machine)
        assert isinstance(way, stop.Command) and list(way.argv) == [str(snap), "restart", "microk8s.daemon-kubelite"]

    def test_k0s_has_a_child(self, machine: Machine) -> None:
        machine.process(5, ["/usr/local/bin/k0s", "controller"])
        machine.process(10, ["/var/lib/k0s/bin/kube-apiserver"], parent=5)
        way = chosen(machine)
        assert isinstance(way, stop.Terminate) and way.process.pid == 10 and way.container is None

    def test_what_nobody_is_known_to_start_again_is_not_stopped(self, machine: Machine) -> None:
        machine.process(10, ["kube-apiserver"], cgroup="0::/system.slice/kube-apiserver.service\n")
        with pytest.raises(stop.CannotStop, match="not known"):
            chosen(machine)


@pytest.mark.parametrize(
    ("flags", "seconds"),
    [
        ([], 75),
        (["--shutdown-delay-duration=70s"], 145),
        (["--shutdown-delay-duration=20s", "--shutdown-watch-termination-grace-period=30s", "--request-timeout=2m"], 185),
        (["--shutdown-delay-duration=soon"], 75),
    ],
)
def test_it_is_given_the_time_that_its_flags_ask_for(flags: list[str], seconds: int, machine: Machine) -> None:
    machine.process(10, ["kube-apiserver", *flags], cgroup=IN_POD)
    assert grace(find(Host(machine.root)).arguments) == seconds


class TestTerminate:
    """Real processes, looked at through the real /proc."""

    @pytest.fixture
    def child(self) -> Iterator[subprocess.Popen[bytes]]:
        yield from self.running("kube-apiserver")

    def running(self, name: str, code: str = "import time; print(flush=True); time.sleep(60)") -> Iterator[subprocess.Popen[bytes]]:
        with subprocess.Popen([name, "-c", code], executable=sys.executable, stdout=subprocess.PIPE) as started:
            assert started.stdout
            started.stdout.readline()
            yield started
            started.kill()

    def seen(self, child: subprocess.Popen[bytes]) -> Process:
        found = process(Host(), child.pid)
        assert found
        return found

    def test_it_ends_by_sigterm(self, child: subprocess.Popen[bytes]) -> None:
        stop.stop(Host(), stop.Terminate(self.seen(child), None, 10))
        assert child.wait(5) == -15

    @pytest.mark.parametrize("changed", ["ticks", "container", "pid"])
    def test_another_process_is_left_alone(self, changed: str, child: subprocess.Popen[bytes]) -> None:
        found, inside = self.seen(child), None
        if changed == "ticks":
            found = found._replace(ticks=found.ticks + 1)
        elif changed == "container":
            inside = CONTAINER
        else:
            found = found._replace(pid=2**22 + 1)
        with pytest.raises(stop.CannotStop, match="nothing was done") as caught:
            stop.stop(Host(), stop.Terminate(found, inside, 10))
        assert not caught.value.begun and child.poll() is None

    def test_what_is_no_api_server_is_left_alone(self) -> None:
        for child in self.running("kube-controller-manager"):
            with pytest.raises(stop.CannotStop, match="nothing was done"):
                stop.stop(Host(), stop.Terminate(self.seen(child), None, 10))
            assert child.poll() is None

    def test_who_does_not_end_is_not_killed(self) -> None:
        code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
        for child in self.running("kube-apiserver", code):
            began = time.monotonic()
            with pytest.raises(stop.CannotStop, match="has not ended within 1 s") as caught:
                stop.stop(Host(), stop.Terminate(self.seen(child), None, 1))
            assert caught.value.begun and time.monotonic() - began < 3 and child.poll() is None

    def test_without_pidfd_the_pid_does(self, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(os, "pidfd_open")
        stop.stop(Host(), stop.Terminate(self.seen(child), None, 10))
        assert child.wait(5) == -15


class TestCommand:
    def test_what_fails_is_told_in_its_own_words(self, tmp_path: Path, machine: Machine) -> None:
        program = machine.program("/usr/bin/crictl", "print('E0101 long ago', file=sys.stderr); sys.exit('stopping the container: not found')")
        with pytest.raises(stop.CannotStop, match="stopping the container: not found") as caught:
            stop.stop(Host(machine.root), stop.Command([str(program), "stop"], 10))
        assert caught.value.begun

    def test_what_does_not_end_is_given_up(self, machine: Machine) -> None:
        program = machine.program("/usr/bin/crictl", "import time; time.sleep(30)")
        with pytest.raises(stop.CannotStop, match=r"did not end within 0\.5 s"):
            stop.stop(Host(machine.root), stop.Command([str(program), "stop"], 0.5))
