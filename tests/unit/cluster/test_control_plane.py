# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API server instances, flags, proxies, routing."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.control_plane import api_server_facts, control_plane_facts
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._secrets import redacted
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import api_server

ROUTED = "--enable-aggregator-routing=true"


def observed(addresses: list[str], *servers: dict[str, Any]) -> dict[str, Any]:
    return control_plane_facts([{"address": address, "port": 6443} for address in addresses], [api_server_facts(server) for server in servers])


@pytest.mark.parametrize(
    ("flags", "routing"),
    [
        ([], "unknown"),
        ([(ROUTED,)], "endpoint"),
        ([()], "cluster_ip"),
        ([("--enable-aggregator-routing=false",)], "cluster_ip"),
        ([("--enable-aggregator-routing",)], "endpoint"),
        ([(ROUTED,), (ROUTED,)], "endpoint"),
        ([(ROUTED,), ()], "unknown"),
    ],
)
def test_routing(flags: list[tuple[str, ...]], routing: str) -> None:
    servers = [api_server(f"kube-apiserver-{index}", f"10.1.0.{index}", flag) for index, flag in enumerate(flags)]
    found = observed(["10.1.0.9"], *servers)
    assert found["routing"] == routing
    assert (found["routing_because"] is None) == (flags == [])


def test_pods_and_addresses_are_matched() -> None:
    found = observed(["10.1.0.1", "10.1.0.2"], api_server(address="10.1.0.1", flags=(ROUTED,)))["instances"]
    assert [(one["name"], one["address"], one["port"], one["visible"]) for one in found] == [
        ("10.1.0.2", "10.1.0.2", 6443, False),
        ("kube-apiserver-cp1", "10.1.0.1", 6443, True),
    ]
    assert (found[0]["flags"], found[0]["proxy"]) == ({}, None)


def test_a_pod_whose_address_is_not_published() -> None:
    (found,) = observed([], api_server(address="10.1.0.1", flags=("--secure-port=8443",)))["instances"]
    assert (found["address"], found["port"]) == ("10.1.0.1", 8443)


def test_known_flags_alone_in_any_spelling() -> None:
    flags = ("--service-cluster-ip-range", "10.96.0.0/16", "--etcd-keyfile=/secret", "--request-timeout=30s", "--oidc-client-id=x")
    assert api_server_facts(api_server(flags=flags))["flags"] == {"service-cluster-ip-range": "10.96.0.0/16", "request-timeout": "30s"}
    shell = api_server()
    shell["spec"]["containers"][0]["command"] = ["/bin/sh", "-c", "exec kube-apiserver --secure-port=443 --enable-aggregator-routing=true 2>&1"]
    assert api_server_facts(shell)["flags"] == {"secure-port": "443", "enable-aggregator-routing": "true"}


def test_proxy_variables_as_go_reads_them_without_credentials() -> None:
    env = {"https_proxy": "http://low:1", "HTTPS_PROXY": "http://u:p@up:1", "no_proxy": "a,b", "OTHER": "x"}
    assert api_server_facts(api_server(env=env))["proxy"] == {"HTTPS_PROXY": "http://***@up:1", "HTTP_PROXY": None, "NO_PROXY": "a,b"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("http://user:pass@proxy:3128", "http://***@proxy:3128"),
        ("http://user:p@ss@proxy:3128", "http://***@proxy:3128"),
        ("user:pass@proxy:3128", "***@proxy:3128"),
        ("proxy:3128", "proxy:3128"),
    ],
)
def test_credentials_are_cut_out(url: str, expected: str) -> None:
    assert redacted(url) == expected
