# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same failing network on a cluster that looks like GKE, EKS, AKS: real nodes, DaemonSets, policies and texts; a packet filter stands for the cloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cloud_objects import GKE_GROUP, daemonset
from doctorlab import Lab, Options
from lab_diagnosis import Diagnosis, diagnose

DROPPED = ("fault-syn-dropped", "fault-syn-dropped-fail-open")
KUBELET = "fault-kubelet-answered-node-name"
POLICY = ("fault-network-policy", "fault-network-policy-fail-open")
FAULTS = ("healthy", "no-route", *(name.removeprefix("fault-") for name in (*DROPPED, *POLICY, KUBELET)))
WORKER = "lab-worker"
GKE = {"cloud.google.com/gke-nodepool": "default-pool", "cloud.google.com/private-node": "true"}
EKS = {"eks.amazonaws.com/nodegroup": "workers"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(
        tmp_path_factory.mktemp("platform") / "lab",
        Options(faults="healthy,syn-dropped,syn-dropped-fail-open,no-route,network-policy,network-policy-fail-open,kubelet-answered-node-name"),
    ) as lab:
        yield lab


@pytest.fixture
def diagnosed(lab: Lab, tmp_path: Path) -> Iterator[Callable[..., Diagnosis]]:
    """Diagnose while the worker has these labels and these objects are there; afterwards the cluster is as before."""
    undo: list[list[str]] = []

    def run(labels: dict[str, str], *objects: dict[str, Any]) -> Diagnosis:
        if labels:
            lab.kubectl("label", "node", WORKER, *(f"{key}={value}" for key, value in labels.items()))
            undo.append(["label", "node", WORKER, *(f"{key}-" for key in labels)])
        for obj in objects:
            apply(lab, obj)
            if obj["kind"] == "DaemonSet":
                wait_for_pods_of(lab, obj["metadata"]["name"])
            place = ["-n", obj["metadata"]["namespace"]] if "namespace" in obj["metadata"] else []
            # No kubelet is there to end pods.
            now = ["--force", "--grace-period=0"] if obj["kind"] == "Pod" else []
            undo.append(["delete", obj["kind"].lower(), *place, obj["metadata"]["name"], *now])
        return diagnose(lab, tmp_path / "report")

    yield run
    for command in reversed(undo):
        lab.kubectl(*command)


def apply(lab: Lab, obj: dict[str, Any]) -> None:
    """With its status, which the lab has no kubelet to write."""
    lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(obj))
    if "status" in obj:
        place = ["-n", obj["metadata"]["namespace"]] if "namespace" in obj["metadata"] else []
        patch = json.dumps({"status": obj["status"]})
        lab.kubectl(*place, "patch", obj["kind"].lower(), obj["metadata"]["name"], "--subresource=status", "--type=merge", "-p", patch)


def wait_for_pods_of(lab: Lab, name: str) -> None:
    """Until the DaemonSet controller has counted the nodes."""
    lab.kubectl("-n", "kube-system", "wait", f"daemonset/{name}", "--for=jsonpath={.status.desiredNumberScheduled}=2", "--timeout=30s")


def found(diagnosis: Diagnosis, *configurations: str) -> dict[str, list[str]]:
    """Code -> configurations that a finding of it affects, of these."""
    codes: dict[str, list[str]] = {}
    for finding in diagnosis.report["findings"]:
        names = sorted({callout.split("/")[1] for callout in finding["affects"]} & set(configurations))
        if names and finding["severity"] != "info":
            codes.setdefault(finding["code"], []).extend(names)
    return codes


def steps(diagnosis: Diagnosis, code: str) -> str:
    return "\n".join(step for finding in diagnosis.report["findings"] if finding["code"] == code for step in finding["remedy"]["manual"])


@pytest.mark.covers("cm-gke-private-port", "cm-concept-gke-private", code="WD701")
def test_a_private_gke_cluster(lab: Lab, diagnosed: Callable[..., Diagnosis]) -> None:
    lab.kubectl("patch", "node", WORKER, "-p", '{"spec":{"providerID":"gce://shop-prod/europe-west1-b/gke-blue-default-pool-1a2b3c4d-x1yz"}}')
    diagnosis = diagnosed(GKE, GKE_GROUP)
    assert found(diagnosis, *DROPPED) == {"WD701": list(DROPPED)}
    assert "--rules=tcp:8443" in steps(diagnosis, "WD701") and "--project=shop-prod" in steps(diagnosis, "WD701")
    assert found(diagnosis, *POLICY) == {"WD710": list(POLICY)}
    assert found(diagnosis, KUBELET) == {"WD311": [KUBELET]}
    assert diagnosis.report["summary"]["platform"]["name"] == "gke"
    assert "\u00b7 GKE \u00b7" in diagnosis.output


@pytest.mark.covers("cm-eks-security-group", code="WD702")
def test_eks(lab: Lab, diagnosed: Callable[..., Diagnosis]) -> None:
    lab.kubectl("patch", "node", "lab-control-plane", "-p", '{"spec":{"providerID":"aws:///eu-west-1a/i-0123456789abcdef0"}}')
    diagnosis = diagnosed(EKS, daemonset("aws-node"))
    assert found(diagnosis, *DROPPED) == {"WD702": list(DROPPED)}
    told = steps(diagnosis, "WD702")
    assert "aws ec2 authorize-security-group-ingress --region eu-west-1 --group-id $NODE_SG --protocol tcp --port 8443" in told
    assert "hostNetwork: the pods have addresses of the VPC already" in told
    assert found(diagnosis, *POLICY) == {"WD710": list(POLICY)}


@pytest.mark.covers("cm-eks-overlay", "cm-concept-eks-cni", code="WD703")
def test_eks_with_an_overlay(diagnosed: Callable[..., Diagnosis]) -> None:
    diagnosis = diagnosed(EKS, daemonset("calico-node"))
    assert found(diagnosis, *DROPPED) == {"WD703": list(DROPPED)}
    assert "hostNetwork: true" in steps(diagnosis, "WD703")


def test_eks_with_hybrid_nodes(diagnosed: Callable[..., Diagnosis]) -> None:
    diagnosis = diagnosed({"eks.amazonaws.com/compute-type": "hybrid"})
    assert found(diagnosis, "fault-no-route") == {"WD704": ["fault-no-route"]}


@pytest.mark.covers("cm-fargate-kubelet", code="WD720")
def test_fargate(diagnosed: Callable[..., Diagnosis]) -> None:
    diagnosis = diagnosed({"eks.amazonaws.com/compute-type": "fargate"})
    assert found(diagnosis, KUBELET) == {"WD720": [KUBELET]}
    assert "hostNetwork: Fargate refuses pods" in steps(diagnosis, "WD720")


@pytest.mark.covers("cm-network-policy", code="WD710")
def test_the_policy_that_is_told_lets_calls_in(lab: Lab, diagnosed: Callable[..., Diagnosis]) -> None:
    """Nobody enforces policies here, so the packets are dropped still; but with what was told applied, no policy is to blame any more."""
    diagnosis = diagnosed({})
    assert found(diagnosis, *POLICY, *DROPPED) == {"WD710": list(POLICY), "WD210": list(DROPPED)}
    (command,) = [step for step in steps(diagnosis, "WD710").splitlines() if step.startswith("printf") and "fault-network-policy-fail-open" not in step]
    done = lab.run(["sh", "-c", command], capture_output=True)
    assert done.returncode == 0, done.stderr
    try:
        again = diagnose(lab, diagnosis.folder.parent / "again")
    finally:
        lab.kubectl("-n", POLICY[0], "delete", "networkpolicy", "webhook-admits-apiserver")
    assert found(again, *POLICY) == {"WD710": [POLICY[1]], "WD210": [POLICY[0]]}


def test_with_agents_of_a_tunnel_no_firewall_is_to_blame(lab: Lab, diagnosed: Callable[..., Diagnosis]) -> None:
    """AKS: nobody sees the API server's pods, and agents make its calls. (Last: the mirror pod is gone afterwards.)"""
    lab.kubectl("-n", "kube-system", "delete", "pod", "kube-apiserver-lab-control-plane", "--grace-period=0", "--force")
    status = {
        "phase": "Running",
        "podIP": "10.244.0.9",
        "podIPs": [{"ip": "10.244.0.9"}],
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    }
    agent = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": "kube-system", "name": "konnectivity-agent-1", "labels": {"k8s-app": "konnectivity-agent"}},
        "spec": {"nodeName": WORKER, "automountServiceAccountToken": False, "containers": [{"name": "agent", "image": "registry.lab.example.net/agent:1"}]},
        "status": status,
    }
    diagnosis = diagnosed({"kubernetes.azure.com/cluster": "MC_blue"}, agent)
    assert found(diagnosis, *DROPPED) == {"WD713": list(DROPPED)}
    assert "a firewall rule from the control plane's addresses to the nodes: no call comes from there" in steps(diagnosis, "WD713")
    # The policy admits pods of kube-system: the agents are.
    assert found(diagnosis, *POLICY) == {"WD713": list(POLICY)}
