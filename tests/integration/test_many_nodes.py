# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of nodes of a cloud and thousands of pods, kept by kwok: each cloud is known by its real objects, and nothing of another is found on it.

Real controllers make the pods and a real scheduler places them. Two webhooks have pods there: nobody listens at the ones, and packets to the others are lost.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest
import yaml
from doctorlab import Lab, Options, pki
from doctorlab.kwok import Kwok
from lab_diagnosis import Diagnosis, diagnose
from test_platform import GKE_GROUP, daemonset

NODES, TEAMS, PODS_OF_A_TEAM, PODS_OF_A_WEBHOOK = 200, 250, 8, 20
REFUSED, LOST = "refused", "lost"  # the webhooks, by what happens to packets to their pods; also their namespaces
PORT = 8443
# Findings that are right on one cloud and wrong on all others.
OF_ONE_CLOUD = {"WD701", "WD702", "WD703", "WD704", "WD720"}


@dataclass(frozen=True)
class Cloud:
    """Its nodes, with the labels and provider IDs that it gives them, and how it is told from others."""

    name: str
    node: str
    labels: dict[str, str]
    provider_id: str
    lost: str  # the code of packets that are lost
    told_by: set[str]  # the evidence
    objects: list[dict[str, Any]] = field(default_factory=list)


CLOUDS = [
    Cloud(
        "eks",
        "ip-172-30-0-{number}.eu-west-1.compute.internal",
        {"eks.amazonaws.com/nodegroup": "workers", "topology.kubernetes.io/region": "eu-west-1", "topology.kubernetes.io/zone": "eu-west-1a"},
        "aws:///eu-west-1a/i-{number:017x}",
        "WD702",
        {"EKS: "},
        [daemonset("aws-node")],
    ),
    Cloud(
        "gke",
        "gke-blue-default-pool-1a2b3c4d-{number:04d}",
        {"cloud.google.com/gke-nodepool": "default-pool", "cloud.google.com/private-node": "true", "topology.kubernetes.io/region": "europe-west1"},
        "gce://shop-prod/europe-west1-b/gke-blue-default-pool-1a2b3c4d-{number:04d}",
        "WD701",
        {"GKE: "},
        [GKE_GROUP],
    ),
    Cloud(
        "aks",
        "aks-nodepool1-12345678-vmss{number:06d}",
        {"kubernetes.azure.com/cluster": "MC_blue", "kubernetes.azure.com/agentpool": "nodepool1", "topology.kubernetes.io/region": "westeurope"},
        "azure:///subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/mc_blue/providers/Microsoft.Compute/virtualMachineScaleSets/"
        "aks-nodepool1-12345678-vmss/virtualMachines/{number}",
        "WD210",
        {"AKS: "},
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
    nodes: list[str]
    diagnosis: Diagnosis

    @property
    def facts(self) -> dict[str, Any]:
        return self.diagnosis.report["bundle"]["facts"]


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
