# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands of a cloud need to know, as far as the cluster tells: project, region, cluster, instances. Pure. PRIVATE to the collection.

A step whose value is missing is left out, so nothing is guessed here. Sources: providerID and names of nodes, well-known labels, and the names that the
clouds' own tools give to clusters in a kubeconfig.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_GCE = re.compile(r"gce://(?P<project>[^/]+)/(?P<zone>[^/]+)/[^/]+")
_AWS = re.compile(r"aws:///(?P<zone>[^/]+)/(?P<instance>i-[0-9a-f]+)")
_HYBRID = re.compile(r"eks-hybrid:///(?P<region>[^/]+)/(?P<cluster>[^/]+)/")
# gcloud, aws and eksctl name what they write to a kubeconfig so.
_GKE_CONTEXT = re.compile(r"gke_(?P<project>[^_]+)_(?P<location>[^_]+)_(?P<cluster>.+)")
_EKS_ARN = re.compile(r"arn:aws[\w-]*:eks:(?P<region>[\w-]+):\d*:cluster/(?P<cluster>.+)")
_EKSCTL = re.compile(r"(?P<cluster>[^.@]+)\.(?P<region>[\w-]+)\.eksctl\.io")

Nodes = Iterable[Mapping[str, Any]]


def google(facts: Mapping[str, Any], nodes: Nodes) -> dict[str, object]:
    """gcp_project, and gke_filter: which firewall rule is the one that GKE made for the control plane."""
    nodes = list(nodes)
    context = _GKE_CONTEXT.fullmatch(_cluster(facts))
    project = context["project"] if context else next((found["project"] for found in _matches(_GCE, nodes)), None)
    cluster = context["cluster"] if context else next(filter(None, map(_gke_cluster, nodes)), None)
    # Long names of clusters are cut off in the names of rules and nodes.
    return {"gcp_project": project, "gke_filter": f"name~^gke-{cluster[:20]}.*-master$" if cluster else None}


def amazon(facts: Mapping[str, Any], nodes: Nodes) -> dict[str, object]:
    """eks_cluster, aws_region, and instance: one that back ends run on."""
    nodes = list(nodes)
    context = _EKS_ARN.fullmatch(_cluster(facts)) or _EKSCTL.search(_cluster(facts))
    hybrid = next(iter(_matches(_HYBRID, nodes)), None)
    instances = _matches(_AWS, nodes)
    region = (
        (context and context["region"])
        or (hybrid and hybrid["region"])
        or next((node["labels"]["topology.kubernetes.io/region"] for node in nodes if "topology.kubernetes.io/region" in node["labels"]), None)
        or next((re.sub(r"[a-z]$", "", found["zone"]) for found in instances), None)
    )
    labelled = next((node["labels"]["alpha.eksctl.io/cluster-name"] for node in nodes if "alpha.eksctl.io/cluster-name" in node["labels"]), None)
    return {
        "eks_cluster": (context and context["cluster"]) or labelled or (hybrid and hybrid["cluster"]),
        "aws_region": region,
        "instance": next((found["instance"] for found in instances), None),
    }


def vpc_cni(facts: Mapping[str, Any]) -> dict[str, object]:
    """The resources that give pods security groups of their own, where the VPC CNI is set up so."""
    variables: Mapping[str, str] = next((one["env"] for one in (facts.get("platform") or {}).get("daemonsets") or () if one["name"] == "aws-node"), {})
    return {
        "eniconfigs": "eniconfigs.crd.k8s.amazonaws.com" if variables.get("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG") == "true" else None,
        "sg_policies": "securitygrouppolicies.vpcresources.k8s.aws" if variables.get("ENABLE_POD_ENI") == "true" else None,
    }


def _cluster(facts: Mapping[str, Any]) -> str:
    return str(facts["source"].get("cluster") or "")


def _matches(pattern: re.Pattern[str], nodes: Nodes) -> list[re.Match[str]]:
    return [found for node in nodes if (found := pattern.match(str(node["provider_id"] or "")))]


def _gke_cluster(node: Mapping[str, Any]) -> str | None:
    """Out of `gke-<cluster>-<pool>-<hash>-<suffix>`."""
    pool = node["labels"].get("cloud.google.com/gke-nodepool")
    if not pool:
        return None
    found = re.match(rf"g[ke]\w-(?P<cluster>.+?)-{re.escape(pool[:10])}", str(node["name"]))
    return found["cluster"] if found else None
