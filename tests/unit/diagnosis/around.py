# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is around the call-outs of a world, in a few words: platform, network plugins, policies. `around` of a table's row:

version      gitVersion                          cluster  its name in the kubeconfig          groups  API groups
nodes        [{name (default node-1), provider_id, labels, internal_ips, external_ips, pod_cidrs, ready}]
daemonsets   [name or {name, namespace, desired, ready, labels, env, host_network, host_ports}]
config       as in the facts
labels       of the namespace of the first call-out
policies     [{name, namespace, spec as Kubernetes has it}]          plugin_policies  [{group, kind, namespace, name}]
agents       [{name, ready, node, ip, host_network}] of the konnectivity tunnel
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.network_policies import _policy

NODE = {
    "name": "node-1",
    "provider_id": None,
    "labels": {},
    "internal_ips": ["10.0.0.5"],
    "external_ips": [],
    "pod_cidrs": [],
    "kubelet_version": "v1.31.4",
    "container_runtime": "containerd://2.1.4",
    "os_image": "Linux",
    "ready": True,
}
DAEMONSET = {"namespace": "kube-system", "labels": {}, "host_network": True, "host_ports": [], "ready": 2, "desired": 2, "env": {}}
AGENT = {
    "namespace": "kube-system",
    "labels": {"k8s-app": "konnectivity-agent"},
    "node": "node-1",
    "ip": "10.1.9.9",
    "host_network": False,
    "ready": True,
}


def surround(facts: dict[str, Any], around: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with what is around."""
    if not around:
        return facts
    namespaces = [dict(one) for one in facts["namespaces"]]
    namespaces[0]["labels"] = {**namespaces[0]["labels"], **around.get("labels", {})}
    version = around.get("version", facts["version"]["git_version"])
    control_plane = facts.get("control_plane")
    if around.get("hidden"):
        control_plane = {**facts["control_plane"], "instances": [{**one, "visible": False, "flags": None} for one in facts["control_plane"]["instances"]]}
    return {
        **facts,
        "control_plane": control_plane,
        "source": {**facts["source"], "cluster": around.get("cluster", facts["source"]["cluster"])},
        "version": {**facts["version"], "git_version": version},
        "namespaces": namespaces,
        "platform": {
            "api_groups": around.get("groups"),
            "node_count": len(around.get("nodes", ())) or None,
            "nodes": [{**NODE, **node} for node in around.get("nodes", ())],
            "daemonsets": [{**DAEMONSET, **({"name": one} if isinstance(one, str) else one)} for one in around.get("daemonsets", ())],
            "config": around.get("config", {}),
        },
        "network": {
            "policies": [policy(namespaces[0]["name"], one) for one in around.get("policies", ())],
            "plugin_policies": list(around.get("plugin_policies", ())),
            "agents": [{**AGENT, "name": f"konnectivity-agent-{number}", **one} for number, one in enumerate(around.get("agents", ()))],
        },
    }


def policy(namespace: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """A NetworkPolicy of the facts, made by the observer of what the table gives."""
    metadata = {"name": one.get("name", "deny"), "namespace": one.get("namespace", namespace)}
    return _policy({"metadata": metadata, "spec": one.get("spec", {"podSelector": {}})})
