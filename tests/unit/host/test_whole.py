# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both modules as a whole, on a machine of files with a real TLS server: everything that is returned, no secrets, and a restart that is proven or not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.facts import api_server
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.restart import Failed, Refused, Wanted, restart
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.certificates import Authority, as_yaml
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.etcd_server import etcds
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.machine import CONTAINER, KUBEPODS, POD, Machine, container
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.servers import NOT_READY, READY, VERSION, TlsServer, serving

STARTED = 1_700_000_000
NEW = "c" * 64
SECRET = "s3cr3t"
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


@pytest.fixture
def api(tmp_path: Path, authority: Authority) -> Iterator[TlsServer]:
    with serving(tmp_path / "api", authority, "kube-apiserver", {"/readyz": READY, "/livez": READY, "/version": VERSION}, credentials=True) as server:
        server.serve_loopback(STARTED)
        yield server


@pytest.fixture
def kubeadm(machine: Machine, api: TlsServer, authority: Authority, tmp_path: Path) -> Iterator[Machine]:
    """A kubeadm node whose API server is in a container, with an etcd; secrets are wherever people have put some."""
    certificate, key = authority.issue("kube-apiserver-etcd-client")
    for name, content in {"ca.crt": authority.certificate, "client.crt": certificate, "client.key": key}.items():
        machine.file(f"/etc/kubernetes/pki/{name}", content)
    machine.file("/etc/kubernetes/admin.conf", as_yaml(authority.kubeconfig()) + f"# {SECRET}\n")
    machine.file("/etc/kubernetes/manifests/kube-apiserver.yaml", f"# {SECRET}\nspec:\n  terminationGracePeriodSeconds: 90\n")
    machine.file("/run/containerd/containerd.sock")
    with etcds(tmp_path / "etcd", authority, 1) as (etcd,):
        words = [
            "kube-apiserver",
            "--bind-address=127.0.0.1",
            f"--secure-port={api.port}",
            f"--etcd-servers={etcd.url}",
            "--etcd-cafile=/etc/kubernetes/pki/ca.crt",
            "--etcd-certfile=/etc/kubernetes/pki/client.crt",
            "--etcd-keyfile=/etc/kubernetes/pki/client.key",
            f"--token={SECRET}",
        ]
        environ = {"HTTPS_PROXY": f"http://user:{SECRET}@proxy:3128", "NO_PROXY": ".svc", "AWS_SECRET_ACCESS_KEY": SECRET}
        machine.process(10, words, cgroup=KUBEPODS.format(pod=POD, id=CONTAINER), environ=environ)
        yield machine


def test_everything_is_seen(kubeadm: Machine, api: TlsServer) -> None:
    kubeadm.crictl(container(), container(id="d" * 64, attempt=2, running=False, created=1_600_000_000))
    found = api_server(Host(kubeadm.root))
    assert found["coverage"] == []
    assert ISO.fullmatch(found["clock"]["now"])
    assert found["distribution"] == {"name": "kubeadm", "because": "/etc/kubernetes/manifests/kube-apiserver.yaml is there", "provisioned_by": None}
    assert found["manages_by"] == "static_pod"
    assert found["process"]["pid"] == 10 and ISO.fullmatch(found["process"]["started"]) and found["process"]["arguments"]["secure-port"] == str(api.port)
    assert found["container"] == {"id": CONTAINER, "attempt": 3, "pod_uid": POD, "state": "running", "started": "2023-11-14T22:30:01Z"}
    assert found["runtime"] == {"crictl": str(kubeadm.root / "usr/local/bin/crictl"), "endpoint": "unix:///run/containerd/containerd.sock"}
    assert (found["address"], found["port"]) == ("127.0.0.1", api.port)
    assert "192.0.2.100" in found["addresses"]
    assert len(found["loopback"]["chain"]) == 2 and found["loopback"]["since"] == "2023-11-14T22:13:20Z"
    assert found["ready"] == found["live"] == {"status": 200, "failed": [], "error": None}
    assert found["version"] == "v1.36.3"
    assert [member["healthy"] for member in found["etcd"]["members"]] == [True]
    assert found["busy"] == [] and found["manifest"]["grace_seconds"] == 90
    assert found["proxy"] == {"HTTP_PROXY": None, "HTTPS_PROXY": "http://***@proxy:3128", "NO_PROXY": ".svc"}


def test_no_secret_is_shown(kubeadm: Machine, authority: Authority) -> None:
    kubeadm.crictl(container())
    shown = json.dumps(api_server(Host(kubeadm.root)))
    assert SECRET not in shown and "PRIVATE KEY" not in shown
    admin = (kubeadm.root / "etc/kubernetes/admin.conf").read_text()
    for kept in re.findall(r"(?:client-key-data|client-certificate-data): (\S+)", admin):
        assert kept[:64] not in shown


def test_the_shape_is_the_same_where_nothing_is_there(kubeadm: Machine, tmp_path: Path) -> None:
    whole, empty = api_server(Host(kubeadm.root)), api_server(Host(Machine(tmp_path / "empty").root))
    assert list(whole) == list(empty)
    assert empty["process"] is None and empty["container"] is None and empty["manages_by"] is None
    assert [entry["what"] for entry in empty["coverage"]] == ["process"]
    json.dumps(empty)


def test_without_crictl_the_cgroup_tells_the_container(kubeadm: Machine) -> None:
    found = api_server(Host(kubeadm.root))
    assert found["container"] == {"id": CONTAINER, "attempt": None, "pod_uid": POD, "state": "running", "started": None}
    assert [entry["what"] for entry in found["coverage"]] == ["container"]


def test_a_container_that_does_not_run_is_seen(kubeadm: Machine) -> None:
    kubeadm.crictl(container(running=False))
    kubeadm.end(10)
    found = api_server(Host(kubeadm.root))
    assert found["process"] is None and found["container"]["state"] == "exited" and found["container"]["id"] == CONTAINER


def test_a_runtime_that_does_not_answer_is_told(kubeadm: Machine) -> None:
    kubeadm.program("/usr/local/bin/crictl", "sys.exit('validate service connection: connection refused')")
    found = api_server(Host(kubeadm.root))
    assert found["container"]["id"] == CONTAINER
    assert found["coverage"] == [{"what": "container", "message": "crictl: validate service connection: connection refused"}]


WANTED = Wanted(pid=10, container_id=CONTAINER, manages_by="static_pod", distribution="kubeadm", stop_timeout=None, ready_timeout=4, stable_seconds=1)
# What happens on the machine when crictl stops the container: the old process ends, the kubelet starts a new one.
RENEWED = f"""
import pathlib, shutil
new, old = pathlib.Path(ROOT, "proc/20"), pathlib.Path(ROOT, "proc/10")
shutil.copytree(old, new, symlinks=True)
(new / "stat").write_text("20 (kube-apiserver) S 1 " + "0 " * 17 + "900000 0 0")
(new / "cgroup").write_text((old / "cgroup").read_text().replace("{CONTAINER}", "{NEW}"))
shutil.rmtree(old)
"""


def renewing(machine: Machine, api: TlsServer, how: str = RENEWED, since: int = STARTED + 1000) -> None:
    """The server shows the certificate of a new process as soon as the old one has ended."""
    machine.crictl(container(), container(id=NEW, attempt=4, created=1_700_002_000), stop=how, logs=f"E0101 it was here token={SECRET}")
    old = machine.root / "proc/10"
    api.serve_loopback(since, when=lambda: not old.exists())


def test_a_restart_is_proven(kubeadm: Machine, api: TlsServer) -> None:
    renewing(kubeadm, api)
    result = restart(Host(kubeadm.root), WANTED, check=False)
    assert result["changed"] is True and result["logs"] == []
    assert result["command"].endswith(f"stop --timeout 75 {CONTAINER}")
    assert result["before"]["process"]["pid"] == 10 and result["after"]["process"]["pid"] == 20
    assert result["before"]["container"]["attempt"] == 3 and result["after"]["container"] == {
        "id": NEW,
        "attempt": 4,
        "pod_uid": POD,
        "state": "running",
        "started": "2023-11-14T22:30:01Z",
    }
    assert result["before"]["loopback"]["since"] < result["after"]["loopback"]["since"]
    assert result["after"]["ready"] == {"status": 200, "failed": [], "error": None} and result["after"]["version"] == "v1.36.3"
    assert result["seconds"] >= 1
    stops = [call for call in kubeadm.crictl_calls() if "stop" in call]
    assert stops == [["--runtime-endpoint", "unix:///run/containerd/containerd.sock", "--timeout", "10s", "stop", "--timeout", "75", CONTAINER]]


def test_a_new_process_is_asked_again_while_its_certificate_is_the_old_one(kubeadm: Machine, api: TlsServer) -> None:
    """With --permit-port-sharing the old process may answer at the port of the new one."""
    renewing(kubeadm, api, since=STARTED)
    api.serve_loopback(STARTED + 1000, when=lambda: api.times_asked > 2)  # 1: before the stop, 2: after it
    assert restart(Host(kubeadm.root), WANTED, check=False)["after"]["loopback"]["since"] == "2023-11-14T22:30:00Z"


def test_check_mode_says_what_would_be_done_and_does_nothing(kubeadm: Machine) -> None:
    kubeadm.crictl(container(), stop="raise SystemExit(1)")
    result = restart(Host(kubeadm.root), WANTED, check=True)
    assert result["changed"] is True and f"stop --timeout 75 {CONTAINER}" in result["command"] and result["after"] is None
    assert not any("stop" in call for call in kubeadm.crictl_calls())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pid": 11}, "its process is 10, was 11"),
        ({"container_id": NEW}, f"its container is {CONTAINER}, was {NEW}"),
        ({"distribution": "rke2"}, "its distribution is kubeadm, was rke2"),
        ({"manages_by": "child"}, "its manages_by is static_pod, was child"),
    ],
)
def test_what_has_changed_meanwhile_is_left_alone(changes: dict[str, Any], message: str, kubeadm: Machine) -> None:
    kubeadm.crictl(container())
    with pytest.raises(Refused, match="changed meanwhile") as caught:
        restart(Host(kubeadm.root), WANTED._replace(**changes), check=False)
    assert message in str(caught.value) and "Nothing was done" in str(caught.value)
    assert not any("stop" in call for call in kubeadm.crictl_calls())


def test_openshift_is_refused_with_its_own_way(kubeadm: Machine) -> None:
    kubeadm.file("/etc/kubernetes/manifests/kube-apiserver-pod.yaml")
    with pytest.raises(Refused, match="forceRedeploymentReason"):
        restart(Host(kubeadm.root), WANTED, check=False)


def test_whose_health_cannot_be_asked_is_not_restarted(kubeadm: Machine) -> None:
    """The same machine is restarted above: the administrator's credentials are what is missing here."""
    kubeadm.crictl(container())
    (kubeadm.root / "etc/kubernetes/admin.conf").unlink()
    with pytest.raises(Refused, match=r"could not be asked: it refuses to say \(without credentials: HTTP 401; no credentials") as caught:
        restart(Host(kubeadm.root), WANTED, check=False)
    assert "Nothing was done" in str(caught.value)
    assert not any("stop" in call for call in kubeadm.crictl_calls())


def failed(machine: Machine) -> Failed:
    with pytest.raises(Failed) as caught:
        restart(Host(machine.root), WANTED._replace(ready_timeout=1), check=False)
    assert caught.value.result["changed"] is True
    return caught.value


def test_none_comes_again(kubeadm: Machine, api: TlsServer) -> None:
    renewing(kubeadm, api, "import shutil; shutil.rmtree(ROOT + '/proc/10')")
    error = failed(kubeadm)
    assert "no process of it is there" in str(error) and error.result["after"]["process"] is None
    assert error.result["logs"] == ["E0101 it was here token=(removed)"]


def test_the_old_one_goes_on(kubeadm: Machine, api: TlsServer) -> None:
    renewing(kubeadm, api, "pass")
    assert "process 10 is still the old one" in str(failed(kubeadm))


def test_the_certificate_is_not_a_new_one(kubeadm: Machine, api: TlsServer) -> None:
    renewing(kubeadm, api, since=STARTED)
    assert "its loopback certificate is still the old one" in str(failed(kubeadm))


def test_the_container_is_not_a_new_one(kubeadm: Machine, api: TlsServer) -> None:
    renewing(kubeadm, api, RENEWED.replace(NEW, CONTAINER))
    assert "process 20 is not in a new container" in str(failed(kubeadm))


def test_the_new_one_does_not_get_ready(kubeadm: Machine, api: TlsServer) -> None:
    renewing(kubeadm, api)
    api.answers["/readyz"] = NOT_READY
    error = failed(kubeadm)
    assert "/readyz says 500 (etcd)" in str(error)
    assert error.result["after"]["ready"] == {"status": 500, "failed": ["etcd"], "error": None}


def test_crictl_fails(kubeadm: Machine, api: TlsServer) -> None:
    renewing(kubeadm, api, "sys.exit('stopping the container: context deadline exceeded')")
    error = failed(kubeadm)
    assert "stopping the container: context deadline exceeded" in str(error) and error.result["after"] is None


def test_the_kubelets_files_tell_the_last_lines_where_crictl_does_not(kubeadm: Machine, api: TlsServer) -> None:
    kubeadm.crictl(stop="import shutil; shutil.rmtree(ROOT + '/proc/10')")
    folder = f"/var/log/pods/kube-system_kube-apiserver-cp-1_{POD}/kube-apiserver"
    kubeadm.file(f"{folder}/3.log", f"2026-01-01T10:00:00.1Z stderr F the reason, password={SECRET}\n")
    assert failed(kubeadm).result["logs"] == ["the reason, password=(removed)"]


def test_the_journal_tells_the_last_lines_of_a_service(machine: Machine, api: TlsServer, authority: Authority) -> None:
    machine.process(10, ["/usr/local/bin/k3s server"], cgroup="0::/system.slice/k3s.service\n")
    machine.file("/etc/rancher/k3s/config.yaml", f"https-listen-port: {api.port - 1}\n")
    machine.file("/etc/rancher/k3s/k3s.yaml", as_yaml(authority.kubeconfig()))
    machine.program("/usr/bin/systemctl", "pass")
    machine.program("/usr/bin/journalctl", "print('of', sys.argv[2])")
    wanted = WANTED._replace(container_id=None, manages_by="service", distribution="k3s", ready_timeout=1)
    with pytest.raises(Failed) as caught:
        restart(Host(machine.root), wanted, check=False)
    assert "process 10 is still the old one" in str(caught.value)
    assert caught.value.result["logs"] == ["of k3s.service"] and caught.value.result["before"]["container"] is None
