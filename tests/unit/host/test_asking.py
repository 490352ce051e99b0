# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers: the loopback certificate and health; who is asked, by which names, with which credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.credentials import Credentials, credentials
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.health import Health
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.loopback import loopback
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.certificates import Authority, as_yaml
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.machine import Machine
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.servers import NOT_READY, READY, VERSION, TlsServer, serving

STARTED = 1_700_000_000
HEALTH = {"/readyz": READY, "/livez": READY, "/version": VERSION}
LOOPBACK_NAME = "apiserver-loopback-client"


@pytest.fixture
def api(tmp_path: Path, authority: Authority) -> Iterator[TlsServer]:
    with serving(tmp_path / "api", authority, "kube-apiserver", HEALTH, credentials=True) as server:
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


def asked(host: Host, distribution: str | None = "kubeadm") -> list[Credentials]:
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
        assert found["status"] == 401 and "with /etc/kubernetes/admin.conf: " in found["error"] and "certificate verify failed" in found["error"]
        assert all(authorization is None for _path, authorization in api.requests)

    def test_without_credentials_the_refusal_is_told(self, api: TlsServer, machine: Machine) -> None:
        host = Host(machine.root)
        found = Health("127.0.0.1", api.port, lambda: asked(host)).ready()
        assert found == {
            "status": 401,
            "failed": [],
            "error": "it refuses to say (without credentials: HTTP 401; no credentials that could be used are on the host)",
        }
        assert [entry["what"] for entry in host.coverage] == ["credentials"]

    def test_of_several_credentials_those_are_used_that_are_accepted(self, api: TlsServer, machine: Machine, authority: Authority) -> None:
        admin(machine, Authority("the CA of the cluster that was here before"))
        admin(machine, authority, path="/etc/kubernetes/super-admin.conf")
        health = Health("127.0.0.1", api.port, lambda: asked(Host(machine.root)))
        assert health.ready()["status"] == 200
        assert len(api.requests) == 2  # without credentials, and with those that know the server
        assert health.live()["status"] == 200 and len(api.requests) == 3

    def test_whom_it_refuses_for_a_moment_is_asked_again(self, tmp_path: Path, authority: Authority, machine: Machine) -> None:
        """A server that starts refuses everybody until it knows the roles; credentials that it will never accept must not stand in the way then."""
        admin(machine, authority)
        with serving(tmp_path / "starting", authority, "kube-apiserver", {**HEALTH, "/readyz": (403, "{}")}) as server:
            health = Health("127.0.0.1", server.port, lambda: asked(Host(machine.root)))
            assert health.ready() == {
                "status": 403,
                "failed": [],
                "error": "it refuses to say (without credentials: HTTP 403; with /etc/kubernetes/admin.conf: HTTP 403)",
            }
            server.answers["/readyz"] = READY
            server.requests.clear()
            assert health.ready()["status"] == 200 and len(server.requests) == 1

    def test_what_failed_is_named(self, tmp_path: Path, authority: Authority) -> None:
        with serving(tmp_path / "open", authority, "kube-apiserver", {"/readyz": NOT_READY}) as server:
            assert Health("127.0.0.1", server.port, list).ready() == {"status": 500, "failed": ["etcd"], "error": None}

    def test_nobody_there(self, api: TlsServer) -> None:
        api.close()
        found = Health("127.0.0.1", api.port, list).ready()
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
        assert [one.path for one in credentials(Host(machine.root), distribution)] == [path]

    @pytest.mark.parametrize("distribution", ["k3s", "rke2"])
    def test_the_supervisor_has_credentials_of_its_own(self, distribution: str, machine: Machine, authority: Authority, tmp_path: Path) -> None:
        """They name files, as no other kubeconfig here does."""
        certificate, key = authority.issue("system:admin", "system:masters")
        for name, content in {"ca.crt": authority.certificate, "client-admin.crt": certificate, "client-admin.key": key}.items():
            (tmp_path / name).write_bytes(content)
        path = f"/var/lib/rancher/{distribution}/server/cred/admin.kubeconfig"
        machine.file(
            path,
            "apiVersion: v1\nclusters:\n- cluster:\n    server: https://127.0.0.1:6444\n"
            f"    certificate-authority: {tmp_path}/ca.crt\n  name: local\ncontexts:\n- context:\n    cluster: local\n    namespace: default\n    user: user\n"
            "  name: Default\ncurrent-context: Default\nkind: Config\npreferences: {}\nusers:\n- name: user\n  user:\n"
            f"    client-certificate: {tmp_path}/client-admin.crt\n    client-key: {tmp_path}/client-admin.key\n",
        )
        assert [one.path for one in credentials(Host(machine.root), distribution)] == [path]
        admin(machine, authority, path=f"/etc/rancher/{distribution}/{distribution}.yaml")
        assert [one.path for one in credentials(Host(machine.root), distribution)] == [f"/etc/rancher/{distribution}/{distribution}.yaml", path]

    def test_where_one_cannot_be_used_the_next_is(self, machine: Machine, authority: Authority) -> None:
        machine.file("/etc/kubernetes/admin.conf", "a: |\n")
        admin(machine, authority, path="/etc/kubernetes/super-admin.conf")
        host = Host(machine.root)
        assert [one.path for one in credentials(host, "kubeadm")] == ["/etc/kubernetes/super-admin.conf"]
        assert "/etc/kubernetes/admin.conf" in host.coverage[0]["message"]

    def test_json_is_read_too(self, machine: Machine, authority: Authority) -> None:
        machine.file("/etc/kubernetes/admin.conf", json.dumps(authority.kubeconfig()))
        assert credentials(Host(machine.root), "kubeadm")

    @pytest.mark.parametrize(
        "damage", [lambda text: "a: |\n  s3cr3t\n", lambda text: text.replace("client-key-data: ", "client-key-data: s3cr3t"), lambda text: "s3cr3t"]
    )
    def test_what_cannot_be_used_is_told_without_what_is_in_it(self, damage: Any, machine: Machine, authority: Authority) -> None:
        machine.file("/etc/kubernetes/admin.conf", damage(as_yaml(authority.kubeconfig())))
        host = Host(machine.root)
        assert credentials(host, "kubeadm") == []
        assert len(host.coverage) == 1 and "/etc/kubernetes/admin.conf" in host.coverage[0]["message"]
        assert "s3cr3t" not in str(host.coverage)
