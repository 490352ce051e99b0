# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers: the loopback certificate, health, etcd; who is asked, by which names, with which credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.credentials import Credentials, credentials
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.etcd import etcd
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.health import Health
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.loopback import loopback
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.certificates import Authority, as_yaml
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.machine import Machine
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.servers import MEMBERS, NOT_READY, READY, VERSION, TlsServer, members, serving

STARTED = 1_700_000_000
HEALTH = {"/readyz": READY, "/livez": READY, "/version": VERSION}
LOOPBACK_NAME = "apiserver-loopback-client"


@pytest.fixture
def api(tmp_path: Path, authority: Authority) -> Iterator[TlsServer]:
    with serving(tmp_path / "api", authority, "kube-apiserver", HEALTH, wants="for HTTP") as server:
        server.serve_loopback(STARTED)
        yield server


@pytest.fixture
def dynamiclistener(tmp_path: Path, authority: Authority) -> Iterator[TlsServer]:
    """What answers at port 6443 of k3s, and behind the balancer of a server without an API server."""
    with serving(tmp_path / "k3s", authority, "k3s", {}) as server:
        yield server


class TestLoopback:
    def test_it_is_served_by_name(self, api: TlsServer) -> None:
        found = loopback("127.0.0.1", api.port, "kubeadm")
        assert found.chain and len(found.chain) == 2 and found.error is None and found.since == STARTED
        assert api.names == [LOOPBACK_NAME]
        assert api.requests == []  # a handshake and nothing else

    def test_another_server_tells_no_start(self, dynamiclistener: TlsServer) -> None:
        found = loopback("127.0.0.1", dynamiclistener.port, "kubeadm")
        assert found.chain and found.since is None

    def test_k3s_is_asked_without_a_name_first(self, api: TlsServer) -> None:
        assert loopback("127.0.0.1", api.port, "k3s").since == STARTED
        assert api.names == [None, LOOPBACK_NAME]

    def test_the_other_listener_of_k3s_never_hears_the_name(self, dynamiclistener: TlsServer) -> None:
        found = loopback("127.0.0.1", dynamiclistener.port, "k3s")
        assert found.chain is None and found.error and '"k3s"' in found.error
        assert dynamiclistener.names == [None]

    def test_k3s_is_asked_at_loopback_only(self, dynamiclistener: TlsServer) -> None:
        found = loopback("localhost", dynamiclistener.port, "k3s")
        assert found.chain is None and dynamiclistener.names == []

    def test_the_supervisor_of_rke2_is_never_asked(self) -> None:
        found = loopback("127.0.0.1", 9345, "rke2")
        assert found.error and "not asked" in found.error

    def test_nobody_there(self, api: TlsServer) -> None:
        api.close()
        assert loopback("127.0.0.1", api.port, "kubeadm").error == f"dial tcp 127.0.0.1:{api.port}: connect: connection refused"
        assert loopback(None, None, None).error == "the address of the API server is not known"


def admin(machine: Machine, authority: Authority, path: str = "/etc/kubernetes/admin.conf", **user: str) -> None:
    kubeconfig = authority.kubeconfig()
    if user:
        kubeconfig["users"][0]["user"] = user
    machine.file(path, as_yaml(kubeconfig), mode=0o600)


def asked(host: Host, distribution: str | None = "kubeadm") -> Credentials | None:
    return credentials(host, distribution)


class TestHealth:
    def test_anonymous_requests_do_where_they_are_let_in(self, tmp_path: Path, authority: Authority, machine: Machine) -> None:
        with serving(tmp_path / "open", authority, "kube-apiserver", HEALTH) as server:
            health = Health("127.0.0.1", server.port, lambda: pytest.fail("no credentials are needed"))
            assert health.ready() == {"status": 200, "failed": [], "error": None}
            assert health.version() == "v1.36.3"

    def test_the_credentials_of_the_node_are_used_where_anonymous_ones_are_refused(self, api: TlsServer, machine: Machine, authority: Authority) -> None:
        admin(machine, authority)
        host = Host(machine.root)
        health = Health("127.0.0.1", api.port, lambda: asked(host))
        assert health.ready() == {"status": 200, "failed": [], "error": None}
        assert health.live()["status"] == 200 and health.version() == "v1.36.3"
        assert host.coverage == []
        assert len(api.requests) == 4  # refused once only

    def test_a_token_goes_to_the_cluster_s_own_server(self, api: TlsServer, machine: Machine, authority: Authority) -> None:
        admin(machine, authority, path="/var/snap/microk8s/current/credentials/client.config", token="s3cr3t")
        health = Health("127.0.0.1", api.port, lambda: asked(Host(machine.root), "microk8s"))
        assert health.ready()["status"] == 200
        assert api.requests[-1] == ("/readyz?verbose", "Bearer s3cr3t")

    def test_a_token_does_not_go_to_anybody_else(self, api: TlsServer, machine: Machine) -> None:
        admin(machine, Authority("another"), token="s3cr3t")
        health = Health("127.0.0.1", api.port, lambda: asked(Host(machine.root)))
        found = health.ready()
        assert found["status"] is None and "certificate verify failed" in found["error"]
        assert all(authorization is None for _path, authorization in api.requests)

    def test_without_credentials_the_refusal_is_told(self, api: TlsServer, machine: Machine) -> None:
        host = Host(machine.root)
        found = Health("127.0.0.1", api.port, lambda: asked(host)).ready()
        assert found["status"] == 401 and "no right" in found["error"]
        assert [entry["what"] for entry in host.coverage] == ["credentials"]

    def test_what_failed_is_named(self, tmp_path: Path, authority: Authority) -> None:
        with serving(tmp_path / "open", authority, "kube-apiserver", {"/readyz": NOT_READY}) as server:
            assert Health("127.0.0.1", server.port, lambda: None).ready() == {"status": 500, "failed": ["etcd"], "error": None}

    def test_nobody_there(self, api: TlsServer) -> None:
        api.close()
        found = Health("127.0.0.1", api.port, lambda: None).ready()
        assert found == {"status": None, "failed": [], "error": f"dial tcp 127.0.0.1:{api.port}: connect: connection refused"}


class TestCredentials:
    @pytest.mark.parametrize(
        ("distribution", "path"),
        [
            ("kubeadm", "/etc/kubernetes/admin.conf"),
            (None, "/etc/kubernetes/super-admin.conf"),
            ("rke2", "/etc/rancher/rke2/rke2.yaml"),
            ("k3s", "/etc/rancher/k3s/k3s.yaml"),
            ("k0s", "/var/lib/k0s/pki/admin.conf"),
            ("microk8s", "/var/snap/microk8s/current/credentials/client.config"),
        ],
    )
    def test_each_distribution_has_its_file(self, distribution: str | None, path: str, machine: Machine, authority: Authority) -> None:
        admin(machine, authority, path=path)
        found = credentials(Host(machine.root), distribution)
        assert found and found.path == path

    def test_json_is_read_too(self, machine: Machine, authority: Authority) -> None:
        machine.file("/etc/kubernetes/admin.conf", json.dumps(authority.kubeconfig()))
        assert credentials(Host(machine.root), "kubeadm")

    @pytest.mark.parametrize(
        "damage", [lambda text: "a: |\n  s3cr3t\n", lambda text: text.replace("client-key-data: ", "client-key-data: s3cr3t"), lambda text: "s3cr3t"]
    )
    def test_what_cannot_be_used_is_told_without_what_is_in_it(self, damage: Any, machine: Machine, authority: Authority) -> None:
        machine.file("/etc/kubernetes/admin.conf", damage(as_yaml(authority.kubeconfig())))
        host = Host(machine.root)
        assert credentials(host, "kubeadm") is None
        assert len(host.coverage) == 1 and "/etc/kubernetes/admin.conf" in host.coverage[0]["message"]
        assert "s3cr3t" not in str(host.coverage)


class TestEtcd:
    @pytest.fixture
    def authority(self) -> Authority:
        return Authority("etcd-ca")

    @pytest.fixture
    def flags(self, machine: Machine, authority: Authority) -> dict[str, str]:
        certificate, key = authority.issue("kube-apiserver-etcd-client")
        names = {"etcd-cafile": authority.certificate, "etcd-certfile": certificate, "etcd-keyfile": key}
        for name, content in names.items():
            machine.file(f"/etc/kubernetes/pki/{name}", content, mode=0o600)
        return {name: f"/etc/kubernetes/pki/{name}" for name in names}

    @pytest.fixture
    def trio(self, tmp_path: Path, authority: Authority) -> Iterator[list[TlsServer]]:
        servers = [
            TlsServer(tmp_path / str(number), authority, "etcd", {"/health": (200, '{"health":"true","reason":""}')}, wants="always") for number in range(3)
        ]
        for server in servers:
            server.answers[MEMBERS] = members(*(one.url for one in servers))
        yield servers
        for server in servers:
            server.close()

    def test_all_members_are_asked(self, trio: list[TlsServer], machine: Machine, flags: dict[str, str]) -> None:
        found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, (), None)
        assert found["error"] is None and found["embedded"] is False and found["servers"] == [trio[0].url]
        assert found["members"] == [
            {"name": f"etcd-{number}", "client_urls": [server.url], "learner": False, "healthy": True, "error": None} for number, server in enumerate(trio, 1)
        ]

    def test_one_is_down_and_one_is_ill(self, trio: list[TlsServer], machine: Machine, flags: dict[str, str]) -> None:
        trio[1].close()
        trio[2].answers["/health"] = (503, '{"health":"false","reason":"RAFT NO LEADER"}')
        found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": f"{trio[1].url},{trio[0].url}"}, (), None)
        assert [(member["healthy"], member["error"]) for member in found["members"]] == [
            (True, None),
            (False, f"{trio[1].url}: dial tcp 127.0.0.1:{trio[1].port}: connect: connection refused"),
            (False, f"{trio[2].url}: HTTP 503, RAFT NO LEADER"),
        ]

    def test_one_has_not_started_and_has_no_vote(self, trio: list[TlsServer], machine: Machine, flags: dict[str, str]) -> None:
        status, text = members(trio[0].url)
        content = json.loads(text)
        content["members"].append({"ID": "5", "peerURLs": ["https://192.0.2.5:2380"], "isLearner": True})
        trio[0].answers[MEMBERS] = status, json.dumps(content)
        found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, (), None)
        assert found["members"][1] == {"name": "", "client_urls": [], "learner": True, "healthy": False, "error": "it has not started"}

    def test_without_the_right_certificate_nothing_is_known(self, trio: list[TlsServer], machine: Machine, flags: dict[str, str]) -> None:
        stranger = Authority("another")
        certificate, key = stranger.issue("stranger")
        machine.file(flags["etcd-certfile"], certificate)
        machine.file(flags["etcd-keyfile"], key)
        found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, (), None)
        assert found["members"] is None and "unknown" in found["error"]

    def test_a_server_of_another_ca_is_not_believed(self, trio: list[TlsServer], machine: Machine, flags: dict[str, str]) -> None:
        machine.file(flags["etcd-cafile"], Authority("another").certificate)
        found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, (), None)
        assert found["members"] is None and "certificate verify failed" in found["error"]
        assert trio[0].requests == []

    def test_files_are_those_that_the_process_sees(self, trio: list[TlsServer], machine: Machine, flags: dict[str, str]) -> None:
        for path in flags.values():
            machine.file(f"/proc/10/root/certs{path}", (machine.root / path.lstrip("/")).read_bytes())
            (machine.root / path.lstrip("/")).unlink()
        inside = {name: f"/certs{path}" for name, path in flags.items()}
        found = etcd(Host(machine.root), "kubeadm", {**inside, "etcd-servers": trio[0].url}, (), 10)
        assert found["error"] is None and len(found["members"]) == 3
        assert "cannot be read" in etcd(Host(machine.root), "kubeadm", {**inside, "etcd-servers": trio[0].url}, (), 11)["error"]

    def test_without_tls(self, tmp_path: Path, authority: Authority, machine: Machine) -> None:
        with serving(tmp_path / "plain", authority, "etcd", {"/health": (200, '{"health":"true"}')}, tls=False) as server:
            url = f"http://127.0.0.1:{server.port}"
            server.answers[MEMBERS] = members(url)
            found = etcd(Host(machine.root), "kubeadm", {"etcd-servers": url}, (), None)
            assert [member["healthy"] for member in found["members"]] == [True]

    def test_what_is_no_gateway(self, tmp_path: Path, authority: Authority, machine: Machine, flags: dict[str, str]) -> None:
        with serving(tmp_path / "none", authority, "etcd", {}, wants="always") as server:
            found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": server.url}, (), None)
            assert found["members"] is None and found["error"] == f"{server.url}: HTTP 404"

    def test_sockets_of_kine_are_told(self, machine: Machine) -> None:
        found = etcd(Host(machine.root), "microk8s", {"etcd-servers": "unix:///var/snap/microk8s/current/var/kubernetes/backend/kine.sock:12379"}, (), None)
        assert found["members"] is None and "cannot" not in found["error"] and "no etcd" in found["error"]

    def test_k3s_has_an_etcd_of_its_own_or_none(self, machine: Machine) -> None:
        assert etcd(Host(machine.root), "k3s", {}, (), None)["embedded"] is False
        (machine.root / "var/lib/rancher/k3s/server/db/etcd").mkdir(parents=True)
        found = etcd(Host(machine.root), "k3s", {}, (), None)
        assert found["embedded"] is True and found["servers"] == ["https://127.0.0.1:2379"]
        assert "/var/lib/rancher/k3s/server/tls/etcd/server-ca.crt cannot be read" in found["error"]
