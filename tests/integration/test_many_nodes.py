# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of nodes of a cloud and thousands of pods, kept by kwok: each cloud is known by its real objects, and nothing of another is found on it.

Real controllers make the pods and a real scheduler places them. Two webhooks have pods there: nobody listens at the ones, and packets to the others are lost.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest
import yaml
from cloud_objects import GKE_GROUP, daemonset
from doctorlab import Lab, Options, pki
from doctorlab.kwok import Kwok
from lab_diagnosis import Diagnosis, diagnose

NODES, TEAMS, PODS_OF_A_TEAM, PODS_OF_A_WEBHOOK = 200, 250, 8, 20
REFUSED, LOST = "refused", "lost"  # the webhooks, by what happens to packets to their pods; also their namespaces
PORT = 8443
LAB_NODES = 2  # of the lab's own, which have nothing of a cloud
API_SERVER_NODE = "lab-control-plane"  # the API server is a pod of it


@dataclass(frozen=True)
class Cloud:
    """Its nodes, with the labels and provider IDs that it gives them, and what must be said of it, and nothing else."""

    name: str
    label: str
    node: str
    labels: dict[str, str]
    provider_id: str
    signals: set[str]  # what there is evidence of
    lost: str  # the code of packets that are lost
    told: list[str]  # of the steps against that
    tools: set[str]  # the programs of clouds that these steps call
    objects: list[dict[str, Any]] = field(default_factory=list)


CLOUDS = [
    Cloud(
        name="eks",
        label="EKS",
        node="ip-172-30-0-{number}.eu-west-1.compute.internal",
        labels={"eks.amazonaws.com/nodegroup": "workers", "topology.kubernetes.io/region": "eu-west-1", "topology.kubernetes.io/zone": "eu-west-1a"},
        provider_id="aws:///eu-west-1a/i-{number:017x}",
        signals={"EKS", "the Amazon VPC CNI"},
        lost="WD702",
        told=["--region eu-west-1 --instance-ids i-0000000000", "--protocol tcp --port 8443"],
        tools={"aws"},
        objects=[daemonset("aws-node")],
    ),
    Cloud(
        name="gke",
        label="GKE",
        node="gke-blue-default-pool-1a2b3c4d-{number:04d}",
        labels={"cloud.google.com/gke-nodepool": "default-pool", "cloud.google.com/private-node": "true", "topology.kubernetes.io/region": "europe-west1"},
        provider_id="gce://shop-prod/europe-west1-b/gke-blue-default-pool-1a2b3c4d-{number:04d}",
        signals={"GKE", "private nodes"},
        lost="WD701",
        told=["--project=shop-prod", "--rules=tcp:8443"],
        tools={"gcloud"},
        objects=[GKE_GROUP],
    ),
    Cloud(
        name="aks",
        label="AKS",
        node="aks-nodepool1-12345678-vmss{number:06d}",
        labels={"kubernetes.azure.com/cluster": "MC_blue", "kubernetes.azure.com/agentpool": "nodepool1", "topology.kubernetes.io/region": "westeurope"},
        provider_id="azure:///subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/mc_blue/providers/Microsoft.Compute/"
        "virtualMachineScaleSets/aks-nodepool1-12345678-vmss/virtualMachines/{number}",
        signals={"AKS"},
        lost="WD210",
        told=["Allow TCP from the control plane to"],
        tools=set(),
    ),
]


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def deployment(where: str, name: str, replicas: int) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": name, "image": "registry.lab.example.net/app:1", "ports": [{"name": "https", "containerPort": PORT}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": where, "name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def service(where: str) -> dict[str, Any]:
    spec = {"selector": {"app": "webhook"}, "ports": [{"name": "https", "port": 443, "targetPort": PORT}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": where, "name": "webhook"}, "spec": spec}


def configuration(where: str, bundle: str) -> dict[str, Any]:
    """It intercepts ConfigMaps of its own namespace only."""
    webhook = {
        "name": f"{where}.lab.example.com",
        "clientConfig": {"service": {"namespace": where, "name": "webhook"}, "caBundle": base64.b64encode(bundle.encode()).decode()},
        "failurePolicy": "Fail",
        "timeoutSeconds": 5,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": where}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE", "UPDATE"], "scope": "*"}],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": where},
        "webhooks": [webhook],
    }


def settings(where: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": where, "name": "settings"}, "data": {"colour": "green"}}


@dataclass(frozen=True)
class World:
    """A lab that is full of nodes of one cloud, and its diagnosis."""

    cloud: Cloud
    lab: Lab
    nodes: list[str]  # of the cloud
    diagnosis: Diagnosis

    @property
    def facts(self) -> dict[str, Any]:
        return self.diagnosis.report["bundle"]["facts"]

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        """What the cluster really has."""
        return list(json.loads(self.lab.kubectl("get", *arguments, "-o", "json"))["items"])

    def finding(self, webhook: str) -> dict[str, Any]:
        """The one finding that affects a webhook."""
        (finding,) = [finding for finding in self.diagnosis.report["findings"] if f"validating/{webhook}/{webhook}.lab.example.com" in finding["affects"]]
        return finding


def populate(lab: Lab, kwok: Kwok, cloud: Cloud) -> list[str]:
    """Make everything, and return the names of the nodes."""
    nodes = kwok.nodes(NODES, name=cloud.node, labels=cloud.labels, provider_id=cloud.provider_id)
    webhooks = (REFUSED, LOST)
    teams = [f"team-{number:03d}" for number in range(TEAMS)]
    items = [namespace(name) for name in (*webhooks, *teams)]
    items += [item for where in webhooks for item in (settings(where), service(where), deployment(where, "webhook", PODS_OF_A_WEBHOOK))]
    items += [deployment(where, "shop", PODS_OF_A_TEAM) for where in teams]
    lab.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all([*items, *cloud.objects]))
    kwok.wait_ready()
    kwok.lose_packets_to(LOST)
    bundle = pki.make_authority("webhook-ca", datetime.now(timezone.utc)).certificate_pem
    lab.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all([configuration(where, bundle) for where in webhooks]))
    return nodes


@pytest.fixture(scope="module", params=CLOUDS, ids=lambda cloud: cloud.name)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp(request.param.name)
    with Lab(folder / "lab", Options(faults="none", scheduler=True)) as lab:
        nodes = populate(lab, Kwok(lab), request.param)
        yield World(request.param, lab, nodes, diagnose(lab, folder / "report"))


def test_there_are_as_many_as_this_file_says(world: World) -> None:
    """Of the lab and not of the diagnosis: all pods run, and the scheduler has spread them."""
    pods = [pod for pod in world.objects("--all-namespaces", "pods", "--field-selector=status.phase=Running") if pod["spec"]["nodeName"] in world.nodes]
    assert len(pods) >= TEAMS * PODS_OF_A_TEAM + 2 * PODS_OF_A_WEBHOOK
    assert len(world.nodes) == NODES
    assert len({pod["spec"]["nodeName"] for pod in pods}) > NODES / 2


def test_the_cloud_is_named_and_no_other(world: World) -> None:
    platform = world.diagnosis.report["summary"]["platform"]
    assert (platform["name"], platform["label"]) == (world.cloud.name, world.cloud.label)
    assert {signal.partition(": ")[0] for signal in platform["signals"]} == world.cloud.signals
    assert any(f"node {node} has the label" in platform["signals"][0] for node in world.nodes)
    assert f"\u00b7 {world.cloud.label} \u00b7" in world.diagnosis.output


def test_nodes_are_counted_and_those_of_back_ends_are_known(world: World) -> None:
    """More nodes than the facts keep: those that back ends run on are kept, as they really are."""
    platform = world.facts["platform"]
    assert platform["node_count"] == NODES + LAB_NODES
    real = {node["metadata"]["name"]: node for node in world.objects("nodes")}
    used = {pod["spec"]["nodeName"] for webhook in (REFUSED, LOST) for pod in world.objects("-n", webhook, "pods")}
    kept = {node["name"]: node for node in platform["nodes"]}
    assert kept.keys() == used | {API_SERVER_NODE}
    for node in (kept[name] for name in used):
        assert node["provider_id"] == real[node["name"]]["spec"]["providerID"]
        assert world.cloud.labels.items() <= node["labels"].items()
        assert node["ready"] is True


@pytest.mark.parametrize("webhook", [REFUSED, LOST])
def test_every_pod_of_a_back_end_is_seen(world: World, webhook: str) -> None:
    (back_end,) = [one for one in world.facts["backends"] if one["id"] == f"service/{webhook}/webhook:443"]
    real = {(pod["metadata"]["name"], pod["spec"]["nodeName"], pod["status"]["podIP"]) for pod in world.objects("-n", webhook, "pods")}
    assert {(pod["name"], pod["node"], pod["ip"]) for pod in back_end["pods"]} == real
    assert {(one["pod"].partition("/")[2], one["node"], one["address"]) for one in back_end["endpoints"]} == real
    assert len(real) == PODS_OF_A_WEBHOOK and all(one["ready"] for one in (*back_end["pods"], *back_end["endpoints"]))


def test_nothing_is_left_unread(world: World) -> None:
    assert world.facts["coverage"] == []


def test_nothing_else_is_found(world: World) -> None:
    """One finding for a webhook of twenty pods; none of another cloud, and none of thousands of healthy pods."""
    assert sorted(finding["code"] for finding in world.diagnosis.report["findings"]) == sorted(["WD201", world.cloud.lost])


def test_pods_where_nobody_listens(world: World) -> None:
    finding = world.finding(REFUSED)
    assert (finding["code"], finding["cause"], finding["severity"]) == ("WD201", "connection_refused", "error")
    assert finding["subject"] == {"kind": "Service", "namespace": REFUSED, "name": "webhook", "webhook": None}
    assert "connect: connection refused" in finding["evidence"][0]


def test_packets_that_are_lost_are_explained_by_this_cloud(world: World) -> None:
    finding = world.finding(LOST)
    assert (finding["code"], finding["cause"], finding["severity"]) == (world.cloud.lost, "connect_timeout", "error")
    steps = "\n".join(finding["remedy"]["manual"])
    assert [text for text in world.cloud.told if text not in steps] == []
    assert set(re.findall(r"\b(aws|az|gcloud) [a-z]", steps)) == world.cloud.tools
