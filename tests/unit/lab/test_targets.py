# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault becomes: addresses and Kubernetes objects."""

from __future__ import annotations

import base64

import pytest
from doctorlab import addresses, faults, objects, paths, servers, targets, texts
from doctorlab.faults import CallOut, Expected, Fault, Make, Pods, Server, Service
from doctorlab.targets import Target


def target(make: Make) -> Target:
    fault = Fault("example", "family", "", make, None, {"endpoint": Expected(None, None)}, "error")
    (made,) = targets.allot([fault])
    return made


@pytest.fixture(scope="module")
def all_targets() -> list[Target]:
    return targets.allot(faults.load(paths.FAULTS))


def test_no_two_targets_share_anything(all_targets: list[Target]) -> None:
    pods = [address for each in all_targets for address in each.pods]
    assert len(set(pods)) == len(pods)
    assert len({each.outside for each in all_targets}) == len(all_targets)
    assert len({each.namespace for each in all_targets}) == len(all_targets)
    assert all(len(each.apps_namespace) <= 63 for each in all_targets)


def test_no_two_servers_listen_at_the_same_address(all_targets: list[Target]) -> None:
    listening = [address for each in all_targets for address in each.listens_at]
    assert len(set(listening)) == len(listening)


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (Make(), 2),
        (Make(pods=Pods(listening=0)), 0),
        (Make(pods=Pods(listening=1)), 1),
        (Make(pods=Pods(ready=0)), 2),
        (Make(service=Service(exists=False)), 0),
        (Make(service=Service(type="ExternalName")), 1),
        (Make(call_out=CallOut(url="good")), 1),
        (Make(call_out=CallOut(url="dead_port")), 0),
    ],
)
def test_where_something_listens(make: Make, count: int) -> None:
    assert len(target(make).listens_at) == count


def test_only_dead_names_do_not_resolve() -> None:
    good, dead = target(Make(call_out=CallOut(url="good"))), target(Make(call_out=CallOut(url="dead_name")))
    assert servers.names([good])[good.host or ""] == good.outside
    assert servers.names([dead]) == {}


@pytest.mark.parametrize(
    ("make", "ready"), [(Make(), ["True", "True"]), (Make(pods=Pods(ready=1)), ["True", "False"]), (Make(pods=Pods(ready=0)), ["False", "False"])]
)
def test_ready_conditions(make: Make, ready: list[str]) -> None:
    pods = objects.pods(target(make))
    assert [next(each["status"] for each in pod["status"]["conditions"] if each["type"] == "Ready") for pod in pods] == ready


@pytest.mark.parametrize(
    ("service", "spec"),
    [
        (Service(), {"selector": {"app": "webhook"}, "ports": [{"name": "https", "port": 443, "targetPort": 8443}]}),
        (Service(selects_pods=False), {"selector": {"app": "renamed"}, "ports": [{"name": "https", "port": 443, "targetPort": 8443}]}),
        (Service(headless=True), {"selector": {"app": "webhook"}, "ports": [{"name": "https", "port": 443, "targetPort": 8443}], "clusterIP": "None"}),
        (
            Service(type="ExternalName"),
            {"type": "ExternalName", "externalName": "fault-example.hooks.lab.example.net", "ports": [{"name": "https", "port": 443}]},
        ),
    ],
)
def test_service(service: Service, spec: dict[str, object]) -> None:
    assert objects.service(target(Make(service=service)))["spec"] == spec


def test_webhook_configuration() -> None:
    made = objects.call_out(target(Make(call_out=CallOut(timeout_seconds=3))), "PEM")
    assert (made["kind"], made["metadata"]["name"]) == ("ValidatingWebhookConfiguration", "fault-example")
    (entry,) = made["webhooks"]
    assert entry["name"] == "example.fault.lab.example.com"
    assert entry["timeoutSeconds"] == 3
    assert entry["clientConfig"] == {
        "service": {"namespace": "fault-example", "name": "webhook", "port": 443, "path": "/review"},
        "caBundle": base64.b64encode(b"PEM").decode(),
    }
    assert entry["namespaceSelector"]["matchExpressions"] == [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["fault-example"]}]


def test_an_empty_bundle_is_left_out() -> None:
    made = objects.call_out(target(Make(call_out=CallOut(ca_bundle=[]))), "")
    assert "caBundle" not in made["webhooks"][0]["clientConfig"]


def test_a_webhook_with_events_intercepts_pods_elsewhere() -> None:
    made = objects.call_out(target(Make(events=True)), "PEM")
    own, apps = made["webhooks"]
    assert (own["rules"][0]["resources"], apps["rules"][0]["resources"]) == (["configmaps"], ["pods"])
    assert apps["namespaceSelector"]["matchExpressions"][0]["values"] == ["fault-example-apps"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("conversion", "gauges.example.fault.lab.example.com"),
        ("apiservice", "v1alpha1.example.fault.lab.example.com"),
        ("mutating", "fault-example"),
    ],
)
def test_other_kinds(kind: str, name: str) -> None:
    assert objects.call_out(target(Make(call_out=CallOut(kind=kind))), "PEM")["metadata"]["name"] == name


def test_a_crd_is_made_without_conversion_first() -> None:
    made = target(Make(call_out=CallOut(kind="conversion")))
    before, after = objects.custom_resource_definition(made, None)["spec"], objects.custom_resource_definition(made, "PEM")["spec"]
    assert (before["conversion"]["strategy"], after["conversion"]["strategy"]) == ("None", "Webhook")
    assert before["versions"] == after["versions"]


def test_every_call_is_harmless(all_targets: list[Target]) -> None:
    for each in all_targets:
        method, path, dummy = texts.request_for(each)
        assert method == "GET" or path.endswith("?dryRun=All"), each.namespace


def test_addresses_stay_in_their_networks() -> None:
    assert addresses.pod(0) == "10.244.1.0"
    assert addresses.outside(0) == "172.31.1.10"
    with pytest.raises(ValueError, match="has no address number"):
        addresses.outside(250)


def test_a_server_that_only_accepts_still_has_tls() -> None:
    assert target(Make(server=Server(accept="stall"))).listens_at
