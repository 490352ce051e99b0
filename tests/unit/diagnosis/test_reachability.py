# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a back end: kinds of addresses (addresses.yml), NetworkPolicies (policies.yml), the remedy that is right (reachability.yml), and on every platform
only what belongs to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.clouds import amazon, google
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cni import address_kind, judge_cni
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.host_ports import free_port
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.label_index import Namespaces
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.network_policy import Source, admission
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.reachability_advice import Path as Way
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.reachability_advice import advise
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.around import AGENT, NODE, policy, surround
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe

HERE = Path(__file__).parent


def rows(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((HERE / f"{name}.yml").read_text(encoding="utf-8"))


def named(row: dict[str, Any]) -> str:
    return str(row["name"])


@pytest.mark.parametrize("row", rows("reachability"), ids=named)
def test_the_remedy(row: dict[str, Any]) -> None:
    def told(path: dict[str, Any]) -> Any:
        return advise(Way(**{**path, "ports": tuple(path.get("ports", ()))}))

    advice = told(row["path"])
    assert (advice.remedy if advice else None) == row["remedy"]
    if "says" in row:
        assert row["says"] in advice.right
    for words in row.get("not", ()):
        assert any(words in why for why in advice.wrong), advice.wrong
    if "but" in row:
        other = told({**row["path"], **row["but"]})
        assert (other.remedy if other else None) == row["otherwise"]


def test_every_remedy_says_what_is_wrong() -> None:
    for row in rows("reachability"):
        advice = advise(Way(**{**row["path"], "ports": tuple(row["path"].get("ports", ()))}))
        # The catalogue has four places for them; each is a sentence after `Not`, without its end.
        assert advice is None or (1 < len(advice.wrong) <= 4 and not any(why.endswith(".") for why in (advice.right, *advice.wrong)))


@pytest.mark.parametrize("row", rows("addresses"), ids=named)
def test_the_address(row: dict[str, Any]) -> None:
    facts = surround({"source": {"cluster": "c"}, "version": {"git_version": None}, "namespaces": [{"name": "system", "labels": {}}]}, row["around"])
    cni = judge_cni(facts, row.get("platform"))
    assert list(cni.plugins) == row["plugins"]
    node = next(iter((facts.get("platform") or {}).get("nodes") or ()), None)
    assert address_kind(row["address"], node, cni, facts, row.get("platform")) == row["is"]
    if "enforces" in row:
        assert cni.enforces is row["enforces"]
    assert bool(cni.label) is bool(row["plugins"])


@pytest.mark.parametrize("row", rows("policies"), ids=named)
def test_the_policies(row: dict[str, Any]) -> None:
    pod = {
        "namespace": "system",
        "name": "hook-0",
        "labels": {"app": "hook"},
        "host_network": row.get("host_network", False),
        "containers": [{"ports": [{"name": "https", "port": 8443}]}],
    }
    by_cidr = row.get("by_cidr", True)
    sources = [Source("the API server", (address,), None, by_cidr) for address in row.get("from", ["172.16.0.1"])] or [Source("the API server")]
    if "agent" in row:
        agent = {**AGENT, "name": "agent", **row["agent"]}
        sources = [Source("agent", (agent["ip"],), agent)]
    policies = [policy(row.get("namespace", "system"), {"name": f"p{number}", "spec": spec}) for number, spec in enumerate(row["policies"])]
    found = admission(policies, pod, 8443, sources, Namespaces([]))
    assert found.state == row["is"]
    assert bool(found.policies) is (row["is"] != "open")


def test_a_free_port() -> None:
    assert free_port(frozenset()) == 10251
    assert free_port(frozenset((10251,))) == 9443
    assert free_port(frozenset((10251, 9443, 8443, 4443))) == 10270
    assert free_port(frozenset(), (8443,)) == 8443
    assert free_port(frozenset(), (10250,)) == 10251
    assert free_port(frozenset(range(1, 20000))) == 20000
    assert free_port(frozenset()) != 10260


@pytest.mark.parametrize(
    ("cluster", "node", "is_google"),
    [
        ("gke_shop_europe-west1_blue", {}, {"gcp_project": "shop", "gke_filter": "name~^gke-blue.*-master$"}),
        ("blue", {"provider_id": "gce://shop/europe-west1-b/x"}, {"gcp_project": "shop", "gke_filter": None}),
        (
            "",
            {"name": "gke-blue-default-pool-1a2b3c4d-x1yz", "labels": {"cloud.google.com/gke-nodepool": "default-pool"}},
            {"gcp_project": None, "gke_filter": "name~^gke-blue.*-master$"},
        ),
        (
            "",
            {"name": "gk3-blue-pool-1-1a2b-x1yz", "labels": {"cloud.google.com/gke-nodepool": "pool-1"}},
            {"gcp_project": None, "gke_filter": "name~^gke-blue.*-master$"},
        ),
    ],
)
def test_what_gcloud_needs(cluster: str, node: dict[str, Any], is_google: dict[str, Any]) -> None:
    assert google({"source": {"cluster": cluster}}, [{**NODE, **node}]) == is_google


@pytest.mark.parametrize(
    ("cluster", "node", "is_amazon"),
    [
        ("arn:aws:eks:eu-west-1:1:cluster/blue", {}, ("blue", "eu-west-1", None)),
        ("arn:aws-us-gov:eks:us-gov-west-1:1:cluster/blue", {}, ("blue", "us-gov-west-1", None)),
        ("me@blue.eu-west-1.eksctl.io", {}, ("blue", "eu-west-1", None)),
        ("", {"provider_id": "aws:///eu-west-1c/i-0abc"}, (None, "eu-west-1", "i-0abc")),
        ("", {"labels": {"topology.kubernetes.io/region": "eu-north-1", "alpha.eksctl.io/cluster-name": "red"}}, ("red", "eu-north-1", None)),
        ("", {"provider_id": "eks-hybrid:///eu-west-1/blue/mi-1"}, ("blue", "eu-west-1", None)),
    ],
)
def test_what_aws_needs(cluster: str, node: dict[str, Any], is_amazon: tuple[str | None, ...]) -> None:
    assert tuple(amazon({"source": {"cluster": cluster}}, [{**NODE, **node}]).values()) == is_amazon


# ---- what belongs to one platform is found on no other

PLATFORMS: dict[str, dict[str, Any]] = {
    "gke": {"version": "v1.31.5-gke.1023000", "nodes": [{"provider_id": "gce://shop/z/gke-blue-1"}], "daemonsets": ["anetd"]},
    "gke_autopilot": {"version": "v1.31.5-gke.1023000", "nodes": [{"name": "gk3-blue-1", "labels": {"cloud.google.com/private-node": "true"}}]},
    "gke_public": {"version": "v1.31.5-gke.1023000", "nodes": [{"external_ips": ["35.1.2.3"]}]},
    "eks": {"version": "v1.31.4-eks-2d5f260", "nodes": [{"provider_id": "aws:///eu-west-1a/i-0abc"}], "daemonsets": ["aws-node"]},
    "eks_overlay": {"version": "v1.31.4-eks-2d5f260", "nodes": [{}], "daemonsets": ["calico-node"]},
    "eks_auto": {"version": "v1.31.4-eks-2d5f260", "nodes": [{"labels": {"eks.amazonaws.com/compute-type": "auto"}}]},
    "eks_hybrid": {"version": "v1.31.4-eks-2d5f260", "nodes": [{"labels": {"eks.amazonaws.com/compute-type": "hybrid"}}], "daemonsets": ["cilium"]},
    "eks_anywhere": {"version": "v1.29.1-eks-1-29-12", "nodes": [{}], "daemonsets": ["cilium"]},
    "kops": {"version": "v1.31.4", "nodes": [{"provider_id": "aws:///eu-west-1a/i-0abc"}], "daemonsets": ["calico-node"]},
    "aks": {"nodes": [{"labels": {"kubernetes.azure.com/cluster": "MC"}}], "daemonsets": ["azure-cns"], "agents": [{}]},
    "aks_without_tunnel": {"nodes": [{"labels": {"kubernetes.azure.com/cluster": "MC"}}]},
    "openshift": {"groups": ["config.openshift.io"], "nodes": [{"provider_id": "aws:///eu-west-1a/i-0abc"}], "daemonsets": ["ovnkube-node"]},
    "ovh": {"nodes": [{"labels": {"node.k8s.ovh/type": "standard"}}], "daemonsets": ["canal"]},
    "k3s": {"version": "v1.31.4+k3s1", "nodes": [{}]},
    "rke2": {"version": "v1.31.4+rke2r1", "nodes": [{}], "daemonsets": ["rke2-canal"]},
    "k0s": {"version": "v1.31.4+k0s", "nodes": [{}], "daemonsets": ["kube-router"], "agents": [{}]},
    "microk8s": {"nodes": [{"labels": {"microk8s.io/cluster": "true"}}], "daemonsets": ["calico-node"]},
    "kind": {"nodes": [{"provider_id": "kind://docker/kind/kind-control-plane"}], "daemonsets": ["kindnet"]},
    "minikube": {"nodes": [{"labels": {"minikube.k8s.io/name": "minikube"}}]},
    "tanzu": {"groups": ["core.tanzu.vmware.com"], "nodes": [{}], "daemonsets": ["antrea-agent"]},
    "docker_ee": {"nodes": [{"labels": {"com.docker.ucp.orchestrator.kubernetes": "true"}}]},
    "kubeadm": {"config": {"kubeadm-config": {}}, "nodes": [{}], "daemonsets": ["kube-flannel-ds"]},
    "unknown": {},
}
# Where nobody sees the pods of the API servers.
HIDDEN = {name for name in PLATFORMS if name.startswith(("gke", "eks", "aks", "ovh")) and name != "eks_anywhere"}
DROPPED = {"apiserver": {"says": "dial tcp 10.1.0.1:9443: i/o timeout"}, "direct": "none", "listens": 9443}
REFUSED = {"apiserver": {"says": "Address is not allowed"}, "direct": "none", "listens": 9443}
TUNNEL = {"apiserver": {"says": "No agent available"}, "direct": "none"}
KUBELET = {"apiserver": {"says": "tls: failed to verify certificate: x509: certificate is valid for node-1, not hook.system.svc"}, "direct": "none"}
SLOW = {"apiserver": {"says": "context deadline exceeded"}, "service_proxy": "ok 9000ms", "timeout": 3, "direct": "none", "listens": 9443}
OWN = {
    "dropped": {
        "gke": "WD701",
        "gke_autopilot": "WD701",
        "eks": "WD702",
        "eks_auto": "WD702",
        "eks_overlay": "WD703",
        "eks_hybrid": "WD704",
        "aks": "WD713",
        "k0s": "WD713",
    },
    "refused": {"eks": "WD703", "eks_auto": "WD703", "eks_overlay": "WD703", "eks_hybrid": "WD703"},
    "tunnel": {name: "WD712" for name in HIDDEN if name != "aks"},
}
GENERIC = {"dropped": "WD210", "refused": "WD205", "tunnel": "WD221", "kubelet": "WD311", "slow": "WD501", "healthy": None}
WORLDS = {"dropped": DROPPED, "refused": REFUSED, "tunnel": TUNNEL, "kubelet": KUBELET, "slow": SLOW, "healthy": {"listens": 9443}}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_only_what_belongs_to_the_platform(platform: str, world: str) -> None:
    name = PLATFORMS[platform].get("nodes", [{}])[0].get("name", "node-1")
    given = {**WORLDS[world], "node": name, "around": {**PLATFORMS[platform], "hidden": platform in HIDDEN}}
    if world == "kubelet":
        given["apiserver"] = {"says": WORLDS[world]["apiserver"]["says"].replace("node-1", name)}
    found = diagnose(*observe(given))
    expected = OWN.get(world, {}).get(platform, GENERIC[world])
    assert [finding["code"] for finding in found] == ([expected] if expected else [])
