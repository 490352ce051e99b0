# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters that tell what NO_PROXY lacks, and complete it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.kubeops.webhook_doctor.plugins.filter.merged_no_proxy import merged_no_proxy
from ansible_collections.kubeops.webhook_doctor.plugins.filter.missing_no_proxy import missing_no_proxy
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe


@pytest.mark.parametrize(("no_proxy", "covered"), [("10.0.0.0/8", True), ("10.96.0.0/24", False), ("10.96.0.0/17,10.96.128.0/17", False), ("*", True)])
def test_a_range_is_covered_as_a_whole(no_proxy: str, covered: bool) -> None:
    assert (missing_no_proxy(no_proxy, ["10.96.0.0/16"]) == []) is covered


def entries(found: list[dict[str, Any]]) -> list[str]:
    return [one["entry"] for one in found]


def test_what_is_missing_in_the_order_of_the_needs() -> None:
    needs = ["a.b.svc", "10.96.0.0/16", "10.0.0.10:6443", {"host": "c.d.svc", "port": 8443, "entry": ".svc", "why": "webhooks"}]
    assert entries(missing_no_proxy("10.0.0.10", needs)) == ["a.b.svc", "10.96.0.0/16", ".svc"]
    assert missing_no_proxy(".svc,10.0.0.0/8", needs) == []


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, ["a.b.svc"]),
        ({"https_proxy": "http://p:1", "no_proxy": "svc"}, []),
        ({"https_proxy": "http://p:1", "no_proxy": "svc", "NO_PROXY": "x"}, ["a.b.svc"]),
        ({"HTTP_PROXY": "http://p:1"}, []),
        ({}, []),
    ],
)
def test_the_variables_as_go_reads_them(environment: dict[str, str], missing: list[str]) -> None:
    assert entries(missing_no_proxy(environment, ["a.b.svc"])) == missing


def test_the_needs_of_a_cluster() -> None:
    facts, dummy, _verdicts = observe({"routing": "cluster_ip", "flags": {"service-cluster-ip-range": "10.96.0.0/16"}, "more": {"api": {"kind": "apiservice"}}})
    assert [(one["host"], one["port"], one["entry"]) for one in missing_no_proxy("", facts=facts)] == [
        ("hook.system.svc", 443, ".svc"),
        ("10.96.0.7", 443, "10.96.0.0/16"),
    ]
    assert missing_no_proxy(".svc,10.96.0.0/12", facts=facts) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((None, []), "got a NoneType"),
        (("",), "expected either needs"),
        (("", [], {}), "expected either needs"),
        (("", "a.b.svc"), "needs is a str"),
        (("", [{"port": 1}]), r"needs\[0\]: expected a host"),
        (("", ["a", "b:x"]), r"needs\[1\]: port 'x' is none"),
        (("", None, {"callouts": []}), "facts.source is missing"),
    ],
)
def test_wrong_arguments_are_named(arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(AnsibleFilterError, match=says):
        missing_no_proxy(*arguments)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"consumer": "wget"}, "consumer 'wget' is not known; there are go, curl"),
        ({"consumer": ["go", "java"]}, "share a value"),
        ({"consumer": []}, "expected one or more"),
        ({"consumer": "curl", "curl_version": "new"}, "curl_version 'new' is no version"),
        ({"consumers": "go"}, "option 'consumers' is not known"),
        ({"scope": "world"}, "scope 'world' is not known"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(AnsibleFilterError, match=says):
        missing_no_proxy("", ["a"], **options)


@pytest.mark.parametrize(
    ("consumer", "version", "missing"),
    [
        ("go", None, ["10.96.0.0/30", "10.0.0.5"]),
        ("curl", None, [".svc", "10.96.0.0/30", "10.0.0.5", "localhost"]),
        ("curl", "7.84", [".svc", "10.96.0.0,10.96.0.1,10.96.0.2,10.96.0.3", "10.0.0.5", "localhost"]),
        ("urllib", None, [".svc", "10.96.0.0,10.96.0.1,10.96.0.2,10.96.0.3", "10.0.0.5", "localhost"]),
        ("requests", None, [".svc", "10.96.0.0/30", "10.0.0.5", "localhost"]),
    ],
)
def test_entries_are_in_the_words_of_who_reads_them(consumer: str, version: str | None, missing: list[str]) -> None:
    needs = [{"host": "a.b.svc", "entry": "*.svc"}, "10.96.0.0/30", "10.0.0.5:6443", "localhost"]
    assert entries(missing_no_proxy("*.svc", needs, consumer=consumer, curl_version=version)) == missing


def test_the_words_of_java() -> None:
    needs = [{"host": "a.b.svc", "entry": ".svc"}, "10.96.0.0/15", "10.1.0.0/16", "10.0.0.5:6443", "fd00::1", "localhost"]
    completed = merged_no_proxy("*.example.com", needs, consumer="java")
    assert completed == "*.example.com|*.svc|10.96.*|10.97.*|10.1.*|10.0.0.5|[fd00::1]"
    assert missing_no_proxy(completed, needs, consumer="java") == []


def test_what_a_consumer_has_no_words_for_is_told_and_not_added() -> None:
    [told] = missing_no_proxy("", ["10.96.0.0/12"], consumer="urllib")
    assert (told["host"], told["entry"], told["understood"]) == ("10.96.0.0/12", "", False)
    assert merged_no_proxy("a", ["10.96.0.0/12"], consumer="urllib") == "a"


def test_one_value_for_several_readers() -> None:
    needs = [{"host": "a.b.svc", "entry": "*.svc"}, "10.96.0.0/30"]
    assert merged_no_proxy("x, y", needs, consumer=["go", "urllib"]) == "x,y,*.svc,.svc,10.96.0.0/30,10.96.0.0,10.96.0.1,10.96.0.2,10.96.0.3"


CLUSTER = {
    "routing": "cluster_ip",
    "flags": {"service-cluster-ip-range": "10.96.0.0/16", "etcd-servers": "https://etcd.example.net:2379,https://127.0.0.1:2379"},
    "facts": {
        "platform": {
            "nodes": [
                {"name": "node-1", "provider_id": "aws:///a/i-1", "internal_ips": ["10.0.0.11"], "pod_cidrs": ["10.244.0.0/24"]},
                {"name": "node-2", "provider_id": "aws:///a/i-2", "internal_ips": ["10.0.0.12"], "pod_cidrs": ["10.244.1.0/24"]},
            ],
            "config": {
                "kubeadm-config": {
                    "ClusterConfiguration": "controlPlaneEndpoint: api.example.net:6443\nnetworking:\n  dnsDomain: lab.local\n"
                    "  podSubnet: 10.244.0.0/16\n  serviceSubnet: 10.96.0.0/16\n"
                }
            },
        }
    },
}


def cluster(**more: Any) -> dict[str, Any]:
    facts, dummy, _verdicts = observe({**CLUSTER, **more})
    for node in facts["platform"]["nodes"]:
        for key in ("labels", "external_ips", "kubelet_version", "container_runtime", "os_image", "ready"):
            node.setdefault(key, {"labels": {}, "external_ips": []}.get(key))
    return facts


def test_all_that_a_cluster_needs() -> None:
    facts = cluster()
    found = merged_no_proxy("proxy.example.net", facts=facts, scope="cluster", registries=["registry.example.net:5000"])
    assert found.split(",") == [
        "proxy.example.net",
        *("10.96.0.0/16", "10.244.0.0/16", ".svc", ".lab.local", "kubernetes.default", "kubernetes"),
        *("api.example.net", "172.16.0.1", "10.0.0.11", "node-1", "10.0.0.12", "node-2", "etcd.example.net"),
        *("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "registry.example.net"),
    ]
    assert missing_no_proxy(found, facts=facts, scope="cluster") == []


def test_ranges_of_nodes_stand_for_their_addresses() -> None:
    found = entries(missing_no_proxy("", facts=cluster(), scope="cluster", node_cidrs=["10.0.0.0/24"]))
    assert "10.0.0.0/24" in found
    assert not {"10.0.0.11", "10.0.0.12"} & set(found)
    assert {"node-1", "node-2"} <= set(found)


def test_who_knows_no_ranges_gets_each_address() -> None:
    found = entries(missing_no_proxy("", facts=cluster(), scope="cluster", node_cidrs=["10.0.0.0/24"], consumer="urllib"))
    assert {"localhost", "127.0.0.1", "[::1]", "10.96.0.1", "10.96.0.7", "10.0.0.11", "10.0.0.12"} <= set(found)
    assert not [entry for entry in found if "/" in entry]


def test_a_cluster_without_a_cloud_needs_no_metadata() -> None:
    facts = cluster()
    for node in facts["platform"]["nodes"]:
        node["provider_id"] = None
    assert "169.254.169.254" not in entries(missing_no_proxy("", facts=facts, scope="cluster"))
