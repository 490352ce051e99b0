# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services, endpoints and pods to back ends; what is missing, and what was never looked for."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.facts import backends_of
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.network import endpoints_facts, slice_facts
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.pods import pod_facts
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import (
    endpoint,
    endpoint_slice,
    entry,
    obj,
    pod,
    service,
    service_client,
    validating,
)


def backend(*objects: dict[str, Any], looked: bool = True, port: int = 443) -> dict[str, Any]:
    """The back end of a call-out to hooks/one, of the objects given."""
    inventory = Inventory()
    for scope in inventory.looked.values():
        scope.everywhere = looked
    inventory.namespaces["hooks"] = {}
    for one in (validating("check", entry("a", service_client("hooks", "one", port=port))), *objects):
        inventory.add(one)
    assert inventory.coverage.entries() == []
    (found,) = backends_of(inventory, list(inventory.callouts.values()))
    return found


def addresses(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(one["address"], one["port"], one["ready"]) for one in found["endpoints"]]


def test_the_whole_of_a_back_end() -> None:
    found = backend(
        service("hooks", "one"),
        endpoint_slice("hooks", "one", endpoint("10.0.0.1", "one-1")),
        pod("hooks", "one-1", {"app": "one"}),
        pod("hooks", "x", {"app": "x"}),
    )
    assert found["id"] == "service/hooks/one:443"
    assert found["port"] == {"name": "https", "port": 443, "target_port": "webhook"}
    assert found["service"]["found"] is True and found["service"]["cluster_ips"] == ["10.96.0.9"]
    assert found["endpoints"] == [
        {"address": "10.0.0.1", "family": "IPv4", "port": 9443, "ready": True, "serving": True, "terminating": False, "node": "n1", "pod": "hooks/one-1"}
    ]
    assert [one["name"] for one in found["pods"]] == ["one-1"]


def test_missing_and_unread_differ() -> None:
    missing, unread = backend(looked=True), backend(looked=False)
    assert (missing["service"]["found"], missing["endpoints"], missing["pods"]) == (False, [], [])
    assert (unread["service"]["found"], unread["endpoints"], unread["pods"]) == (None, None, None)


def test_a_namespace_that_does_not_exist_holds_nothing() -> None:
    inventory = Inventory()
    inventory.add(validating("check", entry("a", service_client("gone", "one"))))
    inventory.looked["namespaces"].everywhere = True
    (found,) = backends_of(inventory, list(inventory.callouts.values()))
    assert (found["service"]["found"], found["endpoints"]) == (False, [])


def test_endpoints_without_the_service_still_have_their_only_port() -> None:
    assert addresses(backend(endpoint_slice("hooks", "one", endpoint("10.0.0.1")), looked=False)) == [("10.0.0.1", 9443, True)]


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([endpoint_slice("hooks", "one", endpoint("10.0.0.1", ready=None))], [("10.0.0.1", 9443, True)]),
        ([endpoint_slice("hooks", "one", endpoint("10.0.0.1", ready=False))], [("10.0.0.1", 9443, False)]),
        ([endpoint_slice("hooks", "one", endpoint("10.0.0.1"), ports=[])], [("10.0.0.1", None, True)]),
        ([endpoint_slice("hooks", "one", endpoint("10.0.0.1"), ports=[{"name": "other", "port": 1}])], [("10.0.0.1", None, True)]),
        ([endpoint_slice("hooks", "one", endpoint("fd00::1"), family="IPv6"), endpoint_slice("hooks", "one", endpoint("10.0.0.1"), suffix="b")],
         [("10.0.0.1", 9443, True), ("fd00::1", 9443, True)]),
        ([endpoint_slice("hooks", "one", endpoint("10.0.0.1", ready=False)), endpoint_slice("hooks", "one", endpoint("10.0.0.1"), suffix="b")],
         [("10.0.0.1", 9443, True)]),
        ([endpoint_slice("hooks", "one", endpoint("10.0.0.1"))] * 2, [("10.0.0.1", 9443, True)]),
        ([endpoint_slice("hooks", "one", endpoint("a.example"), family="FQDN")], []),
        ([endpoint_slice("hooks", "two", endpoint("10.0.0.1"))], []),
        ([endpoint_slice("other", "one", endpoint("10.0.0.1"))], []),
        ([endpoint_slice("hooks", "one", {"addresses": None}, None, ports=None)], []),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_endpoints(objects: list[dict[str, Any]], expected: list[tuple[Any, ...]]) -> None:
    assert addresses(backend(service("hooks", "one"), *objects)) == expected


def test_a_port_that_the_service_lacks() -> None:
    found = backend(service("hooks", "one"), endpoint_slice("hooks", "one", endpoint("10.0.0.1")), port=8443)
    assert found["port"] is None and addresses(found) == [("10.0.0.1", None, True)]


def test_an_unnamed_port() -> None:
    unnamed = service("hooks", "one", ports=[{"port": 443}])
    found = backend(unnamed, endpoint_slice("hooks", "one", endpoint("10.0.0.1"), ports=[{"name": "", "port": 9443}]))
    assert found["port"] == {"name": None, "port": 443, "target_port": 443} and addresses(found) == [("10.0.0.1", 9443, True)]


def test_kinds_of_services() -> None:
    headless = backend(service("hooks", "one", clusterIP="None", clusterIPs=["None"]))["service"]
    external = backend(service("hooks", "one", type="ExternalName", externalName="a.example", clusterIP="", clusterIPs=None, selector=None))["service"]
    assert (headless["headless"], headless["cluster_ips"]) == (True, ["None"])
    assert (external["type"], external["external_name"], external["cluster_ips"], external["selector"]) == ("ExternalName", "a.example", [], None)


def test_a_service_without_selector_has_no_pods() -> None:
    assert backend(service("hooks", "one", selector=None), pod("hooks", "one-1", {"app": "one"}))["pods"] == []


def test_endpoints_objects_stand_in_for_slices() -> None:
    subsets = [{"addresses": [{"ip": "10.0.0.1"}], "notReadyAddresses": [{"ip": "fd00::2"}], "ports": [{"name": "https", "port": 9443}]}]
    endpoints = obj("v1", "Endpoints", "one", "hooks", subsets=subsets)
    assert endpoints_facts(endpoints)[0] == ("hooks", "one")
    assert addresses(backend(service("hooks", "one"), endpoints)) == [("10.0.0.1", 9443, True), ("fd00::2", 9443, False)]
    assert addresses(backend(service("hooks", "one"), endpoints, endpoint_slice("hooks", "one", endpoint("10.0.0.9")))) == [("10.0.0.9", 9443, True)]


def test_a_slice_of_no_service() -> None:
    assert slice_facts({"metadata": {"name": "x"}, "addressType": "IPv4"}) is None


def test_pod_states() -> None:
    crashing = pod(
        "n", "p", {}, ready=False, initContainers=[{"name": "job"}, {"name": "proxy", "restartPolicy": "Always", "ports": [{"containerPort": 15017}]}]
    )
    crashing["metadata"].update(
        deletionTimestamp="2026-01-01T00:00:00Z", ownerReferences=[{"kind": "Node", "name": "x"}, {"kind": "ReplicaSet", "name": "r", "controller": True}]
    )
    crashing["status"]["containerStatuses"] = [
        {
            "name": "main",
            "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
        }
    ]
    found = pod_facts(crashing)
    assert (found["ready"], found["terminating"], found["owner"]) == (False, True, {"kind": "ReplicaSet", "name": "r"})
    assert found["containers"] == [
        {
            "name": "main",
            "ready": False,
            "restarts": 4,
            "waiting": "CrashLoopBackOff",
            "terminated": "OOMKilled (exit code 137)",
            "ports": [{"name": "webhook", "port": 9443}],
        },
        {"name": "proxy", "ready": False, "restarts": 0, "waiting": None, "terminated": None, "ports": [{"name": None, "port": 15017}]},
    ]


ODD = [None, [], "x", 7, {"metadata": None}, {"metadata": {"name": "n", "labels": 7}, "spec": [], "status": "x", "endpoints": {}, "subsets": 3}]


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "Service"), ("v1", "Pod"), ("v1", "Namespace"), ("v1", "Endpoints"), ("v1", "Event"),
        ("discovery.k8s.io/v1", "EndpointSlice"), ("apps/v1", "Deployment"), ("apiregistration.k8s.io/v1", "APIService"),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"), ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_objects_never_end_in_a_traceback(api_version: str, kind: str, odd: Any) -> None:
    inventory = Inventory()
    inventory.add(
        {**(odd if isinstance(odd, dict) else {"metadata": odd, "spec": odd, "status": odd, "webhooks": odd}), "apiVersion": api_version, "kind": kind}
    )
    assert all(entry["what"].startswith(kind) and entry["reason"] == "error" for entry in inventory.coverage.entries())
